"""What a run's numbers say about it, in plain words: findings, each with cause and remedy, and each only if it is true.

The functions take plain numbers, so that each can be tried alone; `findings` gives them those of a study.
"""

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Any, NamedTuple

from bpcli.config import Config
from bpcli.inference.statistics import binomial_interval
from bpcli.report.study import Study
from bpcli.storage.metrics_csv import Row

SURE = 1.96  # standard deviations on either side that hold 95 % of a normal distribution
CLEAR = 3.0  # standard errors that a gap must have
WIDER = 1.5  # times the training error that the validation error must be for a gap
FEW_DEAD = 0.05  # share of a layer's units below which dead ones are no matter
RISE = 1.2  # times the least loss so far: less is chance
NOTABLE = 0.02  # part of the first loss: a smaller rise is no matter
FALL = 0.97  # of the validation loss before: a larger part is no progress
LATE = 5  # the last fifth of the epochs is late
BRISK = 0.2  # part of the highest rate below which a schedule has let the run come to rest
COARSE = 0.25  # part of the error rate that half its interval may be
ONE_SIDED = ("relu", "leaky_relu", "elu", "gelu")  # activations that are flat where z is negative; others on both sides


class Finding(NamedTuple):
    """A finding: a heading, what was seen, its cause, its remedy, and options of `bpcli train` that try it."""

    title: str
    what: str
    cause: str
    remedy: str
    options: tuple[str, ...] = ()


class Errors(NamedTuple):
    """The wrong answers to some images."""

    wrong: int
    images: int

    @property
    def rate(self) -> float:
        """The share of the images that was answered wrongly."""
        return self.wrong / self.images

    @property
    def variance(self) -> float:
        """The variance of the rate, by the binomial distribution."""
        return self.rate * (1 - self.rate) / self.images


def findings(seen: Study) -> list[Finding]:
    """Return what a study shows, the gravest first."""
    return [found for found in _candidates(seen) if found]


def _candidates(seen: Study) -> Iterator[Finding | None]:
    run, config = seen.run, seen.run.loaded.config
    rate = config.optimizer.learning_rate
    yield high_rate(run.epochs, rate, run.failed)
    yield unfinished(run.epochs)
    trained, validated = (_errors(seen.splits.get(name)) for name in ("train", "validation"))
    if trained and validated:
        yield gap(trained, validated, config)
    activations = config.model.activations
    for layer, activation in zip(seen.layers, activations, strict=False):
        if layer.active is not None:
            yield dead_units(layer.name, int(layer.active.dead.sum()), len(layer.active.dead), activation, rate)
    if validated:
        yield small_validation(validated)


def _errors(metrics: dict[str, Any] | None) -> Errors | None:
    return Errors(metrics["errors"], metrics["n"]) if metrics else None


def high_rate(rows: Sequence[Row], rate: float, failed: str = "") -> Finding | None:
    """Return that the learning rate was too high: training diverged, or its loss rose clearly in an epoch.

    Args:
        rows: of metrics.csv.
        rate: the configured one.
        failed: why the run could not go on, or "".
    """
    if failed:
        return _too_high(f"The run could not go on: {failed}.", rate)
    least = first = rows[0]
    for row in rows[1:]:
        before, now = least["train_loss"] or 0.0, row["train_loss"] or 0.0
        if now > RISE * before and now - before > NOTABLE * (first["train_loss"] or 0.0):
            return _too_high(
                f"The training loss rose from {before:.3g} in epoch {least['epoch']:.0f} to {now:.3g} in epoch "
                f"{row['epoch']:.0f}, at a learning rate of {row['learning_rate']:g}.",
                rate,
            )
        least = row if now < before else least
    return None


def _too_high(what: str, rate: float) -> Finding:
    return Finding(
        "The learning rate was too high",
        what,
        "A gradient describes the loss near the weights at which it was taken. A step that is too long ends where the "
        "loss is higher.",
        "Halve the rate, or let it grow from 0 in the first epoch.",
        (f"-s optimizer.learning_rate={rate / 2:.3g}", "-s schedule.warmup=1"),
    )


