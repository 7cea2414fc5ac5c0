"""When the units of the default network die, by the steps of its first epoch: docs/dead-units.md has the figures.

    python benchmarks/dead_units.py [KEY=VALUE ...]

It trains one epoch from three starts. For some of the steps it prints the loss of their batch, how many hidden units
fire on no training image afterwards, the mean over the units of z for the mean image, and of how far their weights have
moved: altogether, and along the mean image.
"""

import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core import seeds
from bpcli.core.parameters import Layer
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import Split
from bpcli.model import CHUNK, Model
from bpcli.training import builders
from bpcli.training import data as run_data
from bpcli.training.trainer import Trainer

STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 100)


def as_drawn(layers: Sequence[Layer]) -> None:
    """Leave the weights as they were drawn."""


def lowered(layers: Sequence[Layer]) -> None:
    """Let each output begin at 0.1, as often as its class comes, by a bias of ln(0.1/0.9)."""
    layers[-1].bias[:] = np.log(0.1 / 0.9)


def balanced(layers: Sequence[Layer]) -> None:
    """Let the weights of each hidden unit have the mean 0: the background, the same everywhere, then adds nothing."""
    layers[0].weight[:] -= layers[0].weight.mean(axis=0)


STARTS: dict[str, Callable[[Sequence[Layer]], None]] = {
    "as drawn": as_drawn, "output biases −2.2": lowered, "weights of mean 0": balanced,
}  # fmt: skip


def silent(model: Model, training: Split) -> int:
    """Return how many units of the first layer fire on none of the images."""
    weight, bias = model.layers[0]
    fires = np.zeros(len(bias), np.bool_)
    for start in range(0, len(training), CHUNK):
        z = model.preprocessing.inputs(training.images[start : start + CHUNK]) @ weight + bias
        fires |= (z > 0).any(axis=0)
    return int(np.count_nonzero(~fires))


def epoch(begin: Callable[[Sequence[Layer]], None], settings: Sequence[str]) -> Iterator[str]:
    """Train an epoch from a start; yield a line for some of its steps."""
    config = configuration.load("default", settings)
    data = run_data.read(config)
    state = builders.first_state(config, data.spec)
    model = models.build(config, data.spec, state.parameters)
    begin(model.layers)
    (weight, bias), first = model.layers[0], model.layers[0].weight.copy()
    mean = model.preprocessing.inputs(data.training.images).mean(axis=0)
    trainer = Trainer(model, state.optimizer_state, data.training, ThreadGroup(1))
    order = seeds.order(config.seed, 0, len(data.training))
    for step, ((batch,),) in enumerate(zip(trainer.run(0, order, 0), strict=True), 1):
        if step in STEPS or step == trainer.steps:
            moved = weight - first
            along = abs(mean @ moved).mean() / np.linalg.norm(mean)
            yield (
                f"{step:5}{batch.loss / batch.images:8.2f}{silent(model, data.training):8}"
                f"{(mean @ weight + bias).mean():8.2f}{np.linalg.norm(moved, axis=0).mean():8.2f}{along:8.2f}"
            )


if __name__ == "__main__":
    for name, begin in STARTS.items():
        print(f"{name}\n{'step':>5}{'loss':>8}{'silent':>8}{'z':>8}{'moved':>8}{'along':>8}")
        for line in epoch(begin, sys.argv[1:]):
            print(line, flush=True)
