"""A series whose members workers train."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bpcli.cluster import keeping
from bpcli.cluster.engine import Engine, carried
from bpcli.cluster.task import Done, Reported, Task
from bpcli.errors import CheckpointError, TrainingError
from bpcli.machine import quote
from bpcli.storage import checkpoint, outcome, series_file
from bpcli.storage.files import FileSystem
from bpcli.storage.run_folder import LAST
from bpcli.storage.series_file import Series, member_folder
from bpcli.training.events import Event, Notice, RunEnded, Tally
from bpcli.training.series import Train

_THREADS = "workers"  # in the environment of a checkpoint: the number of threads


def on(engine: Engine) -> Train:
    """Return what trains the members of a series by an engine, several at a time.

    A member that can't be trained doesn't end the others; at the end, `TrainingError` names it.
    """

    def train(
        folder: Path, series: Series, should_stop: Callable[[], bool], fs: FileSystem
    ) -> Generator[Event, None, Series]:
        plan = _Members(folder, series, fs)
        with closing(carried(engine, plan, should_stop)) as happenings:
            for happened in happenings:
                yield from plan.events(happened)
        yield from _differing(folder, plan.series)
        if not should_stop():
            plan.require_success()
        return plan.series

    return train


class _Members:
    """The plan of a series: every member that is not finished, in the order of the seeds."""

    def __init__(self, folder: Path, series: Series, fs: FileSystem) -> None:
        self.folder, self.series, self._fs = folder, series, fs
        self._waiting = [seed for seed in series.seeds if seed not in series.finished]
        self._under_way: set[int] = set()
        self._failed: dict[int, str] = {}
        self._epochs = {seed: _epochs_of(member_folder(folder, seed)) for seed in series.seeds}

    def next(self) -> Task | None:
        """Return the task of the next member."""
        if not self._waiting:
            return None
        seed = self._waiting.pop(0)
        folder = member_folder(self.folder, seed)
        keeping.begin(folder, self.series.member(seed), self._fs)
        self._under_way.add(seed)
        return keeping.task(folder, None, self._fs)

    def take(self, done: Done) -> None:
        """Keep what a member has come to; one that only pauses comes next again."""
        seed = _seed(done.name)
        folder = member_folder(self.folder, seed)
        keeping.keep(folder, self.series.member(seed), done, self._fs)
        self._under_way.discard(seed)
        if done.failed:
            self._failed[seed] = done.failed
        elif outcome.read(folder) is None:
            self._waiting.insert(0, seed)
        else:
            finished = {*self.series.finished, seed}
            self.series = replace(self.series, finished=tuple(s for s in self.series.seeds if s in finished))
            series_file.write(self.folder, self.series, self._fs)

    def events(self, happened: Task | Reported | Done) -> Iterator[Event]:
        """Yield the events of what has happened, after the plan has taken it."""
        if isinstance(happened, Reported):
            self._epochs[_seed(happened.name)] = happened.epochs
        if isinstance(happened, Done):
            yield from (Notice(f"{happened.name}: {text}") for text in happened.notices)
            yield from ended(member_folder(self.folder, _seed(happened.name)), happened)
        epochs = self.series.config.train.epochs
        finished, failed, runs = len(self.series.finished), len(self._failed), len(self.series.seeds)
        done = sum(epochs if seed in self.series.finished else self._epochs[seed] for seed in self.series.seeds)
        yield Tally(len(self._under_way), finished, failed, runs, done, runs * epochs)

    def require_success(self) -> None:
        """Raise an error if a member has failed."""
        for seed, reason in self._failed.items():
            others = f" (and {len(self._failed) - 1} other runs)" if len(self._failed) > 1 else ""
            raise TrainingError(
                f"{member_folder(self.folder, seed)}{others}: {reason}; {len(self.series.finished)} of the "
                f"{len(self.series.seeds)} runs are finished; to try again: bpcli train --resume "
                f"{quote(str(self.folder))}"
            )


def ended(folder: Path, done: Done) -> Iterator[Event]:
    """Yield the events of a run that has ended."""
    found = outcome.read(folder)
    if found is not None:
        metrics = {
            name: value
            for name in ("validation_loss", "validation_accuracy", "test_accuracy")
            if (value := getattr(found, name)) is not None
        }
        yield RunEnded(done.name, found.epochs, metrics, found.failed)
        if found.warning:
            yield Notice(f"{done.name}: {found.warning}")


def _seed(name: str) -> int:
    return int(name.removeprefix("seed-"))


def _epochs_of(folder: Path) -> int:
    """Return how many epochs of a run are saved; 0 if none can be read."""
    try:
        return checkpoint.load(folder / LAST).epoch
    except CheckpointError:
        return 0


def _differing(folder: Path, series: Series) -> Iterator[Notice]:
    """Yield a line for each thing in which the machines differ that have trained the members."""
    found = {seed: checkpoint.load(member_folder(folder, seed) / LAST).environment for seed in series.finished}
    first = next(iter(found), 0)
    for seed, environment in found.items():
        for name, value in environment.items():
            if found[first].get(name) != value:
                what = "number of threads" if name == _THREADS else name
                yield Notice(
                    f"seed-{seed} was trained with another {what} than seed-{first}: {value}, not "
                    f"{found[first].get(name)}; alone it may have other last digits"
                )
