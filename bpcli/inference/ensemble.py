"""Ensembles: several networks that answer as one, by the mean of their scores. One network is an ensemble of one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli import resources
from bpcli.core.threads import ThreadGroup, never_stop
from bpcli.core.types import Array
from bpcli.data.datasets import Split, SplitName
from bpcli.errors import CheckpointError
from bpcli.inference.evaluation import evaluate, metrics, read_split_of
from bpcli.model import Model


class EnsembleMetrics(NamedTuple):
    """The metrics of an ensemble.

    Attributes:
        members: the metrics of each member, as `evaluation.metrics` gives them.
        together: the metrics of the mean scores. The loss is that of a single member, and None for several: a loss is
            computed from logits, which mean scores don't have.
        scores: the mean scores, (n, classes).
    """

    members: list[dict[str, Any]]
    together: dict[str, Any]
    scores: Array


class Statistics(NamedTuple):
    """Statistics of some numbers; the standard deviation is that of a sample (n - 1), None for a single number."""

    mean: float
    sd: float | None
    min: float
    max: float


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
        key = "validation" if one.validation != two.validation else "test"
        better = ", --split test is" if split != "test" and key == "validation" else ""
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


def mean_scores(members: Sequence[Model], images: NDArray[Any], threads: ThreadGroup) -> Array:
    """Return the mean of the members' scores for images, (n, classes)."""
    return _mean([member.scores(images, threads) for member in members])


def evaluate_ensemble(
    members: Sequence[Model], split: Split, threads: ThreadGroup, should_stop: Callable[[], bool] = never_stop
) -> EnsembleMetrics:
    """Return the metrics of each member on a split, and of all of them together.

    Raises:
        CheckpointError: the split is empty.
        Interrupted: `should_stop` returned True before all was done.
    """
    each = [evaluate(member, split, threads, should_stop) for member in members]
    scores = _mean([evaluated.scores for evaluated in each])
    loss = each[0].loss if len(each) == 1 else None
    return EnsembleMetrics([metrics(*one) for one in each], metrics(loss, scores, split.labels), scores)


def _mean(scores: Sequence[Array]) -> Array:
    mean: Array = np.mean(scores, axis=0)
    return mean


def statistics_of(values: Sequence[float]) -> Statistics:
    """Return the statistics of one or more numbers."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Statistics(float(np.mean(values)), sd, min(values), max(values))
