"""Training without dead units, against training with them, and units that only seem dead."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli.config import Config
from bpcli.core import seeds
from bpcli.core.parameters import views
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import DataSet, Split
from bpcli.data.spec import MNIST
from bpcli.storage import checkpoint
from bpcli.storage.state import State
from bpcli.training import builders
from bpcli.training.builders import first_state
from bpcli.training.events import Step
from bpcli.training.live import LiveTrainer
from bpcli.training.loop import train
from bpcli.training.resuming import trust_no_stillness
from bpcli.training.trainer import Trainer

EPOCHS = 6
# half a velocity a step is gone after some thirty steps, of which an epoch has 32
SMALL = ["train.batch_size=16", "optimizer.learning_rate=0.15", "optimizer.momentum=0.5", f"train.epochs={EPOCHS}"]


def configured(*settings: str) -> Config:
    return configuration.load("default", ["model.hidden=[48]", *SMALL, *settings])


def doubled(state: State) -> State:
    double = tuple(vector.astype(np.float64) for vector in state.optimizer_state)
    return replace(state, parameters=state.parameters.astype(np.float64), optimizer_state=double)


def trained(config: Config, state: State, split: Split, *, skipping: bool, workers: int = 1) -> Iterator[int]:
    """Trains the epochs one by one; yields how many units the next one leaves out."""
    model, group = models.build(config, MNIST, state.parameters), builders.workers(ThreadGroup(workers))
    plain = Trainer(model, state.optimizer_state, split, group)
    trainer = LiveTrainer(model, state, split, group) if skipping else plain
    for epoch in range(config.train.epochs):
        for _ in trainer.run(epoch, seeds.order(0, epoch, len(split)), 0):
            pass
        yield int(np.count_nonzero(np.maximum(state.silent_since, state.still_since) <= epoch))


@pytest.mark.parametrize(("hidden", "workers"), [("[48]", 1), ("[48]", 2), ("[48, 12]", 2)])
def test_each_unit_comes_out_as_if_none_had_been_left_out(small_split: Split, hidden: str, workers: int) -> None:
    """In double precision, since so high a rate makes much of what is rounded."""
    config = configured(f"model.hidden={hidden}")
    skipping, whole = (doubled(first_state(config, MNIST)) for _ in range(2))
    left_out = [*trained(config, skipping, small_split, skipping=True, workers=workers)]
    assert 3 < left_out[3] <= left_out[-1] < 40
    [*trained(config, whole, small_split, skipping=False)]
    np.testing.assert_allclose(skipping.parameters, whole.parameters, atol=1e-10)


def test_a_unit_that_is_silent_for_an_epoch_but_moves_comes_back(small_split: Split) -> None:
    """Its bias rises from −3.5 by 0.475, 0.451 and so on: silent in the 8 steps of an epoch, it fires in the next."""
    config = configured("model.hidden=[4]", "train.batch_size=63", "train.epochs=3", "optimizer.momentum=0.95")
    states = [first_state(config, MNIST) for _ in range(2)]
    for state in states:
        (into, _), (speed, _) = (views(v, (784, 4, 10)) for v in (state.parameters, state.optimizer_state[0]))
        into.weight[:, 2], into.bias[2], speed.bias[2] = 0, -3.5, 0.5
    counts = [
        [*trained(config, state, small_split, skipping=skips)]
        for state, skips in zip(states, (True, False), strict=True)
    ]
    assert counts[0][0] == 0
    assert states[0].silent_since[2] == 3  # silent in the first epoch, it fired in the last
    np.testing.assert_allclose(states[0].parameters, states[1].parameters, atol=1e-5)
    assert views(states[0].parameters, (784, 4, 10))[0].bias[2] > 0


def test_a_unit_that_fires_for_one_image_alone_is_alive(small_split: Split) -> None:
    config = configured("model.hidden=[4]", "train.epochs=2", "optimizer.learning_rate=1e-25")
    state = first_state(config, MNIST)
    sums = models.build(config, MNIST, state.parameters).preprocessing.inputs(small_split.images)
    (into, _) = views(state.parameters, (784, 4, 10))
    z = np.sort(sums @ into.weight, axis=0)
    into.bias[:3] = -z[-2:, :3].mean(axis=0)
    into.bias[3] = -z[-1, 3] - 1
    views(state.optimizer_state[0], (784, 4, 10))[0].bias[0] = 1e-3  # one that moves at first
    assert [*trained(config, state, small_split, skipping=True)] == [1, 1]
    assert (state.silent_since == [2, 2, 2, 0]).all()


@pytest.mark.parametrize(
    "setting",
    [
        "augment.shift=1", "optimizer.weight_decay=1", "optimizer.kind=adam", "model.dropout=0.1", "train.freeze=1",
        "model.activation=tanh", "model.hidden=[]",
    ],
)  # fmt: skip
def test_where_no_unit_is_provably_dead_none_is_left_out(small_split: Split, setting: str) -> None:
    config = configured("train.epochs=2", "train.batch_size=250", setting)
    state = first_state(config, MNIST)
    if config.model.hidden:
        views(state.parameters, (784, 48, 10))[0].bias[7] = -1000
    assert [*trained(config, state, small_split, skipping=True)] == [0, 0]


@pytest.mark.parametrize(("closed_after", "workers"), [(113, 2), (180, 1)])
def test_a_run_goes_on_without_the_same_units(
    small_split: Split, tmp_path: Path, closed_after: int, workers: int
) -> None:
    """To the byte, from a file that holds every unit."""
    config, data = configured(), DataSet(MNIST, small_split, small_split.first(50), small_split.first(0))
    whole, state = first_state(config, MNIST), first_state(config, MNIST)
    for _ in train(config, whole, data, ThreadGroup(workers)):
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bpcli.training.loop.SHOWN", 0)
        events = train(config, state, data, ThreadGroup(workers))
        while not isinstance(step := next(events), Step) or step.epoch * step.steps + step.step < closed_after:
            pass
        events.close()
    assert state.step
    path = tmp_path / "last.npz"
    checkpoint.save(checkpoint.of_state(config, MNIST, state, {}), path)
    again = checkpoint.load(path).state()
    assert np.count_nonzero(np.maximum(again.silent_since, again.still_since) < again.epoch) > 3
    for _ in train(config, again, data, ThreadGroup(workers)):
        pass
    written = [checkpoint.to_bytes(checkpoint.of_state(config, MNIST, each, {})) for each in (whole, again)]
    assert written[0] == written[1]


def test_other_images_or_another_update_want_another_proof() -> None:
    before, state = configured(), first_state(configured(), MNIST)
    state.epoch = 3
    for setting in ("train.epochs=9", "train.threads=1", "schedule.kind=constant"):
        trust_no_stillness(state, before, configured(setting))
        assert not state.still_since.any()
    for setting in ("data.normalize=unit", "optimizer.weight_decay=1", "augment.shift=1", "seed=3"):
        state.still_since.fill(0)
        trust_no_stillness(state, before, configured(setting))
        assert (state.still_since == 4).all()
