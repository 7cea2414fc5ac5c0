"""Metrics of a few answers, written down by hand."""

from dataclasses import replace

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core.threads import Interrupted
from bpcli.data.datasets import Split
from bpcli.data.spec import MNIST
from bpcli.errors import CheckpointError, DataError
from bpcli.inference.evaluation import Mistake, Score, evaluate, metrics, mistakes, one_hot, read_split_of, score
from bpcli.model import Model
from bpcli.training.builders import first_state


@pytest.fixture
def model() -> Model:
    config = configuration.load("default", ["model.hidden=[12]"])
    return models.build(config, MNIST, first_state(config, MNIST).parameters)


def test_the_metrics_of_a_few_answers() -> None:
    scores = np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0, 0, 1]])
    scores = np.hstack([scores, np.zeros((4, 7))])
    result = metrics(0.25, scores, np.array([0, 1, 1, 2], np.uint8))
    assert (result["n"], result["errors"], result["accuracy"], result["loss"]) == (4, 1, 0.75, 0.25)
    assert result["precision"][:4] == [0.5, 1, 1, 0]
    assert result["recall"][:4] == [1, 0.5, 1, 0]
    assert result["confusion"][1][:3] == [1, 1, 0]


def test_the_most_confident_mistakes_come_first() -> None:
    scores = np.zeros((4, 10))
    scores[range(4), [3, 5, 7, 9]] = 0.25, 0.75, 0.5, 1.0
    found = mistakes(scores, np.array([3, 1, 2, 9], np.uint8))
    assert found == [Mistake(1, 1, 5, 0.75), Mistake(2, 2, 7, 0.5)]


def test_one_hot() -> None:
    found = one_hot(np.array([2, 0, 3], np.uint8), 3, np.dtype(np.float32))
    assert found.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]


def test_a_networks_loss_is_the_formulas(model: Model, small_split: Split) -> None:
    loss, scores, labels = evaluate(model, small_split)
    p, y = scores.astype(float), np.eye(10)[labels]
    assert loss == pytest.approx(-(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1).mean(), rel=1e-5)
    assert score(model, small_split) == Score(loss or 0.0, float((p.argmax(axis=1) == labels).mean()))


def test_an_empty_split_is_refused(model: Model, small_split: Split) -> None:
    with pytest.raises(CheckpointError, match="this run kept no validation images"):
        evaluate(model, small_split.first(0))


def test_an_evaluation_can_be_broken_off(model: Model, small_split: Split) -> None:
    with pytest.raises(Interrupted):
        evaluate(model, small_split, should_stop=lambda: True)


def test_images_that_the_network_was_not_trained_for_are_refused(model: Model) -> None:
    smaller = replace(model, spec=replace(model.spec, side=20))
    with pytest.raises(DataError, match="its images are 28×28 pixels; the network expects 20×20"):
        read_split_of(smaller, "test")
    fewer = replace(model, spec=replace(model.spec, classes=("a", "b"), digits=False))
    with pytest.raises(DataError, match="has the label 9; the network knows 2 classes"):
        read_split_of(fewer, "test")
