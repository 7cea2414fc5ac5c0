"""Training that is recorded in the folder of a run."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bpcli import model as models
from bpcli.config import Config, DataConfig
from bpcli.core import parameters
from bpcli.core.threads import Interrupted, ThreadGroup, never_stop
from bpcli.data.datasets import DataSet
from bpcli.data.spec import DataSpec
from bpcli.errors import CheckpointError, TrainingError
from bpcli.inference.evaluation import Score, score
from bpcli.storage import files, start
from bpcli.storage.checkpoint import Checkpoint, Environment
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.find import find_run, newest
from bpcli.storage.lock import exclusive
from bpcli.storage.outcome import Outcome
from bpcli.storage.run_folder import new_folder, point_latest
from bpcli.storage.run_writer import RunWriter
from bpcli.storage.start import Start
from bpcli.storage.state import State
from bpcli.training import builders, resuming
from bpcli.training import data as run_data
from bpcli.training.environment import differences, environment
from bpcli.training.events import CheckpointDue, EpochEnd, Event, Finished, Notice, Started, Tested
from bpcli.training.loop import train


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run is trained.

    Attributes:
        cores: the processors that `train.threads: auto` may use; None for all that this process may.
        announce: called with the run's folder once the run begins or goes on; by default it becomes `runs/latest`.
    """

    cores: int | None = None
    announce: Callable[[Path], object] = point_latest


HERE = Place()


def recorded_training(
    config: Config,
    name: str,
    out: Path | None,
    should_stop: Callable[[], bool] = never_stop,
    fs: FileSystem = SYSTEM,
    place: Place = HERE,
    begin: Start | None = None,
) -> Generator[Event, None, None]:
    """Train and record the run in a folder; at the end, test the best epoch's network.

    If the generator is closed before its end, the state after the last step is saved in last.npz.

    Args:
        config: the configuration to train.
        name: the name of the run's folder, without its number.
        out: the folder to use instead.
        should_stop: called again and again; True saves the state and ends early.
        fs: the system calls that write files.
        place: the processors to use, and what is told of the folder.
        begin: the network that `train.start` names, if it is read already.

    Raises:
        ConfigError, DataError, CheckpointError: something is invalid; nothing is written yet.
        TrainingError: training has diverged; the checkpoints of the last good epoch stay.
        BusyError: another run is being written to the folder.
        OutputError: a file or folder can't be written.
    """
    with suppress(Interrupted):
        begin = begin or start.of(config)
        data = yield from run_data.reading(config, should_stop, begin)
        threads = builders.thread_group(config, data.spec, place.cores)
        data = run_data.upright(data, config, threads)
        state = builders.first_state(config, data.spec, begin)
        with new_folder(name, out) as folder:
            start.keep(begin, folder, fs)
            now = environment(threads, len(data.training)) | start.record(begin)
            writer = RunWriter(folder, config, data.spec, now, fs)
            writer.begin()
            writer.save_refused(data.remarks)
            place.announce(folder)
            yield _started(config, folder, data, state, now)
            yield from _recorded(config, state, writer, data, threads, should_stop)


def resumed_training(
    source: str,
    basis: str | None = None,
    overrides: Iterable[str] = (),
    should_stop: Callable[[], bool] = never_stop,
    fs: FileSystem = SYSTEM,
    place: Place = HERE,
) -> Generator[Event, None, None]:
    """Continue a run from its last checkpoint, or from its start if none was saved yet.

    Its files become, byte for byte, those of a run without interruption, if the number of threads, NumPy and BLAS are
    the same. A `Notice` names each difference.

    Args:
        source: `latest`, or the run's folder.
        basis: a preset or file that the run's configuration must agree with; by default its own config.yaml.
        overrides: `key=value` settings that change the configuration from here on.
        should_stop: called again and again; True saves the state and ends early.
        fs: the system calls that write files.
        place: the processors to use, and what is told of the folder.

    Raises:
        CheckpointError: there is no such run, no checkpoint of it can be read, or the checkpoint doesn't fit the data.
        ConfigError: the configuration differs in more than the overrides, or they ask for the impossible.
        BusyError: another process is writing to the run's folder.
        DataError: as `recorded_training`, or the run was saved within an epoch over more or fewer images.
        TrainingError, OutputError: as `recorded_training`.
    """
    folder = find_run(source)
    with suppress(Interrupted), exclusive(folder):
        files.remove_temporaries(folder, fs=fs)
        found, warning = newest(folder, fs)
        config, changes = resuming.continued(folder, found, basis, list(overrides))
        begin = None if found else start.kept(folder, config)
        data = yield from run_data.reading(config, should_stop, begin)
        if found:
            resuming.require_same_images(found, len(data.training))
            data = data._replace(spec=_same_spec(folder, found.spec, data.spec))
        threads = builders.thread_group(config, data.spec, place.cores)
        data = run_data.upright(data, config, threads)
        state = _state_of(found, config) if found else builders.first_state(config, data.spec, begin)
        record = start.recorded(found.environment) if found else start.record(begin)
        now = environment(threads, len(data.training)) | record
        writer = RunWriter(folder, config, data.spec, now, fs)
        writer.repair(state)
        writer.save_refused(data.remarks)
        if found and config != found.config:
            writer.save_last(state)
        writer.save_config(resuming.comments(folder, changes, state))
        place.announce(folder)
        yield _started(config, folder, data, state, now)
        differing = differences(found.environment, now) if found else ()
        for text in (warning, *changes, *differing):
            if text:
                yield Notice(text)
        yield from _recorded(config, state, writer, data, threads, should_stop)


