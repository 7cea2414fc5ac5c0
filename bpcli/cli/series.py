"""What `bpcli train --seeds` shows at its end: every run, what they have in common, and the committee."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from bpcli.cli.options import percent, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpcli.training.events import SeriesEnded

_QUANTITIES = ("errors", "accuracy")
_STATISTICS = ("mean", "sd", "min", "max")
_WIDTH = 24  # of the first column; a seed has up to 19 digits


def record(event: SeriesEnded) -> dict[str, Any]:
    """The figures as plain data: run, n, members, mean, sd, min, max, committee.

    A statistic has the errors and the accuracy, each taken by itself: the least accuracy is that of the most errors.
    """
    from bpcli.training.committee import statistics_of
    from bpcli.training.series_file import member_folder

    found = {
        quantity: statistics_of([figures[quantity] for figures in event.members.values()])._asdict()
        for quantity in _QUANTITIES
    }
    return {
        "run": shown(event.folder),
        "n": event.committee["n"],
        "members": [
            {"seed": seed, "run": shown(member_folder(event.folder, seed))} | _both(figures) | {"loss": figures["loss"]}
            for seed, figures in event.members.items()
        ],
        **{name: {quantity: found[quantity][name] for quantity in _QUANTITIES} for name in _STATISTICS},
        "committee": _both(event.committee),
    }


def _both(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {quantity: figures[quantity] for quantity in _QUANTITIES}


def table(result: Mapping[str, Any]) -> str:
    """The figures as people read them."""
    return "\n".join(
        [
            f"{'':{_WIDTH}}  accuracy    errors of {result['n']:,} test images",
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


def _row(title: str, figures: Mapping[str, Any], digits: int = 0) -> str:
    if figures["errors"] is None:
        return f"{title:{_WIDTH}}  {'–':>8}  {'–':>8}"
    return f"{title:{_WIDTH}}  {percent(figures['accuracy']):>8}  {figures['errors']:8,.{digits}f}"
