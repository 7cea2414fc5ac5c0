"""Steps of a session against those of PyTorch, an implementation that shares nothing with ours."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli import resources
from bpcli.core import parameters
from bpcli.core.optimizers import OPTIMIZERS
from bpcli.core.processes import ProcessGroup
from bpcli.core.threads import Group, ThreadGroup
from bpcli.data.datasets import Split, read_split
from bpcli.data.spec import MNIST
from bpcli.training import builders
from bpcli.training.trainer import Trainer
from tests.golden import cases
from tests.golden.cases import CASES, Case

GOLDEN = json.loads((Path(cases.__file__).parent / "torch.json").read_text())


@pytest.fixture(scope="module")
def images() -> Split:
    split = read_split(resources.mnist(), "train", 0)
    return Split(split.images[: cases.IMAGES], split.labels[: cases.IMAGES])


def config_of(case: Case) -> configuration.Config:
    tree = {
        "model": {
            "hidden": list(case.sizes[1:-1]),
            "activation": list(case.activations),
            "output": case.output,
            "dropout": case.dropout,
        },
        "loss": case.loss,
        "optimizer": {
            "kind": case.optimizer,
            "learning_rate": case.learning_rate,
            "momentum": case.momentum,
            "nesterov": case.nesterov,
            "weight_decay": case.weight_decay,
        },
        "schedule": {"kind": "steps", "milestones": list(case.milestones)},
        "train": {"epochs": cases.EPOCHS, "batch_size": cases.BATCH},
    }
    return configuration.from_tree(tree, "test")


def epoch_losses(trainer: Trainer, epoch: int, every: int = 3) -> Iterator[float]:
    """The mean loss of each step, reported after so many of them."""
    asked = count(1)
    for batches in trainer.run(epoch, cases.order(epoch), 0, lambda: next(asked) % every == 0):
        yield from (batch.loss / batch.images for batch in batches)


@pytest.mark.parametrize(
    "workers", [ThreadGroup(1), ThreadGroup(2), ProcessGroup(2)], ids=["alone", "threads", "processes"]
)
@pytest.mark.parametrize("name", CASES)
def test_a_hundred_steps_are_pytorchs(images: Split, name: str, workers: Group) -> None:
    case = CASES[name]
    vector = np.empty(parameters.count(case.sizes))
    layers = parameters.views(vector, case.sizes)
    for layer, (weight, bias) in zip(layers, cases.first_parameters(case), strict=True):
        layer.weight[:], layer.bias[:] = weight, bias
    model = models.build(config_of(case), MNIST, vector)
    names = OPTIMIZERS[model.config.optimizer.kind].state_names
    trainer = Trainer(model, tuple(np.zeros_like(vector) for _ in names), images, workers)
    losses = [loss for epoch in range(cases.EPOCHS) for loss in epoch_losses(trainer, epoch)]
    assert len(losses) == 100
    np.testing.assert_allclose(losses, GOLDEN[name]["losses"], rtol=1e-10)
    found = [cases.projections(array) for layer in layers for array in layer]
    np.testing.assert_allclose(found, GOLDEN[name]["projections"], rtol=1e-10)


@pytest.mark.parametrize("size", [2, 3])
def test_threads_and_processes_give_the_same_bytes(images: Split, size: int) -> None:
    """With distortions, dropout and two hidden layers, over a pause within the epoch."""
    settings = {"hidden": [20, 12], "dropout": 0.2, "rotation": 10, "elastic_alpha": 30, "batch_size": 25}
    config = configuration.changed(configuration.load(), settings, "test")
    found = []
    for workers in (ThreadGroup(size), ProcessGroup(size)):
        state = builders.first_state(config, MNIST)
        model = models.build(config, MNIST, state.parameters)
        trainer = Trainer(model, state.optimizer_state, images, workers)
        losses = [batch.loss for batches in trainer.run(0, cases.order(0), 3) for batch in batches]
        found.append((state.parameters.tobytes(), state.optimizer_state[0].tobytes(), losses))
    assert found[0] == found[1]
