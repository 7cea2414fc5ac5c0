"""The runs, series and searches that are here, each with its state and its numbers, for `bpcli runs`."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import BpcliError, CheckpointError
from bpcli.storage import lock, metrics_csv, outcome, search_file, series_file, trials
from bpcli.storage.listing import folders, run_name
from bpcli.storage.metrics_csv import Row, best_row, has_ended
from bpcli.storage.outcome import Outcome
from bpcli.storage.run_folder import CONFIG
from bpcli.storage.start import INHERITED

State = Literal["finished", "going on", "stopped", "failed", "damaged"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A run, a series or a search, as `bpcli runs` lists it.

    Attributes:
        name: what a command takes for it: the name in the folder `runs`, or else the path.
        folder: its folder.
        state: finished; going on in another process; stopped, so that it can be resumed; failed, with the reason in
            `note`; or damaged, likewise.
        preset: the preset that its configuration is most similar to; None if the configuration can't be read.
        changed: the keys in which it differs from that preset, besides the seed.
        hidden: the units of each hidden layer.
        epochs, of: how many epochs are trained, and how many are wanted; of a series, the runs; of a search, trials.
        validation_accuracy, test_accuracy: of the network that is kept; of a series, the means of its runs; of a
            search, that of its best trial; None where it is unknown.
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


def listed() -> list[Listed]:
    """Return every run and series that is here."""
    return [listed_one(folder) for folder in folders()]


def listed_one(folder: Path) -> Listed:
    """Return a run or a series as `listed` does; a damaged one says so."""
    try:
        if search_file.is_search(folder):
            return _search(folder)
        return _series(folder) if series_file.is_series(folder) else _run(folder)
    except BpcliError as error:
        unknown = (None, (), (), 0, 0, None, None)
        return Listed(run_name(folder), folder, "damaged", *unknown, *_extent(folder), str(error))


def _run(folder: Path) -> Listed:
    config = configuration.load(str(folder / CONFIG))
    preset, changed = _nearest_preset(config)
    ended, rows = outcome.read(folder), _rows(folder)
    best, (when, size) = ended or _best_so_far(rows), _extent(folder)
    return Listed(
        name=run_name(folder),
        folder=folder,
        state=_state(folder, ended, ended is None and has_ended(config, rows)),
        preset=preset,
        changed=changed,
        hidden=config.model.hidden,
        epochs=ended.epochs if ended else len(rows),
        of=config.train.epochs,
        validation_accuracy=best.validation_accuracy,
        test_accuracy=best.test_accuracy,
        when=when,
        size=size,
        note=best.failed or best.warning,
    )


def _series(folder: Path) -> Listed:
    series = series_file.read(folder)
    members = tuple(listed_one(path) for each in series.members if (path := folder / each.name).is_dir())
    preset, changed = _nearest_preset(series.config)
    done, (when, size) = [each for each in members if each.state == "finished"], _extent(folder)
    return Listed(
        name=run_name(folder),
        folder=folder,
        state=_series_state(folder, not series.unfinished, members),
        preset=preset,
        changed=changed,
        hidden=series.config.model.hidden,
        epochs=len(series.finished),
        of=len(series.members),
        validation_accuracy=_mean([each.validation_accuracy for each in done]),
        test_accuracy=_mean([each.test_accuracy for each in done]),
        when=when,
        size=size,
        members=members,
    )


def _search(folder: Path) -> Listed:
    search = search_file.read_folder(folder)
    found = trials.read(folder, search)
    states = [trial.state(search.rungs) for trial in found]
    best = next(iter(trials.ranked(found, search)), None)
    whole = len(found) >= search.trials and "begun" not in states and "finished" in states
    preset, changed = _nearest_preset(search.config)
    when, size = _extent(folder)
    return Listed(
        name=run_name(folder),
        folder=folder,
        state="going on" if lock.is_held(folder) else "finished" if whole else "stopped",
        preset=preset,
        changed=changed,
        hidden=search.config.model.hidden,
        epochs=len(found),
        of=search.trials,
        validation_accuracy=best.score if best and search.maximizes else None,
        test_accuracy=None,
        when=when,
        size=size,
        note=f"a search; its best trial is {folder / trials.BEST_TRIAL}" if best else "a search",
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
    """Yield the keys that differ, but for the seed, and for what a preset leaves to the network that it starts from."""
    ignored = ("seed", *(INHERITED if preset.train.start else ()))
    return (key for key in configuration.differences(preset, config) if key not in ignored)


@cache
def _presets() -> dict[str, Config]:
    return {name: configuration.load(name) for name in configuration.preset_names()}


def _extent(folder: Path) -> tuple[float, int]:
    """Return when the newest file in a folder was changed, and the bytes of all of them."""
    files = list(_files(folder))
    return max((each.st_mtime for each in files), default=0.0), sum(each.st_size for each in files)


def _files(folder: Path) -> Iterator[os.stat_result]:
    """Yield what the system knows of the files in a folder."""
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a run that goes on replaces its files
            about = path.lstat()
            if stat.S_ISREG(about.st_mode) and path.name != lock.NAME:
                yield about
