"""Distorted batches: the same for any number of workers, for a start in mid-epoch, and in the samples one looks at."""

from collections.abc import Iterator
from threading import current_thread, main_thread
from typing import Any

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli.config import Config
from bpcli.core import network, seeds
from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Array
from bpcli.data.datasets import Split
from bpcli.data.spec import MNIST
from bpcli.training import trainer
from bpcli.training.builders import first_state
from bpcli.training.samples import seen
from bpcli.training.trainer import Trainer

SETTINGS = [
    "seed=5", "model.hidden=[6]", "train.batch_size=70", "data.normalize=unit", "augment.rotation=15",
    "augment.scale=0.15", "augment.shear=0.15", "augment.shift=1", "augment.elastic_alpha=36", "augment.stroke=0.5",
]  # fmt: skip
EPOCH = 2


@pytest.fixture(scope="module")
def config() -> Config:
    return configuration.load("default", SETTINGS)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Array]]:
    """The batches that networks are shown."""
    batches: list[Array] = []
    forward = network.forward

    def noted(net: Any, layers: Any, x: Array, *others: Any) -> Array:
        if current_thread() is main_thread():  # which is thread 0
            batches.append(x.copy())
        return forward(net, layers, x, *others)

    monkeypatch.setattr(trainer, "forward", noted)
    yield batches
    assert batches


def run(config: Config, training: Split, workers: int, first: int = 0) -> None:
    state = first_state(config, MNIST)
    model = models.build(config, MNIST, state.parameters)
    steps = Trainer(model, state.optimizer_state, training, ThreadGroup(workers))
    for _ in steps.run(EPOCH, seeds.order(config.seed, EPOCH, len(training)), first):
        pass


@pytest.mark.parametrize("workers", [2, 3])
def test_batches_are_the_same_for_any_team_and_start(
    config: Config, small_split: Split, shown: list[Array], workers: int
) -> None:
    run(config, small_split, 1)
    assert [len(x) for x in shown] == [70] * 7 + [10]
    alone = [x.tobytes() for x in shown]
    shown.clear()
    run(config, small_split, workers)
    assert [x.tobytes() for x in shown] == alone
    shown.clear()
    run(config, small_split, workers, first=5)
    assert [x.tobytes() for x in shown] == alone[5:]


def test_more_workers_than_images(config: Config, small_split: Split, shown: list[Array]) -> None:
    few = Split(small_split.images[:72], small_split.labels[:72])
    run(config, few, 3)
    assert [len(x) for x in shown] == [70, 2]


def test_samples_are_what_the_network_is_shown(config: Config, small_split: Split, shown: list[Array]) -> None:
    run(config, small_split, 2)
    order = seeds.order(config.seed, EPOCH, len(small_split))
    originals = small_split.images[:90]
    expected = np.concatenate(shown)[np.argsort(order)[:90]]
    samples = seen(config, originals, len(small_split), range(EPOCH, EPOCH + 1))
    np.testing.assert_allclose(samples[:, 0], 255 * expected, atol=0.501)
    assert (samples[:, 0] != originals).any(axis=1).all()
