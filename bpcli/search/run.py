"""A search, recorded in its folder."""

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path

from bpcli.cluster.engine import Engine, carried
from bpcli.core.threads import Interrupted, never_stop
from bpcli.errors import CheckpointError
from bpcli.search.plan import Sampler, Trials
from bpcli.storage import files, search_file, start
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.lock import exclusive
from bpcli.storage.run_folder import RUNS, SEARCH, new_folder
from bpcli.storage.search_file import Search
from bpcli.training import run
from bpcli.training.events import Event

KIND = "search"  # the name of the folders, without their number


def recorded_search(
    search: Search,
    out: Path | None,
    engine: Engine,
    sampler: Sampler,
    should_stop: Callable[[], bool] = never_stop,
    fs: FileSystem = SYSTEM,
) -> Generator[Event, None, Path]:
    """Search in a new folder; yield what happens to the trials.

    Args:
        search: what is searched.
        out: the folder, instead of `runs/search-<n>`.
        engine: what carries the trials.
        sampler: what chooses the values of a new trial.
        should_stop: called again and again; True ends it early.
        fs: the system calls that write files.

    Returns:
        The folder.

    Raises:
        ConfigError, DataError, CheckpointError: something is invalid; nothing is written yet.
        ClusterError: the workers fell away; what was finished is kept.
        OutputError: a file or folder can't be written.
    """
    begin = start.of(search.config)
    with suppress(Interrupted):
        run.require_possible([search.config], should_stop, begin)
    with new_folder(KIND, out) as folder:
        start.keep(begin, folder, fs)
        search_file.write(folder, search, fs)
        yield from _trials(folder, search, engine, sampler, should_stop, fs)
        return folder


def resumed_search(
    folder: Path,
    search: Search,
    engine: Engine,
    sampler: Sampler,
    should_stop: Callable[[], bool] = never_stop,
    fs: FileSystem = SYSTEM,
) -> Generator[Event, None, Path]:
    """Go on with the search in a folder, as `recorded_search`.

    Args:
        folder: of the search.
        search: its description, perhaps with more trials.
        engine: what carries the trials.
        sampler: what chooses the values of a new trial.
        should_stop: called again and again; True ends it early.
        fs: the system calls that write files.

    Raises:
        CheckpointError: a trial's folder can't be read.
        BusyError: another process goes on with it.
        As `recorded_search`.
    """
    with exclusive(folder):
        files.remove_temporaries(folder, fs=fs)
        search_file.write(folder, search, fs)
        yield from _trials(folder, search, engine, sampler, should_stop, fs)
        return folder


def _trials(
    folder: Path, search: Search, engine: Engine, sampler: Sampler, should_stop: Callable[[], bool], fs: FileSystem
) -> Generator[Event, None, None]:
    plan = Trials(folder, search, sampler, fs)
    try:
        with closing(carried(engine, plan, should_stop)) as happenings:
            for happened in happenings:
                yield from plan.events(happened)
    finally:
        plan.write()


def newest_search() -> Path:
    """Return the folder of the search that began last in the folder `runs`.

    Raises:
        CheckpointError: there is none.
    """
    found = [folder for folder in RUNS.glob(f"{KIND}-*") if search_file.is_search(folder)]
    if not found:
        raise CheckpointError("there is no search here yet; `bpcli search space.yaml` makes one")
    return max(found, key=lambda folder: (folder / SEARCH).stat().st_mtime)
