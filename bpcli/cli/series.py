"""The table that a series prints at its end: every run, their statistics, and the committee."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bpcli.cli.output import percent
from bpcli.machine import quote
from bpcli.storage.members import title

_WIDTH = 24  # of the first column at least; a seed has up to 19 digits


def table(result: Mapping[str, Any]) -> str:
    """Return the metrics as text for people."""
    titles = [title(each["settings"]) for each in result["members"]]
    means = [f"mean of {title(each['settings'])}" for each in result["groups"]]
    width = max(_WIDTH, *map(len, (*titles, *means)))
    row = partial(_row, width)
    return "\n".join(
        [
            f"{'':{width}}  accuracy    errors of {result['n']:,} test images   95 % interval",
            *map(row, titles, result["members"]),
            "",
            *map(partial(_group, row), means, result["groups"]),
            *([""] if means else []),
            row("mean", result["mean"], 1),
            row("standard deviation", result["sd"], 1),
            row("fewest errors", {"errors": result["min"]["errors"], "accuracy": result["max"]["accuracy"]}),
            row("most errors", {"errors": result["max"]["errors"], "accuracy": result["min"]["accuracy"]}),
            "",
            row(f"committee of {len(result['members'])}", result["committee"]),
            "",
            f"the runs are in {result['run']}; see them with: bpcli report {quote(result['run'])}",
        ]
    )


def _group(row: Callable[..., str], heading: str, group: Mapping[str, Any]) -> str:
    """Return the row of settings that several seeds share: the means of their runs, ± the standard deviation."""
    return f"{row(heading, group['mean'], 1)} ± {group['sd']['errors']:,.1f}"


def _row(width: int, heading: str, metrics: Mapping[str, Any], digits: int = 0) -> str:
    if metrics["errors"] is None:
        return f"{heading:{width}}  {'–':>8}  {'–':>8}"
    text = f"{heading:{width}}  {percent(metrics['accuracy']):>8}  {metrics['errors']:8,.{digits}f}"
    return text + (_between(*metrics["accuracy_interval"]) if "accuracy_interval" in metrics else "")


def _between(low: float, high: float) -> str:
    """Return the interval of an accuracy, under its heading."""
    return f"{'':23}{100 * low:.2f} to {percent(high)}"
