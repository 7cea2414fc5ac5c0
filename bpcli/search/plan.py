"""The plan of a search: the trials, in an order that follows from their folders alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic

from bpcli.cluster import keeping
from bpcli.cluster.task import Done, Reported, Task
from bpcli.search import halving
from bpcli.storage import files
from bpcli.storage import trials as folders
from bpcli.storage.files import FileSystem
from bpcli.storage.run_folder import point
from bpcli.storage.search_file import Search
from bpcli.storage.trials import Trial, number_of, trial_folder
from bpcli.training.events import Event, Notice, RunEnded, Tally

Sampler = Callable[[Search, Sequence[Trial]], Mapping[str, object]]  # the values of the next trial
_SELDOM = 5.0  # seconds between two writings of trials.csv, which is made anew each time


class Trials:
    """The plan of a search: trials that were begun go on first, then promoted ones, then new ones.

    Args:
        folder: of the search.
        search: what is searched.
        sampler: what chooses the values of a new trial.
        fs: the system calls that write files.

    Raises:
        CheckpointError: a trial's folder can't be read.
    """

    def __init__(self, folder: Path, search: Search, sampler: Sampler, fs: FileSystem) -> None:
        self.folder, self.search, self._sampler, self._fs = folder, search, sampler, fs
        self.trials = folders.read(folder, search)
        for trial in self.trials:  # a coordinator that was killed may have left some
            files.remove_temporaries(trial_folder(folder, trial.number), fs=fs)
        self._busy: dict[int, int] = {}  # the epochs that trials under way have reported
        self._written = self._best = -1.0

    def next(self) -> Task | None:
        """Return the task of the next trial; None if there is none now."""
        trial = self._begun() or self._promoted() or self._new() or self._last()
        if trial is None:
            return None
        self._busy[trial.number] = trial.epochs
        return keeping.task(trial_folder(self.folder, trial.number), halving.pause(self.search, trial), self._fs)

    def take(self, done: Done) -> None:
        """Keep what a trial has come to."""
        number = number_of(done.name)
        trial = self.trials[number]
        keeping.keep(trial_folder(self.folder, number), self.search.trial(trial.values), done, self._fs)
        self.trials[number] = folders.read_one(self.folder, self.search, trial)
        del self._busy[number]
        self.write(_SELDOM)

    def events(self, happened: Task | Reported | Done) -> Iterator[Event]:
        """Yield the events of what has happened, after the plan has taken it."""
        number = number_of(happened.name)
        if isinstance(happened, Reported):
            self._busy[number] = happened.epochs
        if isinstance(happened, Done):
            yield from (Notice(f"{happened.name}: {text}") for text in happened.notices)
            trial = self.trials[number]
            if trial.state(self.search.rungs) != "begun":
                score: dict[str, float] = {} if trial.score is None else {self.search.metric: trial.score}
                yield RunEnded(happened.name, trial.epochs, score, trial.failed, trial.finished)
        yield self._tally()

    def write(self, at_most_each: float = 0.0) -> None:
        """Write trials.csv, and let `best` point to the best trial, unless that was done so few seconds ago.

        Raises:
            OutputError: they can't be written.
        """
        if monotonic() - self._written < at_most_each:
            return
        folders.write(self.folder, self.search, self.trials, self._fs)
        if (best := folders.ranked(self.trials, self.search)[:1]) and best[0].number != self._best:
            point(self.folder / folders.BEST_TRIAL, trial_folder(self.folder, best[0].number))
            self._best = best[0].number
        self._written = monotonic()

    def _begun(self) -> Trial | None:
        """Return a trial that has not come to a rung yet, such as one that a crash has stopped."""
        rungs = self.search.rungs
        begun = (trial for trial in self.trials if trial.state(rungs) == "begun" and trial.number not in self._busy)
        return next(begun, None)

    def _promoted(self) -> Trial | None:
        return halving.promoted(self.search, self.trials, self._busy)

    def _new(self) -> Trial | None:
        """Return a new trial, with its folder."""
        number = len(self.trials)
        if number >= self.search.trials:
            return None
        config = self.search.trial(self._sampler(self.search, self.trials))
        trial = Trial(number, self.search.values(config))
        keeping.begin(trial_folder(self.folder, number), config, self._fs)
        self.trials.append(trial)
        return trial

    def _last(self) -> Trial | None:
        """Return the best trial of a rung from which too few would go on, once all else is done."""
        return None if self._busy else halving.promoted(self.search, self.trials, self._busy, at_least=1)

    def _tally(self) -> Tally:
        done = sum(max(trial.epochs, self._busy.get(trial.number, 0)) for trial in self.trials)
        ended = [trial for trial in self.trials if trial.failed or (trial.epochs and trial.number not in self._busy)]
        failed = sum(bool(trial.failed) for trial in ended)
        likely = max(halving.likely_epochs(self.search), done)
        return Tally(len(self._busy), len(ended) - failed, failed, self.search.trials, done, likely)


def sampled(search: Search, sampler: Sampler, number: int) -> list[Mapping[str, object]]:
    """Return the values of the first trials, as far as no result changes them.

    Raises:
        ConfigError: some don't go together.
    """
    found: list[Trial] = []
    for each in range(number):
        values = search.values(search.trial(sampler(search, found)))
        found.append(Trial(each, values))
    return [trial.values for trial in found]
