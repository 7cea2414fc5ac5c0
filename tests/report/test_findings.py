"""Findings: each where it is true, and not where it isn't."""

from dataclasses import replace

import pytest

from bpcli import config as configuration
from bpcli.report import findings as found
from bpcli.report.findings import Errors, Finding
from bpcli.report.study import Study
from bpcli.storage.metrics_csv import Row


def rows(*losses: float, accuracies: tuple[float, ...] = (), rates: tuple[float, ...] = ()) -> tuple[Row, ...]:
    """Rows of metrics.csv whose training and validation losses are these."""
    return tuple(
        {
            "epoch": n + 1.0, "learning_rate": rates[n] if rates else 0.1, "train_loss": loss,
            "train_accuracy": 0.9, "validation_loss": loss if accuracies else None,
            "validation_accuracy": accuracies[n] if accuracies else None, "seconds": 1.0, "dead_units": None,
        }
        for n, loss in enumerate(losses)
    )  # fmt: skip


def said(finding: Finding | None) -> str:
    assert finding is not None
    assert finding.title
    assert finding.cause
    assert finding.remedy
    return f"{finding.title}. {finding.what}"


def test_a_rate_was_too_high_where_the_loss_rose() -> None:
    finding = found.high_rate(rows(0.6, 0.2, 0.5, rates=(0.8, 0.7, 0.6)), 0.8)
    assert said(finding) == (
        "The learning rate was too high. The training loss rose from 0.2 in epoch 2 to 0.5 in epoch 3, "
        "at a learning rate of 0.6."
    )
    assert finding is not None
    assert finding.options[0] == "-s optimizer.learning_rate=0.4"
    assert "The run could not go on: a parameter is" in said(found.high_rate(rows(0.6), 5.0, "a parameter is"))


@pytest.mark.parametrize("losses", [(0.6,), (0.6, 0.3, 0.2), (0.6, 0.3, 0.33), (0.6, 0.001, 0.002)])
def test_a_rate_was_not_too_high_where_the_loss_fell_or_hardly_rose(losses: tuple[float, ...]) -> None:
    assert found.high_rate(rows(*losses), 0.1) is None


FALLING, RISING = (0.5, 0.4, 0.3, 0.25, 0.2), (0.90, 0.91, 0.92, 0.93, 0.94)


def test_a_run_had_not_finished_where_it_still_got_better() -> None:
    finding = found.unfinished(rows(*FALLING, accuracies=RISING))
    told = said(finding)
    assert "In epoch 5 the validation loss still fell from 0.25 to 0.2" in told
    assert "the accuracy rose from 93.00% to 94.00%" in told
    assert finding is not None
    assert finding.options == ("--epochs 10", "-s train.patience=3")


@pytest.mark.parametrize(
    ("losses", "accuracies", "rates"),
    [
        (FALLING, (), ()),  # without validation nobody knows
        (FALLING, RISING, (0.1, 0.1, 0.1, 0.1, 0.01)),  # the schedule has brought it to rest
        ((0.5, 0.4, 0.3, 0.25, 0.245), RISING, ()),
        (FALLING, (0.9, 0.91, 0.95, 0.93, 0.94), ()),
        ((0.5,), (0.9,), ()),
    ],
)
def test_a_run_had_finished(losses: tuple[float, ...], accuracies: tuple[float, ...], rates: tuple[float, ...]) -> None:
    assert found.unfinished(rows(*losses, accuracies=accuracies, rates=rates)) is None


def test_a_gap_is_one_where_it_is_clear() -> None:
    plain = configuration.load("default")
    finding = found.gap(Errors(50, 50_000), Errors(173, 10_000), plain)
    assert "wrong on 0.10% of its 50,000 training images, and on 1.73% of 10,000 for validation" in said(finding)
    assert finding is not None
    assert "-s augment.shift=1" in finding.options
    distorted = configuration.override(plain, ["augment.shift=2", "augment.rotation=5"])
    other = found.gap(Errors(50, 50_000), Errors(173, 10_000), distorted)
    assert other is not None
    assert other.options == ("-s model.dropout=0.2", "-s optimizer.weight_decay=1")
    assert found.gap(Errors(5, 500), Errors(2, 100), plain) is None  # chance
    assert found.gap(Errors(5000, 50_000), Errors(1200, 10_000), plain) is None  # clear, but small
    assert found.gap(Errors(700, 50_000), Errors(100, 10_000), plain) is None


def test_dead_units_are_told_where_there_are_many() -> None:
    relu = found.dead_units("hidden layer 1", 412, 1024, "relu", 0.1)
    assert said(relu).startswith("412 of the 1,024 units of hidden layer 1 are dead. No test image")
    assert relu is not None
    assert "negative for every image" in relu.cause
    assert "-s schedule.warmup=1" in relu.options
    saturated = found.dead_units("hidden layer 2", 3, 30, "sigmoid", 0.1)
    assert saturated is not None
    assert "sigmoid is flat" in saturated.cause
    assert found.dead_units("hidden layer 1", 51, 1024, "relu", 0.1) is None
    assert found.dead_units("hidden layer 1", 0, 3, "relu", 0.1) is None


def test_a_small_validation_split_is_told_with_its_interval() -> None:
    told = said(found.small_validation(Errors(5, 100)))
    assert "5 of its 100 images" in told
    assert "from 1.64% to 11.28% (95 %)" in told  # as R's binom.test(5, 100) has it
    assert found.small_validation(Errors(0, 50)) is not None
    assert found.small_validation(Errors(173, 10_000)) is None


def test_a_study_is_searched_for_all_of_them(seen: Study) -> None:
    wild = replace(seen.run, failed="training has diverged")
    small = {**seen.splits, "validation": {"n": 100, "errors": 3}, "train": {"n": 5000, "errors": 2}}
    titles = [each.title for each in found.findings(replace(seen, run=wild, splits=small))]
    assert titles[0] == "The learning rate was too high"
    assert titles[-1] == "The validation split is too small to tell two runs apart"
    alone = replace(seen, splits={"test": seen.splits["test"]})
    assert not [each for each in found.findings(alone) if "validation" in each.title]


def test_the_number_of_dead_units_is_told_where_it_is_known() -> None:
    def counted(*dead: float | None) -> list[Row]:
        return [{**row, "dead_units": n} for row, n in zip(rows(*[0.5] * len(dead)), dead, strict=True)]

    assert found.dying(counted(None, None)) == found.dying(counted(0, 0)) == ""
    assert found.dying(counted(0, 4)).startswith("4 hidden units fired on no training image in epoch 2. ")
    assert "1,295 hidden units fired on no training image in epoch 2, and 1,298 in epoch 4." in found.dying(
        counted(0, 1295, 1296, 1298)
    )
