"""The runs and series that are here: which there are, how each stands, and which ended last."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import BpcliError, BusyError, CheckpointError, OutputError
from bpcli.storage import lock, metrics_csv, outcome, series_file
from bpcli.storage.metrics_csv import Row
from bpcli.storage.outcome import Outcome
from bpcli.storage.run_folder import BEST, CONFIG, LAST, LATEST, RUN_FILES, RUNS, latest_folder

State = Literal["finished", "going on", "stopped", "failed", "damaged"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A run or a series, as `bpcli runs` lists it.

    Attributes:
        name: what a command takes for it: the name in the folder `runs`, or else the path.
        folder: its folder.
        state: finished; going on in another process; stopped, so that it can be resumed; failed, with the reason in
            `note`; or damaged, likewise.
        preset: the preset that its configuration is most similar to; None if the configuration can't be read.
        changed: the keys in which it differs from that preset, besides the seed.
        hidden: the units of each hidden layer.
        epochs, of: how many epochs are trained, and how many are wanted; of a series, the runs.
        validation_accuracy, test_accuracy: of the network that is kept; of a series, the means of its runs; None where
            it is unknown.
        when: the time of the last change, in seconds since 1970.
        size: of all its files, in bytes.
        note: what else there is to say, such as why it failed, or "".
        members: the runs of a series.
    """

    name: str
    folder: Path
    state: State
    preset: str | None
    changed: tuple[str, ...]
    hidden: tuple[int, ...]
    epochs: int
    of: int
    validation_accuracy: float | None
    test_accuracy: float | None
    when: float
    size: int
    note: str = ""
    members: tuple["Listed", ...] = ()


def folders() -> list[Path]:
    """Return the folders of the runs and series in `runs`, and of the one elsewhere that `runs/latest` names."""
    try:
        inside = [path for path in RUNS.iterdir() if path.name != LATEST.name and is_run_or_series(path)]
    except OSError:  # such as a missing folder
        inside = []
    latest = latest_folder()
    outside = latest is not None and latest not in {path.resolve() for path in inside}
    return sorted(inside) + ([latest] if latest and outside and is_run_or_series(latest) else [])


def is_run_or_series(folder: Path) -> bool:
    """Return whether a folder is that of a run or a series."""
    return series_file.is_series(folder) or any(series_file.is_there(folder / name) for name in (*RUN_FILES, BEST))


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
    """Return whether all epochs are trained, for runs of version 0.2 and older, which kept no outcome."""
    config = configuration.load(str(folder / CONFIG))
    return series_file.is_there(folder / BEST) and _has_ended(config, metrics_csv.read(folder))


def _has_ended(config: Config, rows: tuple[Row, ...]) -> bool:
    wait = config.train.patience
    return len(rows) >= config.train.epochs or (wait is not None and len(rows) - best_row(rows) >= wait)


def best_row(rows: tuple[Row, ...]) -> int:
    """Return the number, from 1, of the first row with the best validation accuracy; without any, the last."""
    accuracies = [row["validation_accuracy"] for row in rows]
    known = [value for value in accuracies if value is not None]
    return accuracies.index(max(known)) + 1 if known else len(rows)


def listed() -> list[Listed]:
    """Return every run and series that is here."""
    return [listed_one(folder) for folder in folders()]


def listed_one(folder: Path) -> Listed:
    """Return a run or a series as `listed` does; a damaged one says so."""
    try:
        return _series(folder) if series_file.is_series(folder) else _run(folder)
    except BpcliError as error:
        unknown = (None, (), (), 0, 0, None, None)
        return Listed(name_of(folder), folder, "damaged", *unknown, _newest(folder), _size(folder), str(error))


