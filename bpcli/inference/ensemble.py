"""Ensembles: several networks that answer as one, by a mean of their outputs. One network is an ensemble of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli import resources
from bpcli.core.losses import Output
from bpcli.core.threads import ThreadGroup, never_stop
from bpcli.core.types import Array
from bpcli.data.datasets import Split, SplitName
from bpcli.data.spec import DataSpec
from bpcli.errors import CheckpointError
from bpcli.inference import weights as weighting
from bpcli.inference.evaluation import mean_loss, metrics, one_hot, read_split_of, require_images
from bpcli.inference.statistics import Comparison, mcnemar
from bpcli.model import Model, Outputs

Rule = Literal["scores", "logits"]
Weighting = Literal["equal", "validation"]


class Combination(NamedTuple):
    """How the members of an ensemble answer together.

    Attributes:
        rule: what the mean is taken of: scores, or logits, whose mean the output function then makes scores of.
        weights: of the members, none negative, all together 1; None where all are equal.
    """

    rule: Rule = "scores"
    weights: tuple[float, ...] | None = None


MEAN = Combination()  # the mean of the scores


class Combined(NamedTuple):
    """The outputs of an ensemble for n images, (n, classes); a mean of scores has no logits."""

    logits: Array | None
    scores: Array


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Networks that answer as one; all of the same classes and side.

    Attributes:
        members: one or several.
        how: how they answer together; only networks of the same output function and loss can by their logits.
    """

    members: Sequence[Model]
    how: Combination = MEAN

    @property
    def spec(self) -> DataSpec:
        """The images that all members expect, and the names of their classes."""
        return self.members[0].spec

    def scores(self, images: NDArray[Any], threads: ThreadGroup | None = None) -> Array:
        """Return the scores (n, classes) of images, which are as in `Model.scores`."""
        return self.combined([member.outputs(images, threads) for member in self.members]).scores

    @np.errstate(over="ignore", invalid="ignore")
    def combined(self, outputs: Sequence[Outputs]) -> Combined:
        """Return the outputs of all members as one."""
        if len(outputs) == 1:
            return Combined(*outputs[0])
        if self.how.rule == "scores":
            return Combined(None, self._mean([each.scores for each in outputs]))
        logits = self._mean([each.logits for each in outputs])
        return Combined(logits, self.members[0].network.output.value(logits))

    def _mean(self, arrays: Sequence[Array]) -> Array:
        weights = self.how.weights
        mean: Array = np.mean(arrays, axis=0) if weights is None else np.average(arrays, axis=0, weights=weights)
        return mean.astype(arrays[0].dtype, copy=False)


class EnsembleMetrics(NamedTuple):
    """The metrics of an ensemble.

    Attributes:
        members: the metrics of each member, as `evaluation.metrics` gives them.
        together: the metrics of all as one. The loss is None for a mean of scores: a loss is computed from logits.
        scores: of all as one, (n, classes).
        wrong: whether each member got each image wrong, (members, n).
    """

    members: list[dict[str, Any]]
    together: dict[str, Any]
    scores: Array
    wrong: NDArray[np.bool_]


def require_same_task(named: Sequence[tuple[str, Model]]) -> None:
    """Check that networks can form an ensemble.

    Args:
        named: the name and the model of each network.

    Raises:
        CheckpointError: their classes or their images differ.
    """
    (first, model), *others = named
    for name, other in others:
        if other.spec.classes != model.spec.classes:
            raise CheckpointError(f"{name}: has other classes than {first}; a committee's members have the same")
        if (other.spec.side, other.spec.digits) != (model.spec.side, model.spec.digits):
            raise CheckpointError(f"{name}: takes other pictures than {first}; a committee's members take the same")


def common_data(named: Sequence[tuple[str, Model]], split: SplitName) -> Split:
    """Return the split that all members share.

    Args:
        named: the name and the model of each member.
        split: the name of the split.

    Raises:
        CheckpointError: their splits differ.
        DataError: a file is missing or malformed.
    """
    require_same_task(named)
    (first, model), *others = named
    data = model.config.data
    for name, other in others:
        theirs = other.config.data
        if not _same_folder(theirs.place, data.place):
            raise CheckpointError(
                f"{name}: data.folder = {_shown(theirs.place)}, but {_shown(data.place)} in {first}; a "
                "committee is evaluated on images that its members have in common"
            )
        if theirs.test != data.test or (split != "test" and theirs.validation != data.validation):
            _require_same(first, model, name, other, split)
    return read_split_of(model, split)


