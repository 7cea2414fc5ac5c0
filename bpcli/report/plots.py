"""Plots by matplotlib in the colours of the page's light theme: SVG for the page, PNG for files."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from math import isqrt
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from bpcli.core.types import Array
from bpcli.report.history import Run
from bpcli.report.predictions import confident_mistakes
from bpcli.report.sprites import diverging, palette
from bpcli.report.study import LayerStudy, Study
from bpcli.report.tables import SHOWN
from bpcli.report.units import Activity, Histogram
from bpcli.storage.files import write_file

# `PROPERTIES` maps each colour to the page's CSS custom property
INK, FAINT, PAPER = "#1d2330", "#c9ced8", "#fefefe"
SERIES = ("#1f66b0", "#c2570c", "#2b7d3f", "#8a3fa0", "#a8790a", "#0f7f86", "#b52b55", "#5b6472")
PROPERTIES = {INK: "--ink", FAINT: "--line", PAPER: "--page"} | {c: f"--series-{n}" for n, c in enumerate(SERIES)}
FIRST, SECOND, THIRD = SERIES[:3]

SIZE = (4.4, 2.7)  # inches of a plot; the page scales it, and a small plot has text that is legible on a phone
DOTS = 150  # per inch in PNG files
POINTS = 72  # per inch in SVG
MAX_NAME = 12  # characters of a class name
CELL = 0.25  # minimum inches of a cell of the confusion matrix

_STYLE: Any = {
    "axes.edgecolor": FAINT, "axes.facecolor": "none", "axes.grid": True, "axes.labelcolor": INK,
    "axes.spines.right": False, "axes.spines.top": False, "axes.axisbelow": True, "axes.titlesize": 9,
    "figure.facecolor": "none", "font.family": "sans-serif", "font.size": 9, "grid.color": FAINT, "grid.linewidth": 0.5,
    "legend.frameon": False, "lines.linewidth": 1.6, "svg.fonttype": "none", "svg.hashsalt": "bpcli",
    "text.color": INK, "xtick.color": INK, "ytick.color": INK, "savefig.facecolor": PAPER,
}  # fmt: skip

Painter = Callable[[Axes], object]


@contextmanager
def our_style() -> Iterator[None]:
    """Set the style of all plots, whatever a matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def figure(painters: Sequence[Painter], size: tuple[float, float] = SIZE) -> Figure:
    """Return a figure of plots one below the other, each of that size in inches."""
    whole = Figure((size[0], size[1] * len(painters)), layout="constrained")
    for axes, paint in zip(whole.subplots(len(painters), squeeze=False)[:, 0], painters, strict=True):
        paint(axes)
    return whole


def loss(axes: Axes, run: Run) -> None:
    """Plot training and validation loss by epoch."""
    _by_epoch(axes, run, "loss")
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=0)


def error(axes: Axes, run: Run) -> None:
    """Plot training and validation error rate by epoch on a logarithmic scale, with the kept epoch marked."""
    _by_epoch(axes, run, "error")
    axes.axvline(run.loaded.epoch, color=INK, linewidth=0.8, linestyle=":", label="kept")
    _error_scale(axes, [value for split in _LINES for value in series(run, f"{split}_error")])
    axes.legend()


def series(run: Run, name: str) -> list[float]:
    """Return a column of metrics.csv, or an error rate, 1 − accuracy; empty if the run had no such split."""
    split, _, kind = name.rpartition("_")
    return [1 - value for value in run.column(f"{split}_accuracy")] if kind == "error" else run.column(name)


def _error_scale(axes: Axes, rates: Sequence[float]) -> None:
    """Set a logarithmic scale from a round number to another; an error rate of 0 lies below it."""
    axes.set_ylabel("error rate")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:g} %"))
    if seen := [rate for rate in rates if rate > 0]:
        axes.set_yscale("log", nonpositive="clip")
        axes.yaxis.set_major_locator(FixedLocator(_ROUND))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:g} %"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(max(r for r in _ROUND if r <= min(seen)), min(r for r in _ROUND if r >= max(seen)))


_ROUND = [digit * 10.0**power for power in range(-7, 0) for digit in (1, 2, 5)] + [1.0]


def learning_rate(axes: Axes, run: Run) -> None:
    """Plot the learning rate of each epoch's last step."""
    axes.step(run.column("epoch"), run.column("learning_rate"), where="mid", color=THIRD, marker=_marker(run))
    axes.set_ylabel("learning rate")
    axes.set_ylim(bottom=0)
    _epochs(axes)


