"""Runs: what a command's argument names, and a training that leaves its traces in the run's folder."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from bpcli import resources
from bpcli.config import Config
from bpcli.core import parameters
from bpcli.core.pixels import NORMALIZATIONS
from bpcli.core.types import Array, Bytes
from bpcli.data.mnist import Split, SplitName, read_split, read_training
from bpcli.data.strangers import with_strangers
from bpcli.errors import CheckpointError
from bpcli.training import checkpoint, files, metrics, problem, resuming, series_file
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.environment import differences, environment
from bpcli.training.evaluation import Interrupted, figures, mean_loss, never, predict
from bpcli.training.events import EpochEnd, Event, Finished, Noticed, Paused, Score, Started, Tested
from bpcli.training.files import SYSTEM, Calls
from bpcli.training.folder import BEST, LATEST, Record, find_run, new_folder, newest, point_latest
from bpcli.training.lock import exclusive
from bpcli.training.loop import State, first_state, is_finite, train
from bpcli.training.team import Team

NO_RUN = "no run here yet: this is the network that comes with bpcli"


def find_checkpoint(source: str | None) -> Path:
    """The checkpoint file that a command's argument names: a file, a run's folder, or by default the latest run.

    Raises:
        CheckpointError: there is none, or it is a series, which has several.
    """
    path = LATEST if source is None else Path(source)
    try:
        if source is None and not path.exists():
            raise CheckpointError("there is no run here yet; `bpcli train` makes one, or name a checkpoint or a run")
        if not path.is_dir():
            return path
        if series_file.is_series(path):
            raise series_file.not_one(path.resolve() if path.is_symlink() else path)
        path = path.resolve() / BEST if path.is_symlink() else path / BEST
        if not path.exists():
            raise CheckpointError(f"{path.parent}: holds no {BEST}; no epoch of this run was finished")
        return path
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error


def find_network(source: str | None) -> Path:
    """As `find_checkpoint`; but by default, and where there is no run yet, the one that comes with bpcli."""
    if source is None and not LATEST.exists():
        return resources.pretrained()
    return find_checkpoint(source)


def read_data(config: Config, name: SplitName) -> Split:
    """One split of the data that a configuration names.

    Raises:
        DataError: a file is missing or malformed.
    """
    return read_split(data_folder(config), name, config.data.validation)


def data_folder(config: Config) -> Path:
    """The folder of the four MNIST files."""
    return resources.mnist() if config.data.folder is None else Path(config.data.folder)


def scored(
    loaded: Checkpoint, split: Split, team: Team, stopping: Callable[[], bool] = never
) -> tuple[float, Array, Bytes]:
    """The mean loss of a checkpoint's network over a split, its scores (n, 10), and the labels (n,).

    Raises:
        CheckpointError: the split is empty.
        Interrupted: `stopping` said so before all was done.
    """
    require_images(split)
    logits, scores = answers(loaded, split.images, team, stopping)
    return mean_loss(problem.network(loaded.config), logits, scores, split.labels), scores, split.labels


def require_images(split: Split) -> None:
    """Sees that there is something to evaluate on.

    Raises:
        CheckpointError: the split is empty.
    """
    if not len(split):
        raise CheckpointError("this run kept no validation images (data.validation = 0); choose another --split")


def answers(loaded: Checkpoint, images: Bytes, team: Team, stopping: Callable[[], bool] = never) -> tuple[Array, Array]:
    """The logits and the scores, both (n, 10), that a checkpoint's network gives images (n, 784)."""
    network = problem.network(loaded.config)
    layers = parameters.views(loaded.parameters, network.sizes)
    normalization = NORMALIZATIONS[loaded.config.data.normalize]
    return predict(network, layers, problem.prepared(loaded.config, images, team), normalization, team, stopping)


def parameter_count(config: Config) -> int:
    """How many weights and biases the configuration's network has."""
    return parameters.count(problem.network(config).sizes)


def recorded_training(
    config: Config,
    name: str,
    out: Path | None,
    stopping: Callable[[], bool] = never,
    calls: Calls = SYSTEM,
    latest: Path | None = None,
) -> Generator[Event, None, None]:
    """Trains from scratch and keeps the run in a folder; ends with the test of the best epoch's network.

    Who leaves the loop before its end has the state after the last step in last.npz.

    Args:
        config: what to train.
        name: what to call the run's folder.
        out: the folder, instead.
        stopping: asked again and again whether to save and end early.
        calls: the system's calls by which files are written.
        latest: what `runs/latest` is to name, such as the series that the run belongs to; by default the run.

    Raises:
        ConfigError, DataError: nothing is written yet.
        TrainingError: training has diverged; the checkpoints of the last good epoch stay.
        BusyError: another run is being written to the folder.
        OutputError: a file or folder can't be written.
    """
    with suppress(Interrupted):
        team = problem.team(config)
        splits = _Splits.read(config, stopping).prepared(config, team)
        state = first_state(config)
        with new_folder(name, out) as folder:
            record = Record(folder, config, environment(team, len(splits.training)), calls)
            record.save_config()
            metrics.begin(folder, calls)
            point_latest(latest or folder)
            yield _started(config, folder, splits, state)
            yield from _recorded(config, state, record, splits, team, stopping)