def _state_of(found: Checkpoint, config: Config) -> State:
    """Return the state of a checkpoint, to go on from with this configuration."""
    state = found.state()
    resuming.trust_no_stillness(state, found.config, config)
    return state


def require_possible(
    configs: Iterable[Config], should_stop: Callable[[], bool] = never_stop, begin: Start | None = None
) -> Generator[Event, None, None]:
    """Check that trainings could begin: the networks fit into memory and checkpoints, and the data can be read.

    The data of configurations that agree in them are read once. Events tell of pictures.

    Raises:
        ConfigError, DataError: it could not.
        Interrupted: `should_stop` returned True.
    """
    specs: dict[DataConfig, DataSpec] = {}
    for config in configs:
        if config.data not in specs:
            specs[config.data] = (yield from run_data.reading(config, should_stop, begin)).spec
        builders.require_possible(config, specs[config.data])


def _same_spec(folder: Path, saved: DataSpec, found: DataSpec) -> DataSpec:
    """Return the checkpoint's specification of the data; refuse data that don't fit it.

    The brightness may differ: the run keeps that of its first data. Version 0.1 used MNIST's for all data.
    """
    if found.side != saved.side:
        raise CheckpointError(
            f"{folder}: was trained on images of {saved.side}×{saved.side} pixels; these have {found.side}×{found.side}"
        )
    if found.classes != saved.classes[: len(found.classes)]:
        raise CheckpointError(
            f"{folder}: was trained on the classes {', '.join(saved.classes)}; these are {', '.join(found.classes)}"
        )
    return saved


def _started(config: Config, folder: Path, data: DataSet, state: State, environment: Environment) -> Started:
    count = parameters.count(models.network(config, data.spec).sizes)
    training, epochs, steps = len(data.training), config.train.epochs, builders.steps(config, len(data.training))
    origin = start.origin(environment)
    return Started(folder, training, len(data.validation), count, epochs, steps, state.epoch, state.step, origin)


def _recorded(
    config: Config,
    state: State,
    writer: RunWriter,
    data: DataSet,
    threads: ThreadGroup,
    should_stop: Callable[[], bool],
) -> Generator[Event, None, None]:
    """Yield the events of a training and its test, each after it has been saved."""
    event: Event | None = None
    with closing(train(config, state, data, threads, should_stop)) as events:
        try:
            for event in events:
                _save(writer, state, event)
                yield event
        except GeneratorExit:
            events.close()  # ends the threads, after which the state is consistent
            if state.is_finite:
                writer.save_last(state)
            raise
        except TrainingError as error:
            writer.save_outcome(Outcome(state.epoch, state.best_epoch + 1, failed=str(error)))
            raise
    if isinstance(event, Finished):
        test = score(models.build(config, data.spec, state.best), data.test, threads, should_stop)
        writer.save_outcome(_outcome(event, test))
        yield Tested(test)


def _outcome(finished: Finished, test: Score) -> Outcome:
    """Return the outcome of a run whose network was tested."""
    numbers = {"epochs": finished.epochs, "best_epoch": finished.best_epoch + 1, "warning": finished.warning}
    metrics = {**finished.metrics, "test_accuracy": test.accuracy, "test_loss": test.loss}
    metrics |= {"dead_units": finished.dead.count} if finished.dead else {}
    return msgspec.convert(numbers | metrics, Outcome)


def _save(writer: RunWriter, state: State, event: Event) -> None:
    """Save the files that an event calls for."""
    match event:
        case EpochEnd():
            writer.save_epoch(state, event.row, is_best=event.is_best, confusion=event.confusion)
        case CheckpointDue():
            writer.save_last(state)
