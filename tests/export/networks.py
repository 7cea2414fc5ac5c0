"""Networks to export: random weights and biases, no training."""

import numpy as np

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core import parameters
from bpcli.data.spec import DIGITS, MNIST, DataSpec
from bpcli.export.member import Member
from bpcli.storage.checkpoint import Checkpoint

LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy", "identity": "quadratic"}
CHANGES = [  # settings that change pixels, and the name of the changed ones in the graph
    (["data.deslant=true"], "upright"), (["data.width=7"], "width7"),
    (["data.width=6", "data.deslant=true"], "upright.width6"),
]  # fmt: skip
METRICS = {"validation_loss": 0.07, "validation_accuracy": 0.9832}


def member(*settings: str, spec: DataSpec = MNIST, output: str = "softmax", seed: int = 0, sha256: str = "") -> Member:
    """A network of a configuration; its weights make scores differ."""
    outputs = [f"model.output={output}", f"loss={LOSSES[output]}"]
    config = configuration.load("default", ["model.hidden=[12]", *outputs, *settings])
    count = parameters.count(models.network(config, spec).sizes)
    vector = np.random.default_rng(seed).normal(0, 0.1, count).astype(np.float32)
    return Member(Checkpoint(config, spec, 3, METRICS, vector), sha256)


def spec_of(side: int, classes: tuple[str, ...] = DIGITS) -> DataSpec:
    return DataSpec(side, classes, 0.2, 0.3, digits=False)
