"""What a search has found: as plain data, and as text for people."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bpcli.machine import quote
from bpcli.storage.run_folder import CONFIG
from bpcli.storage.search_file import Search
from bpcli.storage.trials import BEST_TRIAL, Trial, ranked, short, trial_folder

_SHOWN = 5  # of the best trials


def as_record(
    folder: Path, search: Search, trials: Sequence[Trial], importances: Mapping[str, float]
) -> dict[str, Any]:
    """Return a search as plain data: run, metric, epochs, trials, best, importances, next.

    Args:
        folder: of the search.
        search: what was searched.
        trials: all of them.
        importances: the share of each key in what matters.
    """
    best = ranked(trials, search)[:1]
    return {
        "run": folder,
        "metric": search.metric,
        "epochs": sum(trial.epochs for trial in trials),
        "trials": [_plain(folder, search, trial) for trial in trials],
        "best": _plain(folder, search, best[0]) if best else None,
        "importances": dict(importances),
        "next": following(folder, search) if best else None,
    }


def _plain(folder: Path, search: Search, trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "run": trial_folder(folder, trial.number),
        "state": trial.state(search.rungs),
        "epochs": trial.epochs,
        "score": trial.score,
        "values": dict(trial.values),
        "failed": trial.failed or None,
    }


def following(folder: Path, search: Search) -> str:
    """Return the command that trains the best setting on five seeds that the search has not seen."""
    config, used = quote(str(folder / BEST_TRIAL / CONFIG)), search.config.seed
    return f"bpcli train -c {config} --seeds {used + 1}..{used + 5} -o {quote(f'{folder}-best')}"


def text(folder: Path, search: Search, trials: Sequence[Trial], importances: Mapping[str, float]) -> str:
    """Return the best five, what mattered, and what to do next, as text for people."""
    return "\n".join(_lines(folder, search, trials, importances))


def _lines(folder: Path, search: Search, trials: Sequence[Trial], importances: Mapping[str, float]) -> Iterator[str]:
    yield f"{len(trials)} trials, {sum(trial.epochs for trial in trials)} epochs: {counted(trials, search)}"
    best = ranked(trials, search)[:_SHOWN]
    if not best:
        return
    yield ""
    yield from table(
        [["trial", search.metric.replace("_", " "), "epochs", *search.space], *(_row(search, each) for each in best)]
    )
    if importances:
        yield ""
        yield f"what mattered: {', '.join(f'{key} {round(100 * share)} %' for key, share in importances.items())}"
    yield ""
    yield f"the best of {len(trials)} noisy trials is flattered; its worth on fresh seeds: {following(folder, search)}"


def counted(trials: Sequence[Trial], search: Search) -> str:
    """Return how many trials are in each state, in words."""
    states = [trial.state(search.rungs) for trial in trials]
    return ", ".join(f"{n} {name}" for name in ("finished", "paused", "failed", "begun") if (n := states.count(name)))


def _row(search: Search, trial: Trial) -> list[str]:
    return [str(trial.number), score(search, trial.score or 0.0), str(trial.epochs), *map(short, trial.values.values())]


def score(search: Search, value: float) -> str:
    """Return the metric as people read it."""
    return f"{100 * value:.2f} %" if search.maximizes else f"{value:.4f}"


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose columns are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def preview(search: Search, samples: Sequence[Mapping[str, object]], likely: int) -> str:
    """Return the first configurations of a search and what it may cost, as text for people."""
    rows = [list(search.space), *([short(value) for value in values.values()] for values in samples)]
    most = search.trials * search.config.train.epochs
    cost = f"{search.trials} trials: about {likely:,} epochs" + (f", at most {most:,}" if most > likely else "")
    return "\n".join([*table(rows), "", cost])
