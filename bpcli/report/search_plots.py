"""Plots of a search by matplotlib: its history, parallel coordinates, and each setting against the metric."""

from collections.abc import Callable, Sequence
from math import log
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from bpcli.report.plots import FAINT, FIRST, INK, MAX_NAME, SECOND
from bpcli.storage.search_file import Range, Search
from bpcli.storage.trials import Trial, short

_LINES = 100  # of parallel coordinates, the best ones: more hide each other
_BEST = 5  # of them in colour
_WIDE = 500  # the ratio of a range's ends from which only powers of ten have labels


def history(axes: Axes, search: Search, trials: Sequence[Trial]) -> None:
    """Plot the score of each trial, and the best score of a finished one so far."""
    _scatter(axes, search, trials, lambda trial: trial.number)
    best = max if search.maximizes else min
    finished = [trial for trial in trials if trial.finished and trial.score is not None]
    so_far = [best(trial.score or 0.0 for trial in finished[: n + 1]) for n in range(len(finished))]
    axes.step([t.number for t in finished], so_far, where="post", color=INK, linewidth=0.8, label="best so far")
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend(fontsize=7)


def against(axes: Axes, search: Search, trials: Sequence[Trial], key: str) -> None:
    """Plot the score of each trial against its value of a key."""
    setting = search.space[key]
    _scatter(axes, search, trials, lambda trial: _place(search, key, trial))
    axes.set_xlabel(key)
    if isinstance(setting, Range):
        _scale(axes, setting)
    else:
        axes.set_xticks(range(len(setting.values)), [_label(value) for value in setting.values])
        axes.set_xlim(-0.5, len(setting.values) - 0.5)


def _scale(axes: Axes, setting: Range) -> None:
    """Make the axis of a range logarithmic where the range is, with few and plain labels."""
    if setting.log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if setting.max < _WIDE * setting.min else (1,)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())


def parallel(axes: Axes, search: Search, ranked: Sequence[Trial]) -> None:
    """Plot each trial as a line through its values, from the least to the greatest of each key, and its score.

    Args:
        axes: to plot on.
        search: what was searched.
        ranked: the trials with a score, the best first.
    """
    shown = list(ranked[:_LINES])
    columns = [_unit([_place(search, key, trial) for trial in shown], search.space[key]) for key in search.space]
    columns.append(_unit([trial.score or 0.0 for trial in shown], None))
    for place in reversed(range(len(shown))):
        good = place < _BEST
        line = [column[place] for column in columns]
        axes.plot(line, color=FIRST if good else FAINT, linewidth=1.4 if good else 0.6, zorder=2 + good)
    names = [*(key.rpartition(".")[2] for key in search.space), search.metric.partition("_")[2]]
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_yticks([0, 1], ["least", "greatest"])
    axes.grid(axis="y")


def _scatter(axes: Axes, search: Search, trials: Sequence[Trial], x: Callable[[Trial], float]) -> None:
    """Plot the scores of finished and of paused trials."""
    for finished, colour, label in ((True, FIRST, "finished"), (False, SECOND, "paused")):
        chosen = [t for t in trials if t.score is not None and not t.failed and t.finished == finished]
        if chosen:
            face = colour if finished else "none"
            axes.scatter(
                [x(t) for t in chosen], [t.score or 0.0 for t in chosen], 14, face, edgecolors=colour, label=label
            )
    axes.set_ylabel(search.metric.replace("_", " "))
    if search.maximizes:
        axes.yaxis.set_major_formatter(PercentFormatter(1))


def _place(search: Search, key: str, trial: Trial) -> float:
    """Return where a trial's value stands on the axis of its key: a number itself, or the number of a choice."""
    setting, value = search.space[key], trial.values[key]
    if isinstance(setting, Range):
        return float(str(value))
    return float(next((n for n, each in enumerate(setting.values) if each == value), 0))


def _unit(values: Sequence[float], setting: Any) -> list[float]:
    """Return numbers scaled to 0 to 1, by their logarithms where the setting is logarithmic."""
    scaled = [log(value) for value in values] if isinstance(setting, Range) and setting.log else list(values)
    low, high = min(scaled), max(scaled)
    return [(value - low) / (high - low) if high > low else 0.5 for value in scaled]


def _label(value: object) -> str:
    text = short(value)
    return (text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 1]}…").replace("$", r"\$")
