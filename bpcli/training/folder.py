"""The folder of a run: its name, its files, and what is found there when the run goes on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import numpy as np

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import CheckpointError, OutputError
from bpcli.training import checkpoint, files, lock, metrics, series_file
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.events import EpochEnd
from bpcli.training.files import SYSTEM, Calls
from bpcli.training.lock import exclusive
from bpcli.training.loop import State

RUNS = Path("runs")
LATEST = RUNS / "latest"
CONFIG, BEST, LAST, PREVIOUS = "config.yaml", "best.npz", "last.npz", "previous.npz"
RUN_FILES = (CONFIG, LAST, PREVIOUS)  # with any of them, a run can be gone on with
_ATTEMPTS = 1000


@contextmanager
def new_folder(name: str, out: Path | None = None) -> Iterator[Path]:
    """Makes the folder of a new run and keeps it for this process: `out`, or `runs/<name>-<n>` with the next free n.

    Raises:
        BusyError: another run is being written to `out`.
        OutputError: it can't be made, or `out` exists and is not empty.
    """
    try:
        folder = _next_folder(name) if out is None else _named_folder(out)
    except OSError as error:
        raise OutputError(f"{out or RUNS}: can't be made: {error.strerror or error}") from error
    with exclusive(folder):
        for first in (CONFIG, series_file.NAME):
            files.sweep(folder, f".{first}.*.tmp")  # of a run or a series that was killed before it had one
        if _contents(folder) - {lock.NAME}:
            raise _taken(folder)
        yield folder


def _next_folder(name: str) -> Path:
    files.make_folder(RUNS)
    for number in count(1):
        with suppress(FileExistsError):
            folder = RUNS / f"{name}-{number}"
            folder.mkdir()
            files.sync_folder(RUNS)
            return folder
    raise AssertionError("count ended")


def _named_folder(out: Path) -> Path:
    """The folder `out`, made if it is not there; nothing is put into a folder of somebody else's."""
    if out.exists() and not out.is_dir():
        raise _taken(out)
    files.make_folder(out)
    contents = _contents(out)
    if contents and lock.NAME not in contents:
        raise _taken(out)
    return out


def _contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _taken(out: Path) -> OutputError:
    return OutputError(f"{out}: exists and is not an empty folder; --out wants a new or an empty one")


def point_latest(folder: Path) -> None:
    """Makes `runs/latest` name the folder, relative to `runs` where it lies there.

    Raises:
        OutputError: the link can't be made.
    """
    try:
        RUNS.mkdir(exist_ok=True)
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):  # another process has swept the temporary link
                _link_latest(folder)
                return
    except OSError as error:
        raise OutputError(f"{LATEST}: can't be made: {error.strerror or error}") from error


def _link_latest(folder: Path) -> None:
    files.sweep(RUNS, ".latest.*.tmp")
    temporary = RUNS / f".latest.{os.getpid()}.tmp"
    temporary.symlink_to(os.path.relpath(folder.resolve(), RUNS.resolve()), target_is_directory=True)
    try:
        temporary.replace(LATEST)
    except FileNotFoundError:
        raise
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    files.sync_folder(RUNS)


def named_run(source: str) -> Path:
    """The folder that `--resume` names: that of the latest run for `latest`."""
    return LATEST if source == "latest" else Path(source)


def find_run(source: str) -> Path:
    """The folder of a run to go on with: `latest`, or the folder's path.

    Raises:
        CheckpointError: there is none.
    """
    path = named_run(source)
    try:
        if path == LATEST and not path.exists():
            raise CheckpointError("there is no run here yet; `bpcli train` makes one, or name a run's folder")
        if not any((path / name).is_file() for name in RUN_FILES):
            raise CheckpointError(f"{source}: not the folder of a run: it holds neither {CONFIG} nor {LAST}")
        return path.resolve() if path.is_symlink() else path
    except OSError as error:
        raise CheckpointError(f"{source}: can't be read: {error.strerror or error}") from error


def newest(folder: Path, calls: Calls = SYSTEM) -> tuple[Checkpoint | None, str]:
    """The newest checkpoint of a run that can be read, which is last.npz afterwards, and what there is to say of it.

    Returns:
        The checkpoint, None where none was saved yet, and a line about the one that was damaged or missing, or "".

    Raises:
        CheckpointError: none can be read; the message is about the newest.
        OutputError: the one before can't be made the last one.
    """
    last, previous = folder / LAST, folder / PREVIOUS
    if not last.exists() and not previous.exists():
        return None, ""
    try:
        return checkpoint.load(last), ""
    except CheckpointError as error:
        try:
            found = checkpoint.load(previous)
        except CheckpointError:
            raise error from None
        _restore(previous, last, calls)
        return found, f"{error}; going on from {previous.name}, the checkpoint before"


def _restore(previous: Path, last: Path, calls: Calls) -> None:
    """Puts the checkpoint before in the place of a damaged one, or the next save would keep the damaged one."""
    try:
        files.duplicate(previous, last, calls=calls)
        files.sync_folder(last.parent, calls)
    except OSError as error:
        raise files.cannot_write(last, error) from error


class Record:
    """What a run writes into its folder; each method raises OutputError where that can't be done.

    Args:
        folder: of the run, this process's alone.
        config: what its checkpoints say they were trained with.
        environment: likewise.
        calls: the system's calls.
    """

    def __init__(self, folder: Path, config: Config, environment: checkpoint.Environment, calls: Calls) -> None:
        self.folder, self._config, self._environment, self._calls = folder, config, environment, calls

    def save_config(self, comments: str = "") -> None:
        """Writes the configuration, with lines of comments before it."""
        content = f"{comments}{configuration.to_yaml(self._config)}".encode()
        files.write_file(self.folder / CONFIG, content, calls=self._calls)

    def save_epoch(self, state: State, event: EpochEnd) -> None:
        """Keeps an epoch: its row, its network if it is the best one, and the state to go on from."""
        metrics.add(self.folder, event, self._calls)
        if event.is_best:
            self.save_best(state)
        self.save_last(state)

    def save_last(self, state: State) -> None:
        """Saves the state to go on from, and keeps the one that was saved before."""
        saved = checkpoint.of_state(self._config, state, self._environment)
        checkpoint.save(saved, self.folder / LAST, previous=PREVIOUS, calls=self._calls)

    def save_best(self, state: State) -> None:
        """Saves the network of the best epoch so far."""
        saved = checkpoint.of_best(self._config, state, self._environment)
        checkpoint.save(saved, self.folder / BEST, calls=self._calls)

    def mend(self, state: State) -> None:
        """Makes metrics.csv and best.npz what they were when the state was saved, as far as they are not."""
        metrics.mend(self.folder, state.epoch, self._calls)
        if state.best_epoch >= 0 and not self._holds_best(state):
            self.save_best(state)

    def _holds_best(self, state: State) -> bool:
        try:
            kept = checkpoint.load(self.folder / BEST)
        except CheckpointError:
            return False
        return kept.epoch == state.best_epoch + 1 and np.array_equal(kept.parameters, state.best)
