"""The table that `bpcli train --seeds` prints at its end: every run, their statistics, and the committee."""

from collections.abc import Mapping
from typing import Any

from bpcli.cli.output import percent
from bpcli.machine import quote

_WIDTH = 24  # of the first column; a seed has up to 19 digits


def table(result: Mapping[str, Any]) -> str:
    """Return the metrics as text for people."""
    return "\n".join(
        [
            f"{'':{_WIDTH}}  accuracy    errors of {result['n']:,} test images   95 % interval",
            *(_row(f"seed {each['seed']}", each) for each in result["members"]),
            "",
            _row("mean", result["mean"], 1),
            _row("standard deviation", result["sd"], 1),
            _row("fewest errors", {"errors": result["min"]["errors"], "accuracy": result["max"]["accuracy"]}),
            _row("most errors", {"errors": result["max"]["errors"], "accuracy": result["min"]["accuracy"]}),
            "",
            _row(f"committee of {len(result['members'])}", result["committee"]),
            "",
            f"the runs are in {result['run']}; see them with: bpcli report {quote(result['run'])}",
        ]
    )


def _row(title: str, metrics: Mapping[str, Any], digits: int = 0) -> str:
    if metrics["errors"] is None:
        return f"{title:{_WIDTH}}  {'–':>8}  {'–':>8}"
    row = f"{title:{_WIDTH}}  {percent(metrics['accuracy']):>8}  {metrics['errors']:8,.{digits}f}"
    return row + (_between(*metrics["accuracy_interval"]) if "accuracy_interval" in metrics else "")


def _between(low: float, high: float) -> str:
    """Return the interval of an accuracy, under its heading."""
    return f"{'':23}{100 * low:.2f} to {percent(high)}"
