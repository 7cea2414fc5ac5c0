"""Training a series: each member is an ordinary run in its own folder; by default one after another."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from bpcli import config as configuration
from bpcli.core.threads import Interrupted, never_stop
from bpcli.errors import TrainingError
from bpcli.inference import ensemble
from bpcli.inference.evaluation import read_split_of
from bpcli.storage import checkpoint, files, series_file, start
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.find import find_run
from bpcli.storage.lock import exclusive
from bpcli.storage.members import Member, Series
from bpcli.storage.run_folder import BEST, CONFIG, RUN_FILES, new_folder, point_latest
from bpcli.storage.series_file import is_there
from bpcli.training import builders, run
from bpcli.training.events import Event, MemberStarted, Notice, SeriesEnded, SeriesStarted, Tested
from bpcli.training.run import Place


def recorded_series(
    series: Series,
    name: str,
    out: Path | None,
    should_stop: Callable[[], bool] = never_stop,
    fs: FileSystem = SYSTEM,
    train: "Train | None" = None,
) -> Generator[Event, None, None]:
    """Train the runs of a series, each in its folder within that of the series; at the end, test them together.

    Each run is, byte for byte, that of `run.recorded_training` with its configuration.

    Args:
        series: the runs, of which none is finished.
        name: the name of the series' folder, without its number.
        out: the folder to use instead.
        should_stop: called again and again; True saves the state and ends early.
        fs: the system calls that write files.
        train: what trains the members; by default `one_after_another`.

    Raises:
        As `run.recorded_training`; the runs that are finished by then stay.
    """
    with suppress(Interrupted):
        configs = [member.config for member in series.members]
        begin = start.of(*configs)
        yield from run.require_possible(configs, should_stop, begin)
        with new_folder(name, out) as folder:
            start.keep(begin, folder, fs)
            yield from _members(folder, series, should_stop, fs, train or one_after_another)


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
    kept = (name for name in series.finished if is_there(folder / name / BEST))
    return replace(series, finished=tuple(kept))


def _members(
    folder: Path, series: Series, should_stop: Callable[[], bool], fs: FileSystem, train: "Train"
) -> Generator[Event, None, None]:
    """Yield the events of the unfinished members and, once all are finished, of the test of all."""
    series_file.write(folder, series, fs)
    point_latest(folder)
    yield SeriesStarted(folder, series)
    for text in _deviations(folder, series):
        yield Notice(text)
    series = yield from train(folder, series, should_stop, fs)
    if not series.unfinished:
        yield _tested(folder, series, should_stop)


def one_after_another(
    folder: Path, series: Series, should_stop: Callable[[], bool], fs: FileSystem
) -> Generator[Event, None, Series]:
    """Yield the events of the unfinished members, one member after another.

    Returns:
        The series, with the members that are finished now.
    """
    for member in series.unfinished:
        yield MemberStarted(member, series.members.index(member) + 1, len(series.members))
        if not (yield from _member(folder, member, should_stop, fs)):
            break
        series = series.with_finished(member.name)
        series_file.write(folder, series, fs)
    return series


Train = Callable[[Path, Series, Callable[[], bool], FileSystem], Generator[Event, None, Series]]


def _member(
    folder: Path, member: Member, should_stop: Callable[[], bool], fs: FileSystem
) -> Generator[Event, None, bool]:
    """Yield the events of one member.

    Returns:
        Whether the member is finished.
    """
    where, place = folder / member.name, Place(announce=lambda _: point_latest(folder))
    if any(is_there(where / file) for file in RUN_FILES):
        events = run.resumed_training(str(where), should_stop=should_stop, fs=fs, place=place)
    else:
        begin = start.kept(folder, member.config)
        events = run.recorded_training(member.config, member.name, where, should_stop, fs, place, begin)
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
    for member in series.members:
        path = folder / member.name / CONFIG
        if is_there(path):
            found = configuration.differences(member.config, configuration.load(str(path)))
            for key, (was, now) in found.items():
                yield f"{path}: {key} = {now!r}, but {was!r} in the series"


def _tested(folder: Path, series: Series, should_stop: Callable[[], bool]) -> SeriesEnded:
    """Return the metrics of the members on the test split, each alone and all together."""
    networks = [checkpoint.load(folder / member.name / BEST).model for member in series.members]
    spec = networks[0].spec
    groups = (builders.thread_group(member.config, spec) for member in series.members)
    threads = max(groups, key=lambda group: group.size)  # as the largest network wants
    split = read_split_of(networks[0], "test")
    found = ensemble.evaluate_ensemble(ensemble.Ensemble(networks), split, threads, should_stop)
    return SeriesEnded(folder, series.members, found.members, found.together)
