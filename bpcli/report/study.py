"""The study of a run: all numbers that the report shows and the tables hold."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli import __version__
from bpcli import config as configuration
from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Array
from bpcli.data.datasets import Split, SplitName
from bpcli.inference.evaluation import HEADLINE, read_split_of
from bpcli.inference.gradient import gradient
from bpcli.report.history import Run
from bpcli.report.predictions import Bin, Predictions, calibration_error, predictions, reliability, summary
from bpcli.report.units import Activity, Histogram, Reals, activity, magnitudes, spread, use

SAMPLE = 1024  # training images whose gradient is shown

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
STEPS = ("data", "answers", "units and gradients")  # of a study


@dataclass(frozen=True, slots=True)
class LayerStudy:
    """The numbers of one layer.

    Attributes:
        name: such as "hidden layer 1".
        weights: the histogram of its weights.
        gradients: the histogram of log₁₀|∂C/∂w|.
        zero_gradients: how many ∂C/∂w are zero.
        active: the activity of its units on the test images; None for the output layer.
    """

    name: str
    weights: Histogram
    gradients: Histogram
    zero_gradients: int
    active: Activity | None


@dataclass(frozen=True, slots=True)
class Study:
    """The numbers of a run.

    Attributes:
        run: the run.
        test: its predictions for the test images.
        splits: the metrics of `bpcli evaluate` for each split that it has.
        bins: the reliability of its scores on the test images.
        layers: from the first hidden layer to the output layer.
        ranking: the units of the first layer, the most used first.
        use: the use of each of them, in that order.
    """

    run: Run
    test: Predictions
    splits: dict[SplitName, dict[str, Any]]
    bins: list[Bin]
    layers: list[LayerStudy]
    ranking: list[int]
    use: list[float]

    @property
    def weight_images(self) -> Array:
        """The weights (units, side²) of the units in the ranking."""
        weights: Array = self.run.model.layers[0].weight.T[self.ranking]
        return weights


def _ignore(step: str) -> None:
    """Default for `on_step`: do nothing."""


def study(run: Run, threads: ThreadGroup, on_step: Callable[[str], None] = _ignore) -> Study:
    """Return the study of a run.

    Args:
        run: the run.
        threads: the threads that share the work.
        on_step: called with the run's name and each of `STEPS`, before it begins.

    Raises:
        DataError: the data on which it was trained can't be read.
    """
    model, (read, answer, measure) = run.model, (f"{run.name}, {step}" for step in STEPS)
    on_step(read)
    data = {name: read_split_of(model, name) for name in SPLITS}
    on_step(answer)
    given = {name: predictions(model, split, threads) for name, split in data.items() if len(split)}
    on_step(measure)
    active = activity(model, data["test"].images)
    used = _first_layer_use(run, active)
    ranking = np.argsort(-used, kind="stable")
    return Study(
        run,
        given["test"],
        {name: summary(each) for name, each in given.items()},
        reliability(given["test"]),
        _layers(run, data["train"], active),
        ranking.tolist(),
        used[ranking].tolist(),
    )


def _first_layer_use(run: Run, active: list[Activity]) -> Reals:
    """Return the use of each unit of the first layer; 1 for all units if there is no hidden layer."""
    layers = run.model.layers
    return use(active[0], layers[1]) if active else np.ones(len(layers[0].bias))


def _layers(run: Run, training: Split, active: list[Activity]) -> list[LayerStudy]:
    names = [*(f"hidden layer {number}" for number in range(1, len(active) + 1)), "output layer"]
    whole = zip(names, run.model.layers, gradient(run.model, training.first(SAMPLE)), [*active, None], strict=True)
    return [LayerStudy(name, spread(w.weight), *magnitudes(g.weight), each) for name, w, g, each in whole]


def overview(seen: Study) -> dict[str, Any]:
    """Return the content of summary.json."""
    loaded = seen.run.loaded
    return {
        "run": seen.run.name,
        "epochs": len(seen.run.epochs),
        "best_epoch": loaded.epoch,
        "seconds": round(seen.run.seconds, 3),
        "classes": loaded.spec.classes,
        "parameters": int(loaded.parameters.size),
        "splits": {name: {key: each[key] for key in HEADLINE} for name, each in seen.splits.items()},
        "calibration_error": calibration_error(seen.bins),
        "dead_units": {each.name: int(each.active.dead.sum()) for each in seen.layers if each.active},
        "config": configuration.to_tree(loaded.config),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the software versions and the system that the report is made with."""
    return {
        "bpcli": __version__,
        "NumPy": np.__version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