def _by_epoch(axes: Axes, run: Run, kind: str) -> None:
    for split, colour in (("train", FIRST), ("validation", SECOND)):
        if values := series(run, f"{split}_{kind}"):
            style: Any = {"color": colour, "linestyle": _LINES[split], "marker": _marker(run)}
            axes.plot(run.column("epoch"), values, label=_SPOKEN[split], **style)
    _epochs(axes)
    axes.legend()


_SPOKEN = {"train": "training", "validation": "validation"}


def _marker(run: Run) -> str:
    """Return a dot as marker if the epochs are few enough to tell dots apart, else none."""
    return "." if len(run.epochs) <= 60 else ""


def _epochs(axes: Axes) -> None:
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def compared(axes: Axes, runs: Sequence[Run], kind: str) -> None:
    """Plot the loss or error rate of several runs by epoch: a colour a run, a line style a split.

    If there are more runs than colours, those of one colour differ by their markers.
    """
    drawn = {split for number, run in enumerate(runs) for split in _curves(axes, run, kind, number)}
    for split in sorted(drawn, reverse=True):
        axes.plot([], color=INK, linestyle=_LINES[split], label=_SPOKEN[split])
    axes.set_ylabel(kind)
    if kind == "error":
        _error_scale(axes, [value for run in runs for split in _LINES for value in series(run, f"{split}_error")])
    _epochs(axes)
    axes.legend(fontsize=7)


_LINES = {"validation": "-", "train": (0, (3, 1.5))}  # drawn in this order
_MARKERS = (".", "x", "^", "s")
_MARKED = 20  # markers on a line, at most


