"""A network that learned nothing is told from one that did."""

from math import log

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.data.spec import MNIST
from bpcli.inference.doubts import best_guess, doubt, ignorant_loss


def of(accuracy: float, loss: float, *settings: str, guessed: float | None = None) -> str:
    config = configuration.load("default", settings)
    return doubt(config, MNIST, {"validation_accuracy": accuracy, "validation_loss": loss}, guessed)


def test_whoever_guesses_has_learned_nothing() -> None:
    text = of(0.113, 2.5e16, "optimizer.learning_rate=50")
    assert text == (
        "the validation accuracy, 11.30 %, is no better than guessing; the usual cause is too high a rate, "
        "optimizer.learning_rate = 50"
    )
    assert of(0.113, 3.25).endswith("the usual cause is too few epochs, 10, for optimizer.learning_rate = 0.1")
    assert of(0.2, 3.25) == ""
    assert of(0.9, 0.5) == ""


def test_the_best_guess_is_the_most_frequent_class() -> None:
    labels = np.array([0, 0, 0, 1, 2, 2, 2, 2], np.uint8)
    assert best_guess(labels, 3) == 0.5
    assert best_guess(labels, 2) == 0.75  # the label 2 is that of outliers
    assert of(0.85, 0.5, guessed=0.85).startswith("the validation accuracy, 85.00 %, is no better than guessing")


def test_a_loss_beyond_all_measure_is_one_too() -> None:
    assert of(0.9, 600.0) == ""
    assert of(0.9, 700.0).startswith("the validation loss, 700, is over a hundred times that of a network that knows")


def test_without_validation_the_training_counts() -> None:
    config = configuration.load()
    assert doubt(config, MNIST, {"train_accuracy": 0.1, "train_loss": 3.0}).startswith("the training accuracy, 10.00 %")
    assert doubt(config, MNIST, {}) == ""


@pytest.mark.parametrize(
    ("output", "loss", "expected"),
    [
        ("sigmoid", "binary_cross_entropy", 10 * log(2)),
        ("softmax", "cross_entropy", log(10)),
        ("sigmoid", "quadratic", 10 / 8),
        ("identity", "quadratic", 1 / 2),
    ],
)
def test_the_loss_of_a_network_that_knows_nothing(output: str, loss: str, expected: float) -> None:
    config = configuration.load("default", [f"model.output={output}", f"loss={loss}"])
    assert ignorant_loss(config, MNIST) == pytest.approx(expected)


def test_outliers_count_as_wrong_in_training_and_prove_nothing() -> None:
    config = configuration.load("default", ["data.validation=0", "data.outliers=600"])
    assert doubt(config, MNIST, {"train_accuracy": 0.06, "train_loss": 1.0}) == ""
    assert doubt(config, MNIST, {"validation_accuracy": 0.06, "validation_loss": 1.0}) != ""
