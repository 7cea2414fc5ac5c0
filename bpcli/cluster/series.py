"""A series whose members workers train."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from bpcli.cluster import keeping
from bpcli.cluster.engine import Engine, carried
from bpcli.cluster.task import Done, Reported, Task
from bpcli.errors import CheckpointError, TrainingError
from bpcli.machine import quote
from bpcli.storage import checkpoint, outcome, series_file
from bpcli.storage.files import FileSystem
from bpcli.storage.members import Series
from bpcli.storage.run_folder import LAST
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
    """The plan of a series: every member that is not finished, in their order."""

    def __init__(self, folder: Path, series: Series, fs: FileSystem) -> None:
        self.folder, self.series, self._fs = folder, series, fs
        self._configs = {member.name: member.config for member in series.members}
        self._waiting = [member.name for member in series.unfinished]
        self._under_way: set[str] = set()
        self._failed: dict[str, str] = {}
        self._epochs = {name: _epochs_of(folder / name) for name in self._configs}

    def next(self) -> Task | None:
        """Return the task of the next member."""
        if not self._waiting:
            return None
        name = self._waiting.pop(0)
        keeping.begin(self.folder / name, self._configs[name], self._fs)
        self._under_way.add(name)
        return keeping.task(self.folder / name, None, self._fs)

    def take(self, done: Done) -> None:
        """Keep what a member has come to; one that only pauses comes next again."""
        folder = self.folder / done.name
        keeping.keep(folder, self._configs[done.name], done, self._fs)
        self._under_way.discard(done.name)
        if done.failed:
            self._failed[done.name] = done.failed
        elif outcome.read(folder) is None:
            self._waiting.insert(0, done.name)
        else:
            self.series = self.series.with_finished(done.name)
            series_file.write(self.folder, self.series, self._fs)

    def events(self, happened: Task | Reported | Done) -> Iterator[Event]:
        """Yield the events of what has happened, after the plan has taken it."""
        if isinstance(happened, Reported):
            self._epochs[happened.name] = happened.epochs
        if isinstance(happened, Done):
            yield from (Notice(f"{happened.name}: {text}") for text in happened.notices)
            yield from ended(self.folder / happened.name, happened)
        epochs = {name: config.train.epochs for name, config in self._configs.items()}
        done = sum((self._epochs | {name: epochs[name] for name in self.series.finished}).values())
        finished, failed = len(self.series.finished), len(self._failed)
        yield Tally(len(self._under_way), finished, failed, len(epochs), done, sum(epochs.values()))

    def require_success(self) -> None:
        """Raise an error if a member has failed."""
        for name, reason in self._failed.items():
            others = f" (and {len(self._failed) - 1} other runs)" if len(self._failed) > 1 else ""
            raise TrainingError(
                f"{self.folder / name}{others}: {reason}; {len(self.series.finished)} of the "
                f"{len(self.series.members)} runs are finished; to try again: bpcli train --resume "
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


def _epochs_of(folder: Path) -> int:
    """Return how many epochs of a run are saved; 0 if none can be read."""
    try:
        return checkpoint.load(folder / LAST).epoch
    except CheckpointError:
        return 0


def _differing(folder: Path, series: Series) -> Iterator[Notice]:
    """Yield a line for each thing in which the machines differ that have trained the members."""
    found = {name: checkpoint.load(folder / name / LAST).environment for name in series.finished}
    first = next(iter(found), "")
    for name, environment in found.items():
        for thing, value in environment.items():
            if found[first].get(thing) != value:
                what = "number of threads" if thing == _THREADS else thing
                yield Notice(
                    f"{name} was trained with another {what} than {first}: {value}, not "
                    f"{found[first].get(thing)}; alone it may have other last digits"
                )