def _require_same(first: str, model: Model, name: str, other: Model, split: SplitName) -> None:
    """Refuse two networks that were trained on other splits of the same data."""
    if not np.array_equal(read_split_of(model, split).images, read_split_of(other, split).images):
        one, two = model.config.data, other.config.data
        key = "test" if split == "test" or one.validation == two.validation else "validation"
        better = " (their test splits are)" if key == "validation" and one.test == two.test else ""
        raise CheckpointError(
            f"{name}: data.{key} = {getattr(two, key)}, but {getattr(one, key)} in {first}; their {split} splits are "
            f"not the same images{better}"
        )


def _shown(folder: str | None) -> str:
    return str(folder or resources.mnist())


def _same_folder(one: str | None, other: str | None) -> bool:
    first, second = (Path(folder or resources.mnist()) for folder in (one, other))
    try:
        return first == second or first.samefile(second)
    except (OSError, ValueError):  # one of them is missing or not a valid path
        return False


def combination(
    named: Sequence[tuple[str, Model]], rule: Rule, weights: Weighting, threads: ThreadGroup
) -> Combination:
    """Return how networks answer together, with weights that are chosen on their validation images.

    Args:
        named: the name and the model of each network.
        rule: what the mean is taken of.
        weights: `equal`, or `validation` for those with the least loss on the validation split.
        threads: the threads that share the work.

    Raises:
        CheckpointError: their output functions or losses differ; or weights are asked for, and a network was trained on
            all images, or their validation splits differ.
        DataError: the validation images can't be read.
    """
    if len(named) == 1 or (rule, weights) == ("scores", "equal"):
        return Combination(rule)
    _require_same_output(named, "a mean of logits" if rule == "logits" else "weights")
    if weights == "equal":
        return Combination(rule)
    split = _validation_of(named)
    outputs = [model.outputs(split.images, threads) for _, model in named]
    return Combination(rule, best_weights(rule, named[0][1].network.output, outputs, split))


def _require_same_output(named: Sequence[tuple[str, Model]], what: str) -> None:
    """Refuse networks without a common loss."""
    (first, model), *others = named
    for name, other in others:
        if other.network.output is not model.network.output:
            one, two = (f"{each.config.model.output} and {each.config.loss}" for each in (model, other))
            raise CheckpointError(
                f"{name}: has {two} as output and loss, but {first} {one}; {what} need members with the same"
            )


def _validation_of(named: Sequence[tuple[str, Model]]) -> Split:
    """Return the validation split of all networks, which none was trained on."""
    for name, model in named:
        if not model.config.data.validation:
            raise CheckpointError(
                f"{name}: was trained on all images (data.validation = 0); weights are chosen on images that no member "
                "was trained on"
            )
    split = common_data(named, "validation")
    require_images(split)
    return split


def best_weights(rule: Rule, output: Output, outputs: Sequence[Outputs], split: Split) -> tuple[float, ...]:
    """Return the weights with which networks together have the least loss on a split.

    Args:
        rule: what the mean is taken of.
        output: the output function and loss of all.
        outputs: of each for the images of the split.
        split: the images with their labels.
    """
    logits: NDArray[np.float64] = np.array([each.logits for each in outputs], np.float64)
    targets = one_hot(split.labels, logits.shape[2], logits.dtype).astype(np.float64, copy=False)
    objective = {"scores": weighting.of_scores, "logits": weighting.of_logits}[rule](output, logits, targets)
    return tuple(weighting.minimize(objective, len(logits)).tolist())


def evaluate_ensemble(
    ensemble: Ensemble, split: Split, threads: ThreadGroup, should_stop: Callable[[], bool] = never_stop
) -> EnsembleMetrics:
    """Return the metrics of each member on a split, and of all of them together.

    Raises:
        CheckpointError: the split is empty.
        Interrupted: `should_stop` returned True before all was done.
    """
    require_images(split)
    members, labels = ensemble.members, split.labels
    outputs = [member.outputs(split.images, threads, should_stop) for member in members]
    functions = [member.network.output for member in members]
    each = [
        metrics(mean_loss(f, *found, labels), found.scores, labels) for f, found in zip(functions, outputs, strict=True)
    ]
    logits, scores = ensemble.combined(outputs)
    wrong = np.array([found.scores.argmax(axis=1) != labels for found in outputs])
    if len(members) == 1:
        return EnsembleMetrics(each, each[0], scores, wrong)
    loss = None if logits is None else mean_loss(functions[0], logits, scores, labels)
    return EnsembleMetrics(each, metrics(loss, scores, labels), scores, wrong)


def compare_members(found: EnsembleMetrics) -> list[tuple[int, int, Comparison]]:
    """Return McNemar's test of each pair of members, with their numbers from 0."""
    pairs = combinations(range(len(found.wrong)), 2)
    return [(one, two, mcnemar(found.wrong[one], found.wrong[two])) for one, two in pairs]
