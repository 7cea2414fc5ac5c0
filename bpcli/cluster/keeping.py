"""The folders of runs that workers train: made into tasks, and filled with what comes back."""

from collections.abc import Mapping
from pathlib import Path

from bpcli import config as configuration
from bpcli.cluster.task import RESULTS, SENT, Done, Task, content, temporary
from bpcli.config import Config
from bpcli.errors import BpcliError, ClusterError, OutputError
from bpcli.storage import checkpoint, files, metrics_csv, outcome, snapshots
from bpcli.storage.files import FileSystem, make_folder, write_file
from bpcli.storage.find import newest
from bpcli.storage.lock import exclusive
from bpcli.storage.outcome import Outcome
from bpcli.storage.run_folder import BEST, CONFIG, LAST, PREVIOUS, START

_LARGEST = {LAST: checkpoint.MAX_CHECKPOINT, BEST: checkpoint.MAX_CHECKPOINT}
_LARGE = metrics_csv.MAX_LENGTH


def begin(folder: Path, config: Config, fs: FileSystem) -> None:
    """Make the folder of a run, with its configuration, unless it is there.

    Raises:
        OutputError: it can't be written.
    """
    if not (folder / CONFIG).exists():
        make_folder(folder, fs)
        write_file(folder / CONFIG, configuration.to_yaml(config).encode(), fs=fs)


def task(folder: Path, pause: int | None, fs: FileSystem) -> Task:
    """Return the task of going on with the run in a folder; a damaged last.npz is replaced by the one before.

    The network to start from is that of the folder, or of the one around it, the series or the search.

    Raises:
        CheckpointError: no checkpoint of the run can be read.
        OutputError: the folder can't be written to.
    """
    with exclusive(folder):
        files.remove_temporaries(folder, fs=fs)
        found, _ = newest(folder, fs)
        start = {} if found else content(folder.parent, (START,))
        return Task(folder.name, start | content(folder, SENT), pause)


def keep(folder: Path, config: Config, done: Done, fs: FileSystem) -> None:
    """Write what a task has brought into the run's folder, each file whole, once all of it has been read strictly.

    A kill in between leaves what a run leaves that is killed itself: it goes on from last.npz.

    Args:
        folder: of the run.
        config: that the run must have.
        done: what was brought.
        fs: the system calls.

    Raises:
        ClusterError: it is not what a run of this configuration writes.
        OutputError: the folder can't be written to.
    """
    new = _new(folder, done)
    _require_ours(done.name, new, config)
    with exclusive(folder):
        if any(map(snapshots.is_name, new)):
            make_folder(folder / snapshots.FOLDER, fs)
        for name in sorted(new, key=_turn):
            write_file(folder / name, new[name], previous=PREVIOUS if name == LAST else None, fs=fs)
        for name in set(snapshots.names(folder)) - done.files.keys():
            files.remove(folder / name, fs)
        if done.failed and outcome.NAME not in done.files:
            outcome.write(folder, Outcome(_epochs(folder), 0, failed=done.failed), fs)


def _turn(name: str) -> int:
    """Return when a file is written: as a run does, snapshots before the last.npz that knows of their epochs."""
    return RESULTS.index(LAST if snapshots.is_name(name) else name) * 2 - snapshots.is_name(name)


def _new(folder: Path, done: Done) -> dict[str, bytes]:
    """Return the files that a task has brought, without a configuration that is there already."""
    there = content(folder, (CONFIG,))
    return {name: data for name, data in done.files.items() if there.get(name) != data}


def _epochs(folder: Path) -> int:
    """Return how many epochs of a run are saved."""
    return checkpoint.load(folder / LAST).epoch if (folder / LAST).exists() else 0


def _require_ours(run: str, received: Mapping[str, bytes], config: Config) -> None:
    """Refuse files that are not those of a run of this configuration."""
    try:
        _require_named(received)
        with temporary(received) as folder:
            _read(folder, received, config)
    except OutputError:
        raise  # not the worker's fault
    except BpcliError as error:
        raise ClusterError(f"{run}: what a worker sent is not the files of this run: {error}") from error


def _require_named(received: Mapping[str, bytes]) -> None:
    """Refuse files that no run has, and such as are too large."""
    for name, data in received.items():
        largest = snapshots.MAX_LENGTH if snapshots.is_name(name) else _LARGEST.get(name, _LARGE)
        if (name not in RESULTS and not snapshots.is_name(name)) or len(data) > largest:
            raise ClusterError(f"{name[:60]!r} is none of them, or too large")


def _read(folder: Path, received: Mapping[str, bytes], config: Config) -> None:
    """Read every file as its command would."""
    outcome.read(folder)
    networks = [checkpoint.load(folder / name) for name in (BEST, LAST) if name in received]
    found = [network.config for network in networks]
    for network in networks[:1]:
        sizes = network.model.network.sizes
        snapshots.read(folder, sizes[1], sizes[0], sizes[-1])
    if CONFIG in received:
        found.append(configuration.load(str(folder / CONFIG)))
    if BEST in received:
        metrics_csv.read(folder)
    for each in found:
        for key, (wanted, got) in configuration.differences(config, each).items():
            raise ClusterError(f"{key} = {got!r}, not {wanted!r}")
