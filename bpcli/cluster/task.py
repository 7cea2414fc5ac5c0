"""The task of a worker, a pure function: the files of a run so far → its files some epochs later."""

import platform
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import numpy as np

from bpcli import __version__
from bpcli.errors import ConfigError, OutputError, TrainingError
from bpcli.storage import metrics_csv, outcome, snapshots
from bpcli.storage.files import SYSTEM
from bpcli.storage.run_folder import BEST, CONFIG, LAST, REFUSED, START
from bpcli.training.events import CheckpointDue, EpochEnd, Event, Notice
from bpcli.training.run import Place, resumed_training

RESULTS = (CONFIG, REFUSED, metrics_csv.NAME, BEST, LAST, outcome.NAME)  # in the order in which a run writes them
SENT = (CONFIG, metrics_csv.NAME, BEST, LAST, START)  # both with the snapshots
STINT = 60.0  # seconds after which a worker hands back what it has, at the end of an epoch

_UNSYNCED = replace(SYSTEM, fsync=lambda descriptor: None)  # what a worker writes outlives no crash anyway


@dataclass(frozen=True, slots=True)
class Task:
    """A run to begin or to go on with.

    Attributes:
        name: of the run's folder.
        files: of the run so far by name, at least config.yaml.
        pause: the epochs after which to pause; None for none but those after which `STINT` is over.
    """

    name: str
    files: Mapping[str, bytes]
    pause: int | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """A task has trained so many epochs of its run."""

    name: str
    epochs: int


@dataclass(frozen=True, slots=True)
class Done:
    """A task is done: the run is finished, paused or has failed.

    Attributes:
        name: of the run's folder.
        files: of the run by name; without result.json the run can go on.
        failed: why it can't, or "".
        notices: lines that the user should read.
    """

    name: str
    files: Mapping[str, bytes]
    failed: str = ""
    notices: tuple[str, ...] = ()


def perform(
    task: Task, should_stop: Callable[[], bool], cores: int | None = None, within: str | None = None
) -> Generator[Reported, None, Done]:
    """Train a run in a temporary folder; yield a report after each epoch.

    Args:
        task: what to train.
        should_stop: called again and again; True ends it early.
        cores: the processors that `train.threads: auto` may use; None for all.
        within: the folder in which to make the temporary one; None for the system's.

    Returns:
        What has become of the run; it has failed if it diverged, or if this machine can't train it.

    Raises:
        DataError, CheckpointError, OutputError: the data or the network to start from are missing here, and the like.
    """
    sent = {name: data for name, data in task.files.items() if name in SENT or snapshots.is_name(name)}
    with temporary(sent, within) as folder:
        notices, failed = list[str](), ""
        place = Place(cores, lambda folder: None)
        events = resumed_training(str(folder), should_stop=should_stop, fs=_UNSYNCED, place=place)
        try:
            yield from _reports(task, events, notices)
        except (TrainingError, ConfigError) as error:
            failed = str(error)
        return Done(task.name, content(folder, RESULTS), failed, tuple(notices))


@contextmanager
def temporary(files: Mapping[str, bytes], within: str | None = None) -> Iterator[Path]:
    """Yield a folder with some files of a run; it is removed at the end.

    Raises:
        OutputError: it can't be made or written to, for example because the disk is full.
    """
    with ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="bpcli-", dir=within)))
            write(files, folder)
        except OSError as error:
            raise OutputError(f"{error.filename or 'the temporary folder'}: {error.strerror or error}") from error
        yield folder


def _reports(task: Task, events: Generator[Event, None, None], notices: list[str]) -> Generator[Reported, None, None]:
    """Yield a report after each epoch until the task's pause; collect the lines that the user should read."""
    end = monotonic() + STINT
    with closing(events):
        for event in events:
            match event:
                case Notice():
                    notices.append(event.text)
                case CheckpointDue() if monotonic() > end:
                    return
                case EpochEnd():
                    yield Reported(task.name, event.epoch + 1)
                    if event.epoch + 1 < event.epochs and (event.epoch + 1 == task.pause or monotonic() > end):
                        return


def content(folder: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of those files of a folder that are there, and of its snapshots."""
    there = [name for name in names if (folder / name).exists()]
    return {name: (folder / name).read_bytes() for name in (*there, *snapshots.names(folder))}


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of a run into a temporary folder."""
    (folder / snapshots.FOLDER).mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def versions() -> dict[str, str]:
    """Return what must be the same wherever a run is trained: the versions of bpcli, Python and NumPy."""
    return {
        "bpcli": __version__,
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "NumPy": np.__version__,
    }