def _run(folder: Path) -> Listed:
    config = configuration.load(str(folder / CONFIG))
    preset, changed = _nearest_preset(config)
    ended, rows = outcome.read(folder), _rows(folder)
    best = ended or _best_so_far(rows)
    return Listed(
        name=name_of(folder),
        folder=folder,
        state=_state(folder, ended, ended is None and _has_ended(config, rows)),
        preset=preset,
        changed=changed,
        hidden=config.model.hidden,
        epochs=ended.epochs if ended else len(rows),
        of=config.train.epochs,
        validation_accuracy=best.validation_accuracy,
        test_accuracy=best.test_accuracy,
        when=_newest(folder),
        size=_size(folder),
        note=best.failed or best.warning,
    )


def _series(folder: Path) -> Listed:
    series = series_file.read(folder)
    members = tuple(
        listed_one(path) for seed in series.seeds if (path := series_file.member_folder(folder, seed)).is_dir()
    )
    preset, changed = _nearest_preset(series.config)
    done = [each for each in members if each.state == "finished"]
    return Listed(
        name=name_of(folder),
        folder=folder,
        state=_series_state(folder, set(series.finished) == set(series.seeds), members),
        preset=preset,
        changed=changed,
        hidden=series.config.model.hidden,
        epochs=len(series.finished),
        of=len(series.seeds),
        validation_accuracy=_mean([each.validation_accuracy for each in done]),
        test_accuracy=_mean([each.test_accuracy for each in done]),
        when=_newest(folder),
        size=_size(folder),
        members=members,
    )


def _state(folder: Path, ended: Outcome | None, trained: bool) -> State:
    if lock.is_held(folder):
        return "going on"
    if ended is not None and ended.failed:
        return "failed"
    return "finished" if ended is not None or trained else "stopped"


def _series_state(folder: Path, whole: bool, members: tuple[Listed, ...]) -> State:
    if lock.is_held(folder):
        return "going on"
    failed = any(each.state == "failed" for each in members)
    return "finished" if whole else "failed" if failed else "stopped"


def _rows(folder: Path) -> tuple[Row, ...]:
    """Return the rows of metrics.csv; none if the first epoch has not ended."""
    try:
        return metrics_csv.read(folder)
    except CheckpointError:
        return ()


def _best_so_far(rows: tuple[Row, ...]) -> Outcome:
    """Return the outcome as far as metrics.csv knows it."""
    number = best_row(rows)
    return Outcome(len(rows), number, validation_accuracy=rows[number - 1]["validation_accuracy"] if rows else None)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _nearest_preset(config: Config) -> tuple[str, tuple[str, ...]]:
    """Return the preset with the fewest differences from a configuration, and the keys that differ."""
    keys = {name: tuple(_differing(preset, config)) for name, preset in _presets().items()}
    nearest = min(keys, key=lambda name: (len(keys[name]), name != "default", name))
    return nearest, keys[nearest]


def _differing(preset: Config, config: Config) -> Iterator[str]:
    return (key for key in configuration.differences(preset, config) if key != "seed")


@cache
def _presets() -> dict[str, Config]:
    return {name: configuration.load(name) for name in configuration.preset_names()}


def name_of(folder: Path) -> str:
    """Return what a command takes for a run: its name in the folder `runs`, or else its path."""
    return str(folder.relative_to(RUNS)) if folder.is_relative_to(RUNS) else str(folder)


def _newest(folder: Path) -> float:
    """Return when the newest file in a folder was changed."""
    return max((each.st_mtime for each in _files(folder)), default=0.0)


def _size(folder: Path) -> int:
    return sum(each.st_size for each in _files(folder))


def _files(folder: Path) -> Iterator[os.stat_result]:
    """Yield what the system knows of the files in a folder."""
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a run that goes on replaces its files
            about = path.lstat()
            if stat.S_ISREG(about.st_mode) and path.name != lock.NAME:
                yield about


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
    if any(lock.is_held(each) for each in (folder, *folder.glob("seed-*"))):
        raise BusyError(f"{folder}: is going on; stop it first")
    latest = latest_folder()
    try:
        if latest is not None and latest == folder.resolve():
            LATEST.unlink()
        shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(f"{folder}: can't be removed: {error.strerror or error}") from error