def resumed_training(
    source: str,
    basis: str | None = None,
    overrides: Iterable[str] = (),
    stopping: Callable[[], bool] = never,
    calls: Calls = SYSTEM,
    latest: Path | None = None,
) -> Generator[Event, None, None]:
    """Goes on with a run from its last checkpoint, or from its start if none was saved yet.

    The files it leaves are those that the run would have left without interruption, byte for byte, given the same
    number of workers, NumPy and BLAS; a `Noticed` says what differs.

    Args:
        source: `latest`, or the run's folder.
        basis: a preset or file that the run's configuration must agree with; by default its own config.yaml.
        overrides: `key=value` settings that change the configuration from here on.
        stopping: asked again and again whether to save and end early.
        calls: the system's calls by which files are written.
        latest: what `runs/latest` is to name, such as the series that the run belongs to; by default the run.

    Raises:
        CheckpointError: there is no such run, or none of its checkpoints can be read.
        ConfigError: the configuration differs in more than the overrides, or they ask for the impossible.
        BusyError: another process is writing to the run's folder.
        DataError, TrainingError, OutputError: as `recorded_training`.
    """
    folder = find_run(source)
    with suppress(Interrupted), exclusive(folder):
        files.sweep(folder, calls=calls)
        found, warning = newest(folder, calls)
        config, changes = resuming.continued(folder, found, basis, list(overrides))
        team = problem.team(config)
        splits = _Splits.read(config, stopping).prepared(config, team)
        state = found.state() if found else first_state(config)
        now = environment(team, len(splits.training))
        record = Record(folder, config, now, calls)
        record.mend(state)
        if found and config != found.config:
            record.save_last(state)
        record.save_config(resuming.comments(folder, changes, state))
        point_latest(latest or folder)
        yield _started(config, folder, splits, state)
        differing = differences(found.environment, now) if found else ()
        for text in (warning, *changes, *differing):
            if text:
                yield Noticed(text)
        yield from _recorded(config, state, record, splits, team, stopping)


def require_possible(config: Config, stopping: Callable[[], bool] = never) -> None:
    """Sees that a training could begin: that there is room for the network, and its data can be read.

    Raises:
        ConfigError, DataError: it could not.
        Interrupted: `stopping` said so.
    """
    problem.require_memory(config)
    problem.require_checkpoint(config)
    _Splits.read(config, stopping)


class _Splits(NamedTuple):
    """The three splits of a run."""

    training: Split
    validation: Split
    test: Split

    @classmethod
    def read(cls, config: Config, stopping: Callable[[], bool]) -> "_Splits":
        """Reads them all, or raises Interrupted between two of them."""
        training, validation = read_training(data_folder(config), config.data.validation)
        if config.data.strangers:
            training = with_strangers(training, config.data.strangers, config.seed)
        if stopping():
            raise Interrupted
        test = read_data(config, "test")
        if stopping():
            raise Interrupted
        return cls(training, validation, test)

    def prepared(self, config: Config, team: Team) -> "_Splits":
        """Those that the training sees, as its network is shown them; the test split as it is in its files."""
        training, validation = (Split(problem.prepared(config, split.images, team), split.labels) for split in self[:2])
        return _Splits(training, validation, self.test)


def _started(config: Config, folder: Path, splits: _Splits, state: State) -> Started:
    sizes = len(splits.training), len(splits.validation), parameter_count(config)
    return Started(folder, *sizes, state.epoch, state.step)


def _recorded(
    config: Config, state: State, record: Record, splits: _Splits, team: Team, stopping: Callable[[], bool]
) -> Generator[Event, None, None]:
    """The events of a training and its test, each saved before it is passed on."""
    event: Event | None = None
    with closing(train(config, state, splits.training, splits.validation, team, stopping)) as events:
        try:
            for event in events:
                _save(record, state, event)
                yield event
        except GeneratorExit:
            events.close()  # ends the workers, after which the state is consistent
            if is_finite(state):
                record.save_last(state)
            raise
    if isinstance(event, Finished):
        best = checkpoint.load(record.folder / BEST)
        tested = figures(*scored(best, splits.test, team, stopping))
        yield Tested(Score(tested["loss"], tested["accuracy"]))


def _save(record: Record, state: State, event: Event) -> None:
    """Saves what an event is the occasion to save."""
    match event:
        case EpochEnd():
            record.save_epoch(state, event)
        case Paused():
            record.save_last(state)