def _curves(axes: Axes, run: Run, kind: str, number: int) -> list[str]:
    """Plot one run's curves, the first of them with its name in the legend; return their splits."""
    splits = [split for split in _LINES if series(run, f"{split}_{kind}")]
    style: dict[str, Any] = {
        "color": SERIES[number % len(SERIES)], "marker": _MARKERS[number // len(SERIES) % len(_MARKERS)],
        "markersize": 5, "markevery": -(-len(run.epochs) // _MARKED),
    }  # fmt: skip
    for split, label in zip(splits, (_plain(run.name), None), strict=False):
        axes.plot(run.column("epoch"), series(run, f"{split}_{kind}"), linestyle=_LINES[split], label=label, **style)
    return splits


def _plain(text: str) -> str:
    """Return a text escaped for a legend: matplotlib hides labels that begin with _ and reads $ as mathematics."""
    return f" {text}".replace("$", r"\$")


def places(whole: Figure, values: Sequence[float], across: Sequence[float]) -> list[tuple[float, float]]:
    """Return where the points of a curve lie in the SVG of a figure that has been drawn."""
    (axes,), (width, height) = whole.axes, whole.get_size_inches() * POINTS
    seen = axes.transData.transform(np.column_stack([across, values]))
    within = whole.transFigure.inverted().transform(seen)
    return [(float(x) * width, (1 - float(y)) * height) for x, y in within]


def reliability(axes: Axes, seen: Study) -> None:
    """Plot the share of right answers by score; scores that are probabilities lie on the diagonal."""
    filled = [each for each in seen.bins if each.accuracy is not None]
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":", label="as good as it claims")
    axes.plot(
        [b.score or 0 for b in filled], [b.accuracy or 0 for b in filled], color=FIRST, marker="o", label="answers"
    )
    axes.set(xlabel="score of the answer", ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.legend(loc="upper left")


def score_histogram(axes: Axes, seen: Study) -> None:
    """Plot histograms of the scores of right and wrong answers; logarithmic, because most are right."""
    middles = np.array([(each.low + each.high) / 2 for each in seen.bins])
    width = 0.4 / len(seen.bins)
    axes.bar(middles - width / 2, [each.right for each in seen.bins], width, color=FIRST, label="right")
    axes.bar(middles + width / 2, [each.wrong for each in seen.bins], width, color=SECOND, label="wrong")
    axes.set_yscale("symlog", linthresh=1)
    axes.set(xlabel="score of the answer", ylabel="answers")
    axes.legend(loc="upper left")


def weights(axes: Axes, layer: LayerStudy) -> None:
    """Plot the histogram of a layer's weights."""
    _bars(axes, layer.weights, FIRST)
    axes.set(title=layer.name, xlabel="weight", ylabel="weights")


def gradients(axes: Axes, layer: LayerStudy) -> None:
    """Plot the histogram of log₁₀|gradient| of a layer."""
    _bars(axes, layer.gradients, SECOND)
    axes.set(title=layer.name, xlabel="log₁₀ |gradient|", ylabel="weights")


def firing(axes: Axes, name: str, active: Activity) -> None:
    """Plot the histogram of a hidden layer's units by the share of test images on which they fire."""
    axes.stairs(*np.histogram(active.fired, 25, (0, 1)), color=THIRD, fill=True)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set(title=name, xlabel="test images on which a unit fires", ylabel="units", xlim=(0, 1))


def _bars(axes: Axes, histogram: Histogram, colour: str) -> None:
    axes.stairs(histogram.counts, histogram.edges, color=colour, fill=True)
    axes.set_yscale("symlog", linthresh=1)


def confusion_matrix(axes: Axes, confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    """Plot the confusion matrix, shaded by each label's share; `classes` are the names of its rows and columns."""
    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for label, row in enumerate(confusion):
        for digit, count in enumerate(row):
            colour = PAPER if shares[label, digit] > 0.3 else INK
            axes.text(digit, label, str(count or "·"), ha="center", va="center", color=colour, fontsize=7)
    axes.grid(False)
    names = [_shortened(name) for name in classes]
    axes.set(xlabel="answer", ylabel="label")
    axes.set_xticks(range(len(names)), names, rotation=0 if max(map(len, names)) < 3 else 90)
    axes.set_yticks(range(len(names)), names)


def _shortened(name: str) -> str:
    """Return as much of a class name as fits, with $ escaped: matplotlib reads it as mathematics."""
    return (name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…").replace("$", r"\$")


def gallery(pictures: Sequence[tuple[Array, str]], across: int = 8) -> Figure:
    """Return a figure of pictures (h, w) or (h, w, 3) with a line of text below each."""
    rows = max(-(-len(pictures) // across), 1)
    whole = Figure((across * 0.9, rows * 1.1), layout="constrained")
    places = whole.subplots(rows, across, squeeze=False).ravel()
    for axes in places:
        axes.set_axis_off()
    for axes, (picture, text) in zip(places, pictures, strict=False):
        axes.imshow(picture, cmap="gray")
        axes.set_title(text, fontsize=7, y=-0.28)
    return whole


def write_png(seen: Study, folder: Path) -> None:
    """Write curves.png, confusion_matrix.png, weights.png and errors.png; each says that bpcli wrote it."""
    with our_style():
        for name, whole in _png_figures(seen).items():
            content = BytesIO()
            whole.savefig(content, format="png", dpi=DOTS, metadata={"Software": SOFTWARE})
            write_file(folder / name, content.getvalue())


SOFTWARE = "bpcli report"
PLOT_MARK = rb"\x89PNG.*tEXtSoftware\0" + SOFTWARE.encode()  # matches the beginning of each of these files
PNG_FILES = ("curves.png", "confusion_matrix.png", "weights.png", "errors.png")


def _png_figures(seen: Study) -> dict[str, Figure]:
    run, confusion = seen.run, seen.splits["test"]["confusion"]
    classes = run.loaded.spec.classes
    size = max(5, CELL * len(classes))
    figures = (
        figure([lambda axes: loss(axes, run), lambda axes: error(axes, run), lambda axes: learning_rate(axes, run)]),
        figure([lambda axes: confusion_matrix(axes, confusion, classes)], (size, size)),
        gallery(
            [(_weight_picture(w), f"unit {n}") for w, n in zip(seen.weight_images[:64], seen.ranking, strict=False)]
        ),
        gallery(_mistakes(seen)),
    )
    return dict(zip(PNG_FILES, figures, strict=True))


def _weight_picture(values: Array) -> Any:
    side = isqrt(values.size)
    return palette()[diverging(values)].reshape(side, side, 3)


def _mistakes(seen: Study) -> list[tuple[Any, str]]:
    test, names = seen.test, [_shortened(name) for name in seen.run.loaded.spec.classes]
    side, given = isqrt(test.images.shape[1]), test.answers
    return [
        (test.images[i].reshape(side, side), f"{names[test.labels[i]]} → {names[given[i]]} ({test.winning[i]:.2f})")
        for i in confident_mistakes(test, SHOWN)
    ]
