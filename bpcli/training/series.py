"""Training a series: its members one after another, each an ordinary run in a folder of its own."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import TrainingError
from bpcli.training import checkpoint, committee, files, problem, run, series_file
from bpcli.training.evaluation import Interrupted, never
from bpcli.training.events import Event, MemberStarted, Noticed, SeriesEnded, SeriesStarted, Tested
from bpcli.training.files import SYSTEM, Calls
from bpcli.training.folder import BEST, CONFIG, RUN_FILES, named_run, new_folder, point_latest
from bpcli.training.lock import exclusive
from bpcli.training.series_file import Series, is_there, member_folder


def recorded_series(
    config: Config,
    seeds: tuple[int, ...],
    name: str,
    out: Path | None,
    stopping: Callable[[], bool] = never,
    calls: Calls = SYSTEM,
) -> Generator[Event, None, None]:
    """Trains a run for each seed, in the folders `seed-<n>` of the series' folder; ends with the test of all.

    Each run is, byte for byte, the one that `run.recorded_training` makes with its seed alone.

    Args:
        config: what to train; its own seed is not looked at.
        seeds: of the runs, all different.
        name: what to call the series' folder.
        out: the folder, instead.
        stopping: asked again and again whether to save and end early.
        calls: the system's calls by which files are written.

    Raises:
        As `run.recorded_training`; what is finished by then stays.
    """
    with suppress(Interrupted):
        run.require_possible(config, stopping)
        with new_folder(name, out) as folder:
            yield from _members(folder, Series(config, seeds), stopping, calls)


def resumed_series(
    source: str, stopping: Callable[[], bool] = never, calls: Calls = SYSTEM
) -> Generator[Event, None, None]:
    """Goes on with a series: with the run that was under way, then with those that are missing.

    Args:
        source: `latest`, or the series' folder.
        stopping: asked again and again whether to save and end early.
        calls: the system's calls by which files are written.

    Raises:
        CheckpointError: the file of the series can't be read.
        BusyError: another process is training the series.
        As `run.resumed_training`.
    """
    folder = named_run(source)
    folder = folder.resolve() if folder.is_symlink() else folder
    with suppress(Interrupted), exclusive(folder):
        files.sweep(folder, calls=calls)
        yield from _members(folder, _still_there(folder, series_file.read(folder)), stopping, calls)


def _still_there(folder: Path, series: Series) -> Series:
    """The series without those among the finished runs whose network somebody has removed."""
    kept = (seed for seed in series.finished if is_there(member_folder(folder, seed) / BEST))
    return replace(series, finished=tuple(kept))


def _members(folder: Path, series: Series, stopping: Callable[[], bool], calls: Calls) -> Generator[Event, None, None]:
    """The events of the members that are not finished, one member after another, and of the test of all."""
    series_file.write(folder, series, calls)
    point_latest(folder)
    yield SeriesStarted(folder, series.seeds, series.finished)
    for text in _deviations(folder, series):
        yield Noticed(text)
    for number, seed in enumerate(series.seeds, 1):
        if seed in series.finished:
            continue
        yield MemberStarted(seed, number, len(series.seeds))
        if not (yield from _member(folder, series.member(seed), stopping, calls)):
            return
        series = replace(series, finished=(*series.finished, seed))
        series_file.write(folder, series, calls)
    yield _tested(folder, series, stopping)


def _member(folder: Path, config: Config, stopping: Callable[[], bool], calls: Calls) -> Generator[Event, None, bool]:
    """The events of one member.

    Returns:
        Whether it came to its end.
    """
    where = member_folder(folder, config.seed)
    if any(is_there(where / file) for file in RUN_FILES):
        events = run.resumed_training(str(where), stopping=stopping, calls=calls, latest=folder)
    else:
        events = run.recorded_training(config, where.name, where, stopping, calls, latest=folder)
    event: Event | None = None
    with closing(events):
        try:
            for event in events:
                yield event
        except TrainingError as error:
            raise TrainingError(f"{where}: {error}") from error
    return isinstance(event, Tested)


def _deviations(folder: Path, series: Series) -> Iterator[str]:
    """A line for each setting of a member's that somebody has changed since."""
    for seed in series.seeds:
        path = member_folder(folder, seed) / CONFIG
        if is_there(path):
            found = configuration.differences(series.member(seed), configuration.load(str(path)))
            for key, (was, now) in found.items():
                yield f"{path}: {key} = {now!r}, but {was!r} in the series"


def _tested(folder: Path, series: Series, stopping: Callable[[], bool]) -> SeriesEnded:
    """How good the members are on the test split, each and together."""
    networks = (checkpoint.load(member_folder(folder, seed) / BEST) for seed in series.seeds)
    split, team = run.read_data(series.config, "test"), problem.team(series.config)
    verdict = committee.judge(networks, split, team, stopping)
    return SeriesEnded(folder, dict(zip(series.seeds, verdict.members, strict=True)), verdict.committee)