def unfinished(rows: Sequence[Row]) -> Finding | None:
    """Return that the run had not finished learning: late, and at a brisk rate, it was still getting better."""
    split = len(rows) - max(len(rows) // LATE, 1)
    losses, accuracies, rates = (
        _column(rows, name) for name in ("validation_loss", "validation_accuracy", "learning_rate")
    )
    if split < 1 or len(losses) < len(rows) or rates[-1] <= BRISK * max(rates):
        return None
    before, after = min(losses[:split]), min(losses[split:])
    if after > FALL * before or max(accuracies[split:]) <= max(accuracies[:split]):
        return None
    late = f"epoch {len(rows)}" if split == len(rows) - 1 else f"epochs {split + 1} to {len(rows)}"
    return Finding(
        "It had not finished learning",
        f"In {late} the validation loss still fell from {before:.3g} to {after:.3g}, and the accuracy rose from "
        f"{max(accuracies[:split]):.2%} to {max(accuracies[split:]):.2%}.",
        "The epochs ended before the loss had levelled out.",
        "Train for more epochs; with a patience the run ends by itself when nothing gets better.",
        (f"--epochs {2 * len(rows)}", f"-s train.patience={max(len(rows) // LATE, 3)}"),
    )


def _column(rows: Sequence[Row], name: str) -> list[float]:
    return [value for row in rows if (value := row[name]) is not None]


def gap(trained: Errors, validated: Errors, config: Config) -> Finding | None:
    """Return that the network knows its training images better than others: overfitting.

    Both are counted with the same network on images as they are, without distortions and dropout.
    """
    error = sqrt(trained.variance + validated.variance)
    if validated.rate - trained.rate <= CLEAR * error or validated.rate <= WIDER * trained.rate:
        return None
    return Finding(
        "It knows its training images better than new ones",
        f"The network that was kept is wrong on {trained.rate:.2%} of its {trained.images:,} training images, and on "
        f"{validated.rate:.2%} of {validated.images:,} for validation. Both are counted afterwards, on plain images.",
        "It has weights enough to remember single images by what says nothing about others (overfitting).",
        "Show each image a little otherwise each time, or hold the weights back.",
        tuple(_against_overfitting(config)),
    )


def _against_overfitting(config: Config) -> Iterator[str]:
    """Yield the options against overfitting that the run did not use."""
    if not config.augment.shift:
        yield "-s augment.shift=1"
    if not config.augment.rotation:
        yield "-s augment.rotation=10"
    if not config.model.dropout and config.model.hidden:
        yield "-s model.dropout=0.2"
    if not config.optimizer.weight_decay:
        yield "-s optimizer.weight_decay=1"


def dead_units(layer: str, dead: int, units: int, activation: str, rate: float) -> Finding | None:
    """Return that units of a hidden layer are dead: no test image brings them to a slope with which they learn."""
    if dead < FEW_DEAD * units or not dead:
        return None
    one_sided = activation in ONE_SIDED
    return Finding(
        f"{dead:,} of the {units:,} units of {layer} are dead",
        "No test image brings them to a slope of more than 0.01: they hardly learn any more.",
        f"Steps moved their weights so far that z is negative for every image. There {activation} is flat: no gradient "
        "moves them again."
        if one_sided
        else f"Their z is so far from 0 for every image that {activation} is flat there: hardly a gradient comes back.",
        "Let the rate grow from 0 in the first epoch, or lower it. The others do the work: fewer may do as well.",
        ("-s schedule.warmup=1", f"-s optimizer.learning_rate={rate / 2:.3g}"),
    )


def small_validation(validated: Errors) -> Finding | None:
    """Return that the validation split is too small to tell two runs apart."""
    if validated.wrong and SURE * sqrt(validated.variance) <= COARSE * validated.rate:
        return None
    low, high = binomial_interval(validated.wrong, validated.images)
    apart = sqrt(2) * (high - low) / 2
    return Finding(
        "The validation split is too small to tell two runs apart",
        f"{validated.wrong} of its {validated.images:,} images were wrong. That is what a network may leave whose true "
        f"error is anything from {low:.2%} to {high:.2%} (95 %).",
        f"So few errors are a matter of chance: runs that differ by less than {apart:.2%} here may be equally good.",
        "Keep more images for validation, or train several seeds and compare the means.",
        ("--seeds 0..4",),
    )


def dying(rows: Sequence[Row]) -> str:
    """Return how many hidden units were dead in the course of the training; "" if none was, or it is not known."""
    seen = [(int(row["epoch"] or 0), int(row["dead_units"])) for row in rows if row["dead_units"]]
    if not seen:
        return ""
    (early, some), (late, more) = seen[0], seen[-1]
    later = f", and {more:,} in epoch {late}" if late > early else ""
    return (
        f"{some:,} hidden units fired on no training image in epoch {early}{later}. Such a unit had died in an earlier "
        "epoch: z ≤ 0 for every image, so that no gradient moves its weights."
    )
