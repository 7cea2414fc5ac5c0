"""Distorted batches: the same for any number of workers, for a start in mid-epoch, and in the samples one looks at."""

from collections.abc import Iterator
from threading import current_thread, main_thread

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.core import seeds
from bpcli.core.network import Worker
from bpcli.core.types import Array
from bpcli.data.mnist import Split
from bpcli.training.loop import first_state
from bpcli.training.samples import seen
from bpcli.training.session import Session
from bpcli.training.team import Team

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
    forward = Worker.forward

    def noted(worker: Worker, x: Array, turn: int) -> None:
        if current_thread() is main_thread():  # which is worker 0
            batches.append(x.copy())
        forward(worker, x, turn)

    monkeypatch.setattr(Worker, "forward", noted)
    yield batches
    assert batches


def run(config: Config, training: Split, workers: int, first: int = 0) -> None:
    state = first_state(config)
    session = Session(config, state.parameters, state.velocity, training, Team(workers))
    for _ in session.run(EPOCH, seeds.order(config.seed, EPOCH, len(training)), first):
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
    images = range(3, 90)
    expected = np.concatenate(shown)[np.argsort(order)[images.start : images.stop]]
    samples = seen(config, small_split, images, range(EPOCH, EPOCH + 1))
    np.testing.assert_allclose(samples[:, 0], 255 * expected, atol=0.501)
    assert (samples[:, 0] != small_split.images[images.start : images.stop]).any(axis=1).all()
