"""Whether a network has learned anything: its metrics beside those of guessing."""

from collections.abc import Mapping

import numpy as np

from bpcli.config import Config
from bpcli.core.losses import OUTPUTS
from bpcli.core.types import Bytes
from bpcli.data.spec import DataSpec
from bpcli.storage.checkpoint import Checkpoint

LEAST = 0.05  # of the way from guessing to no mistake; a network that gets no farther has learned nothing
GROWN = 100.0  # times the loss of a network whose weights are all 0


def doubt(config: Config, spec: DataSpec, metrics: Mapping[str, float], guessed: float | None = None) -> str:
    """Return why a network should not be trusted, with the usual cause; "" if nothing speaks against it.

    Args:
        config: of its run.
        spec: of its data.
        metrics: its accuracies and losses by name, as in metrics.csv.
        guessed: the accuracy of the best guess, as `best_guess` gives it; by default that among equally many of each
            class.
    """
    split = "validation" if "validation_accuracy" in metrics else "training"
    name = {"validation": "validation", "training": "train"}[split]
    accuracy, loss = metrics.get(f"{name}_accuracy"), metrics.get(f"{name}_loss")
    guess = 1 / len(spec.classes) if guessed is None else guessed
    if split == "training" and config.data.outliers:
        accuracy = None  # it counts outliers as wrong, so it may be below guessing for a network that knows the digits
    if accuracy is not None and accuracy < guess + LEAST * (1 - guess):
        found = f"the {split} accuracy, {100 * accuracy:.2f} %, is no better than guessing"
    elif loss is not None and loss > GROWN * ignorant_loss(config, spec):
        found = f"the {split} loss, {loss:.3g}, is over a hundred times that of a network that knows nothing"
    else:
        return ""
    too_high = loss is not None and loss > 2 * ignorant_loss(config, spec)
    return f"{found}; the usual cause is {_cause(config, too_high)}"


def mistrust(loaded: Checkpoint) -> str:
    """Return that a network learned nothing, and why, as `doubt`; "" if nothing speaks against it."""
    found = doubt(loaded.config, loaded.spec, loaded.metrics)
    return f"learned nothing: {found}" if found else ""


def best_guess(labels: Bytes, classes: int) -> float:
    """Return the accuracy of whoever always answers the most frequent class; labels (n,) beyond `classes` have none."""
    counts = np.bincount(labels[labels < classes], minlength=classes)
    return float(counts.max() / max(counts.sum(), 1))


def ignorant_loss(config: Config, spec: DataSpec) -> float:
    """Return the loss of one image where all weights and biases are 0, such as 10·ln 2 for ten sigmoid outputs."""
    output, zeros = OUTPUTS[config.model.output, config.loss], np.zeros((1, len(spec.classes)))
    target = np.eye(1, len(spec.classes))
    return float(output.loss(zeros, output.value(zeros), target)[0])


def _cause(config: Config, too_high: bool) -> str:
    rate = f"optimizer.learning_rate = {config.optimizer.learning_rate:g}"
    return f"too high a rate, {rate}" if too_high else f"too few epochs, {config.train.epochs}, for {rate}"
