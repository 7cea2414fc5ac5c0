"""The trials of a search: their folders are all that is known of them; trials.csv is an overview."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from bpcli import config as configuration
from bpcli.errors import CheckpointError
from bpcli.storage import checkpoint, metrics_csv, outcome
from bpcli.storage.files import SYSTEM, FileSystem, write_file
from bpcli.storage.metrics_csv import best_row
from bpcli.storage.run_folder import CONFIG, LAST
from bpcli.storage.search_file import Metric, Search

NAME = "trials.csv"
BEST_TRIAL = "best"  # the name that points to the folder of the best trial


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial, as far as its folder knows it.

    Attributes:
        number: from 0.
        values: of the space's keys.
        scores: the metric of the network that is kept after each epoch, the first epoch's first.
        finished: whether the run is trained to its end.
        failed: why the run can't go on, or "".
    """

    number: int
    values: Mapping[str, object]
    scores: tuple[float, ...] = ()
    finished: bool = False
    failed: str = ""

    @property
    def epochs(self) -> int:
        """The number of epochs that are trained."""
        return len(self.scores)

    @property
    def score(self) -> float | None:
        """The metric of the network that is kept; None before the first epoch's end."""
        return self.scores[-1] if self.scores else None

    def state(self, rungs: Sequence[int]) -> str:
        """Return finished, failed, paused (at a rung) or begun."""
        if self.failed or self.finished:
            return "failed" if self.failed else "finished"
        return "paused" if self.epochs in rungs else "begun"


def trial_folder(folder: Path, number: int) -> Path:
    """Return the folder of a trial's run."""
    return folder / f"trial-{number}"


def number_of(name: str) -> int:
    """Return the number of the trial in a folder of this name."""
    return int(name.removeprefix("trial-"))


def read(folder: Path, search: Search) -> list[Trial]:
    """Return the trials that were begun, from their folders.

    Raises:
        CheckpointError: one can't be read, or is not of this search.
    """
    found: list[Trial] = []
    for number in count():
        path = trial_folder(folder, number) / CONFIG
        if not path.exists():
            return found
        config = configuration.load(str(path))
        values = search.values(config)
        if other := configuration.differences(search.trial(values), config):
            key, (wanted, got) = next(iter(other.items()))
            raise CheckpointError(f"{path}: {key} = {got!r}, but {wanted!r} in the search")
        trial = read_one(folder, search, Trial(number, values))
        found.append(trial if trial.finished else replace(trial, scores=trial.scores[: _saved(path.parent)]))
    raise AssertionError("count ended")


def _saved(run: Path) -> int:
    """Return how many epochs of a run can be gone on from; a kill may leave metrics.csv with more."""
    last = run / LAST
    try:
        return checkpoint.load(last).epoch if last.exists() else 0
    except CheckpointError:
        return 0  # the one before it is used, and then there may be more


def read_one(folder: Path, search: Search, trial: Trial) -> Trial:
    """Return a trial with what its folder says of its epochs and its end.

    Raises:
        CheckpointError: a file can't be read.
    """
    run = trial_folder(folder, trial.number)
    ended, scores, flaw = outcome.read(run), tuple[float, ...](), ""
    try:
        scores = _scores(run, search.metric)
    except CheckpointError:
        flaw = f"{metrics_csv.NAME} is missing or damaged"
    failed = ended.failed or flaw if ended else ""  # a run that has not ended goes on, and writes metrics.csv anew
    return Trial(trial.number, trial.values, scores, finished=bool(ended and not failed), failed=failed)


def _scores(run: Path, metric: Metric) -> tuple[float, ...]:
    """Return the metric of the network that was kept after each epoch.

    Raises:
        CheckpointError: metrics.csv is missing or damaged.
    """
    rows = metrics_csv.read(run)
    kept = (rows[best_row(rows[:epochs]) - 1][metric] for epochs in range(1, len(rows) + 1))
    return tuple(score for score in kept if score is not None)


def short(value: object) -> str:
    """Return a value as people read it, its numbers with few digits."""
    return f"{value:.4g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def ranked(trials: Sequence[Trial], search: Search) -> list[Trial]:
    """Return the trials with a score, the best first: those trained to their end, then those with most epochs."""
    sign = -1 if search.maximizes else 1
    known = [trial for trial in trials if trial.score is not None and not trial.failed]

    def place(trial: Trial) -> tuple[bool, int, float, int]:
        epochs = 0 if trial.finished else -trial.epochs
        return not trial.finished, epochs, sign * (trial.score or 0), trial.number

    return sorted(known, key=place)


def write(folder: Path, search: Search, trials: Sequence[Trial], fs: FileSystem = SYSTEM) -> None:
    """Write trials.csv: number, state, epochs, score, the keys of the space, and why a trial failed.

    Raises:
        OutputError: it can't be written; the old one stays.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["trial", "state", "epochs", search.metric, *search.space, "failed"])
    for trial in trials:
        values = [value if isinstance(value, str) else json.dumps(value) for value in trial.values.values()]
        score = "" if trial.score is None else f"{trial.score:.6g}"
        table.writerow([trial.number, trial.state(search.rungs), trial.epochs, score, *values, trial.failed])
    write_file(folder / NAME, text.getvalue().encode(), fs=fs)
