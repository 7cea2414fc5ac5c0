"""The runs and series that are here: which there are, and which ended last."""

import shutil
from pathlib import Path

from bpcli.errors import BpcliError, BusyError, OutputError
from bpcli.storage import lock, outcome, series_file
from bpcli.storage.run_folder import BEST, CONFIG, LAST, LATEST, RUN_FILES, RUNS, SEARCH, latest_folder


def folders() -> list[Path]:
    """Return the folders of the runs, series and searches in `runs`, and of the one elsewhere that is `runs/latest`."""
    try:
        inside = [path for path in RUNS.iterdir() if path.name != LATEST.name and is_run_or_series(path)]
    except OSError:  # such as a missing folder
        inside = []
    latest = latest_folder()
    outside = latest is not None and latest not in {path.resolve() for path in inside}
    return sorted(inside) + ([latest] if latest and outside and is_run_or_series(latest) else [])


def is_run_or_series(folder: Path) -> bool:
    """Return whether a folder is that of a run, a series or a search."""
    names = (series_file.NAME, SEARCH, *RUN_FILES, BEST)
    return any(series_file.is_there(folder / name) for name in names)


def newest_ended() -> Path | None:
    """Return the folder of the run that ended last, or of the series whose last finished run did; None without any."""
    ended = [(at, folder) for folder in folders() if (at := ended_at(folder)) is not None]
    return max(ended, default=(0.0, None))[1]


def ended_at(folder: Path) -> float | None:
    """Return when a run ended, or the last finished run of a series, in seconds since 1970; None if it has not."""
    try:
        if series_file.is_series(folder):
            return _changed(folder / series_file.NAME) if series_file.read(folder).finished else None
        found = outcome.read(folder)
        if found is not None:
            return None if found.failed else _changed(folder / outcome.NAME)
        return _changed(folder / LAST) if _is_trained(folder) else None
    except BpcliError:  # a damaged run is none to use unasked
        return None


def _is_trained(folder: Path) -> bool:
    """Return whether all epochs are trained, for runs of version 0.1, which kept no outcome."""
    from bpcli import config as configuration  # rarely needed, and every command would wait for them
    from bpcli.storage import metrics_csv

    config = configuration.load(str(folder / CONFIG))
    return series_file.is_there(folder / BEST) and metrics_csv.has_ended(config, metrics_csv.read(folder))


def run_name(folder: Path) -> str:
    """Return what a command takes for a run: its name in the folder `runs`, or else its path."""
    return str(folder.relative_to(RUNS)) if folder.is_relative_to(RUNS) else str(folder)


def _changed(path: Path) -> float | None:
    """Return when a file was changed; None if it is not there."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return None


def remove(folder: Path) -> None:
    """Remove the folder of a run or a series with all that is in it.

    Raises:
        BusyError: a process is writing to it.
        OutputError: it can't be removed.
    """
    if any(lock.is_held(each) for each in (folder, *folder.glob("*"))):
        raise BusyError(f"{folder}: is going on; stop it first")
    latest = latest_folder()
    try:
        if latest is not None and latest == folder.resolve():
            LATEST.unlink()
        shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(f"{folder}: can't be removed: {error.strerror or error}") from error
