"""Training a series: each member is an ordinary run in its own folder; by default one after another."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.core.threads import Interrupted, never_stop
from bpcli.errors import TrainingError
from bpcli.inference import ensemble
from bpcli.inference.evaluation import read_split_of
from bpcli.storage import checkpoint, files, series_file, start
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.find import find_run
from bpcli.storage.lock import exclusive
from bpcli.storage.run_folder import BEST, CONFIG, RUN_FILES, new_folder, point_latest
from bpcli.storage.series_file import Series, is_there, member_folder
from bpcli.training import builders, run
from bpcli.training.events import Event, MemberStarted, Notice, SeriesEnded, SeriesStarted, Tested
from bpcli.training.run import Place


def recorded_series(
    config: Config,
    seeds: tuple[int, ...],
    name: str,
    out: Path | None,
    should_stop: Callable[[], bool] = never_stop,
    fs: FileSystem = SYSTEM,
    train: "Train | None" = None,
) -> Generator[Event, None, None]:
    """Train a run for each seed, in the folders `seed-<n>` of the series' folder; at the end, test them together.

    Each run is, byte for byte, that of `run.recorded_training` with its seed.

    Args:
        config: the configuration to train; its own seed is ignored.
        seeds: of the runs, all different.
        name: the name of the series' folder, without its number.
        out: the folder to use instead.
        should_stop: called again and again; True saves the state and ends early.
        fs: the system calls that write files.
        train: what trains the members; by default `one_after_another`.

    Raises:
        As `run.recorded_training`; the runs that are finished by then stay.
    """
    with suppress(Interrupted):
        begin = start.of(config)
        yield from run.require_possible(config, should_stop, begin)
        with new_folder(name, out) as folder:
            start.keep(begin, folder, fs)
            yield from _members(folder, Series(config, seeds), should_stop, fs, train or one_after_another)


def resumed_series(
    source: str,
    should_stop: Callable[[], bool] = never_stop,
    fs: FileSystem = SYSTEM,
    train: "Train | None" = None,
) -> Generator[Event, None, None]:
    """Continue a series: the runs that were interrupted, and the missing ones.

    Args:
        source: `latest`, or the series' folder.
        should_stop: called again and again; True saves the state and ends early.
        fs: the system calls that write files.
        train: what trains the members; by default `one_after_another`.

    Raises:
        CheckpointError: the file of the series can't be read.
        BusyError: another process is training the series.
        As `run.resumed_training`.
    """
    folder = find_run(source)
    with suppress(Interrupted), exclusive(folder):
        files.remove_temporaries(folder, fs=fs)
        series = _still_there(folder, series_file.read(folder))
        yield from _members(folder, series, should_stop, fs, train or one_after_another)


def _still_there(folder: Path, series: Series) -> Series:
    """Return the series; a finished run whose network was deleted is no longer finished."""
    kept = (seed for seed in series.finished if is_there(member_folder(folder, seed) / BEST))
    return replace(series, finished=tuple(kept))


def _members(
    folder: Path, series: Series, should_stop: Callable[[], bool], fs: FileSystem, train: "Train"
) -> Generator[Event, None, None]:
    """Yield the events of the unfinished members and, once all are finished, of the test of all."""
    series_file.write(folder, series, fs)
    point_latest(folder)
    yield SeriesStarted(folder, series.seeds, series.finished)
    for text in _deviations(folder, series):
        yield Notice(text)
    series = yield from train(folder, series, should_stop, fs)
    if {*series.finished} == {*series.seeds}:
        yield _tested(folder, series, should_stop)


def one_after_another(
    folder: Path, series: Series, should_stop: Callable[[], bool], fs: FileSystem
) -> Generator[Event, None, Series]:
    """Yield the events of the unfinished members, one member after another.

    Returns:
        The series, with the members that are finished now.
    """
    for number, seed in enumerate(series.seeds, 1):
        if seed in series.finished:
            continue
        yield MemberStarted(seed, number, len(series.seeds))
        if not (yield from _member(folder, series.member(seed), should_stop, fs)):
            break
        series = replace(series, finished=(*series.finished, seed))
        series_file.write(folder, series, fs)
    return series


Train = Callable[[Path, Series, Callable[[], bool], FileSystem], Generator[Event, None, Series]]


def _member(
    folder: Path, config: Config, should_stop: Callable[[], bool], fs: FileSystem
) -> Generator[Event, None, bool]:
    """Yield the events of one member.

    Returns:
        Whether the member is finished.
    """
    where, place = member_folder(folder, config.seed), Place(announce=lambda _: point_latest(folder))
    if any(is_there(where / file) for file in RUN_FILES):
        events = run.resumed_training(str(where), should_stop=should_stop, fs=fs, place=place)
    else:
        begin = start.kept(folder, config)
        events = run.recorded_training(config, where.name, where, should_stop, fs, place, begin)
    event: Event | None = None
    with closing(events):
        try:
            for event in events:
                yield event
        except TrainingError as error:
            raise TrainingError(f"{where}: {error}") from error
    return isinstance(event, Tested)


def _deviations(folder: Path, series: Series) -> Iterator[str]:
    """Yield a line for each setting of a member that somebody has changed."""
    for seed in series.seeds:
        path = member_folder(folder, seed) / CONFIG
        if is_there(path):
            found = configuration.differences(series.member(seed), configuration.load(str(path)))
            for key, (was, now) in found.items():
                yield f"{path}: {key} = {now!r}, but {was!r} in the series"


def _tested(folder: Path, series: Series, should_stop: Callable[[], bool]) -> SeriesEnded:
    """Return the metrics of the members on the test split, each alone and all together."""
    networks = [checkpoint.load(member_folder(folder, seed) / BEST).model for seed in series.seeds]
    threads = builders.thread_group(series.config, networks[0].spec)
    split = read_split_of(networks[0], "test")
    found = ensemble.evaluate_ensemble(ensemble.Ensemble(networks), split, threads, should_stop)
    return SeriesEnded(folder, dict(zip(series.seeds, found.members, strict=True)), found.together)
