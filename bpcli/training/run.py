"""The folder of a run, and a training that leaves its traces there."""

import os
from collections.abc import Generator
from contextlib import suppress
from itertools import count
from pathlib import Path

from bpcli import config as configuration
from bpcli import resources
from bpcli.config import Config
from bpcli.core import parameters
from bpcli.core.pixels import NORMALIZATIONS
from bpcli.core.types import Array, Bytes
from bpcli.data.mnist import Split, SplitName, read_split
from bpcli.errors import CheckpointError, OutputError
from bpcli.training import checkpoint, problem
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.evaluation import figures, mean_loss, predict
from bpcli.training.events import EpochEnd, Event, Score, Started, Tested
from bpcli.training.files import write_bytes
from bpcli.training.loop import State, first_state, train
from bpcli.training.team import Team

RUNS = Path("runs")
LATEST = RUNS / "latest"
COLUMNS = (
    "epoch", "learning_rate", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds",
)  # fmt: skip


def create_folder(name: str, out: Path | None = None) -> Path:
    """Makes the folder of a new run: `out`, or `runs/<name>-<n>` with the next free n.

    Raises:
        OutputError: it can't be made, or `out` exists and is not empty.
    """
    try:
        if out is None:
            return _next_folder(name)
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise OutputError(f"{out}: exists and is not an empty folder; --out wants a new or an empty one")
        out.mkdir(parents=True, exist_ok=True)
        return out
    except OSError as error:
        raise OutputError(f"{out or RUNS}: can't be made: {error.strerror or error}") from error


def _next_folder(name: str) -> Path:
    RUNS.mkdir(exist_ok=True)
    for number in count(1):
        with suppress(FileExistsError):
            folder = RUNS / f"{name}-{number}"
            folder.mkdir()
            return folder
    raise AssertionError("count ended")


def point_latest(folder: Path) -> None:
    """Makes `runs/latest` name the folder, relative to `runs` where it lies there.

    Raises:
        OutputError: the link can't be made.
    """
    temporary = RUNS / f".latest.{os.getpid()}.tmp"
    try:
        RUNS.mkdir(exist_ok=True)
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(os.path.relpath(folder.resolve(), RUNS.resolve()), target_is_directory=True)
        temporary.replace(LATEST)
    except OSError as error:
        raise OutputError(f"{LATEST}: can't be made: {error.strerror or error}") from error


def find_checkpoint(source: str | None) -> Path:
    """The checkpoint file that a command's argument names: a file, a run's folder, or by default the latest run.

    Raises:
        CheckpointError: there is none.
    """
    if source is None and not LATEST.exists():
        raise CheckpointError("there is no run here yet; `bpcli train` makes one, or name a checkpoint or a run")
    path = LATEST if source is None else Path(source)
    if path.is_dir():
        path = path.resolve() / "best.npz" if path.is_symlink() else path / "best.npz"
        if not path.exists():
            raise CheckpointError(f"{path.parent}: holds no best.npz; no epoch of this run was finished")
    return path


def read_data(config: Config, name: SplitName) -> Split:
    """One split of the data that a configuration names.

    Raises:
        DataError: a file is missing or malformed.
    """
    folder = resources.mnist() if config.data.folder is None else Path(config.data.folder)
    return read_split(folder, name, config.data.validation)


def scored(loaded: Checkpoint, split: Split, team: Team) -> tuple[float, Array, Bytes]:
    """The mean loss of a checkpoint's network over a split, its scores (n, 10), and the labels (n,).

    Raises:
        CheckpointError: the split is empty.
    """
    if not len(split):
        raise CheckpointError("this run kept no validation images (data.validation = 0); choose another --split")
    logits, scores = answers(loaded, split.images, team)
    return mean_loss(problem.network(loaded.config), logits, scores, split.labels), scores, split.labels


def answers(loaded: Checkpoint, images: Bytes, team: Team) -> tuple[Array, Array]:
    """The logits and the scores, both (n, 10), that a checkpoint's network gives images (n, 784)."""
    network = problem.network(loaded.config)
    layers = parameters.views(loaded.parameters, network.sizes)
    return predict(network, layers, images, NORMALIZATIONS[loaded.config.data.normalize], team)


def recorded_training(config: Config, name: str, out: Path | None) -> Generator[Event, None, None]:
    """Trains from scratch and keeps the run in a folder; ends with the test of the best epoch's network.

    Who leaves the loop before its end has the state after the last step in last.npz.

    Args:
        config: what to train.
        name: what to call the run's folder.
        out: the folder, instead.

    Raises:
        ConfigError, DataError: nothing is written yet.
        TrainingError: training has diverged; the checkpoints of the last good epoch stay.
        OutputError: a file or folder can't be written.
    """
    team = problem.team(config)
    training, validation = read_data(config, "train"), read_data(config, "validation")
    test = read_data(config, "test")
    state = first_state(config)
    folder = create_folder(name, out)
    _write_text(folder / "config.yaml", configuration.to_yaml(config))
    _write_text(folder / "metrics.csv", ",".join(COLUMNS) + "\n")
    point_latest(folder)
    yield Started(folder, len(training), len(validation), parameter_count(config))
    yield from _recorded(config, state, folder, train(config, state, training, validation, team))
    tested = figures(*scored(checkpoint.load(folder / "best.npz"), test, team))
    yield Tested(Score(tested["loss"], tested["accuracy"]))


def parameter_count(config: Config) -> int:
    """How many weights and biases the configuration's network has."""
    return parameters.count(problem.network(config).sizes)


def _recorded(
    config: Config, state: State, folder: Path, events: Generator[Event, None, None]
) -> Generator[Event, None, None]:
    """The events, each epoch's figures and checkpoints saved before its event is passed on."""
    latest: dict[str, float] = {}
    try:
        for event in events:
            if isinstance(event, EpochEnd):
                latest = _figures(event)
                _append_row(folder / "metrics.csv", event)
                if event.is_best:
                    best = Checkpoint(config, state.epoch, latest, state.best)
                    checkpoint.save(best, folder / "best.npz")
                checkpoint.save(checkpoint.of_state(config, state, latest), folder / "last.npz")
            yield event
    except GeneratorExit:
        events.close()  # ends the workers, after which the state is consistent
        checkpoint.save(checkpoint.of_state(config, state, latest), folder / "last.npz")
        raise


def _figures(event: EpochEnd) -> dict[str, float]:
    """An epoch's losses and accuracies by name."""
    scores = {"train": event.train, "validation": event.validation}
    return {
        f"{split}_{name}": value
        for split, score in scores.items()
        if score
        for name, value in (("loss", score.loss), ("accuracy", score.accuracy))
    }


def _append_row(path: Path, event: EpochEnd) -> None:
    """Adds an epoch's row to metrics.csv; the columns of a split that is not there stay empty."""
    numbers = _figures(event) | {"learning_rate": event.learning_rate, "seconds": round(event.seconds, 3)}
    row = [str(event.epoch + 1), *(f"{numbers[name]:.6g}" if name in numbers else "" for name in COLUMNS[1:])]
    try:
        with path.open("a", encoding="ascii") as file:
            file.write(",".join(row) + "\n")
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from error


def _write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())
