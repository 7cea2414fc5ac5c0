"""What the report's slider moves: the places of the curves' points, and the snapshots of the epochs."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from bpcli.report import plots
from bpcli.report.history import Run
from bpcli.report.sprites import weights_sheet
from bpcli.report.study import Study
from bpcli.storage.snapshots import Snapshot

SHOWN = 24  # units whose weights are shown by epoch

CURVES = {
    "loss": ("train_loss", "validation_loss"),
    "error": ("train_error", "validation_error"),
    "rate": ("learning_rate",),
}
_SPOKEN = {"train": "training", "validation": "validation", "learning": "learning rate"}


def curve(whole: Figure, run: Run, name: str) -> dict[str, Any]:
    """Return the lines of one of the `CURVES` for the page: of each its name, places and texts by epoch.

    Args:
        whole: its figure, drawn.
        run: the run.
        name: of the curve.
    """
    epochs, lines = run.column("epoch"), []
    for column in CURVES[name]:
        if values := plots.series(run, column):
            points = plots.places(whole, values, epochs)
            lines.append(
                {
                    "name": _SPOKEN[column.partition("_")[0]],
                    "x": [round(x, 1) for x, _ in points],
                    "y": [round(y, 1) for _, y in points],
                    "text": [_text(name, value) for value in values],
                }
            )
    return {"lines": lines}


def _text(name: str, value: float) -> str:
    return f"{100 * value:.2f} %" if name == "error" else f"{value:.4g}"


def snapshots(seen: Study) -> dict[str, Any]:
    """Return the snapshots of a run for the page; without any, empty lists.

    The units are those of the snapshots' that the network which was kept uses most.
    """
    run = seen.run
    if not run.snapshots:
        return {"units": [], "epochs": []}
    rank = {unit: place for place, unit in enumerate(seen.ranking)}
    units = run.snapshots[-1].units.tolist()
    chosen = sorted(range(len(units)), key=lambda index: rank[units[index]])[:SHOWN]
    return {"units": [units[i] for i in chosen], "epochs": [_snapshot(each, chosen) for each in run.snapshots]}


def _snapshot(each: Snapshot, chosen: Sequence[int]) -> dict[str, Any]:
    confusion = None if each.confusion is None else each.confusion.tolist()
    return {"epoch": each.epoch, "confusion": confusion, "sheet": weights_sheet(each.weights[chosen])}
