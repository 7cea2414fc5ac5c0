"""What is exported: a trained network, or several that answer together."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from bpcli import __version__
from bpcli.core.types import Array
from bpcli.export.quantize import QuantizedNetwork
from bpcli.inference.ensemble import MEAN, Combination
from bpcli.model import Model
from bpcli.storage import checkpoint as checkpoints
from bpcli.storage.checkpoint import Checkpoint


class Member(NamedTuple):
    """A network that is exported, alone or as one of a committee.

    Attributes:
        checkpoint: the network and its origin.
        sha256: of the checkpoint's file, in hexadecimal digits.
        quantized: the network quantized to int8, if it is exported so.
    """

    checkpoint: Checkpoint
    sha256: str
    quantized: QuantizedNetwork | None = None

    @property
    def model(self) -> Model:
        """The network, ready to use."""
        return self.checkpoint.model


def prefixes(members: Sequence[Member]) -> list[str]:
    """Return what the names of each member begin with: nothing for a single network, else member1., member2., ..."""
    return [""] if len(members) == 1 else [f"member{number}." for number in range(1, len(members) + 1)]


def tensors(members: Sequence[Member]) -> dict[str, Array]:
    """Return the weights and biases by name, such as layer1.weight, or member2.layer1.weight in a committee."""
    return {
        f"{prefix}{name}": array
        for prefix, member in zip(prefixes(members), members, strict=True)
        for name, array in checkpoints.tensors(member.checkpoint).items()
    }


def metadata(members: Sequence[Member], how: Combination = MEAN) -> dict[str, str]:
    """Return what a file says about its networks, as texts: what they take, what they answer, where they come from.

    Lists and objects are JSON. A key that concerns one member of a committee begins as the names of its tensors.
    """
    about: dict[str, Any] = {"bpcli": __version__, "classes": members[0].checkpoint.spec.classes}
    if len(members) > 1:
        about |= {"combine": how.rule, "weights": how.weights or [1 / len(members)] * len(members)}
    for prefix, member in zip(prefixes(members), members, strict=True):
        about |= {f"{prefix}{key}": value for key, value in _metadata(member).items()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in about.items()}


def _metadata(member: Member) -> dict[str, Any]:
    loaded, prepare = member.checkpoint, member.model.preprocessing
    measured = loaded.metrics if member.quantized is None else {}  # they are those of the float32 weights
    return {
        "sha256": member.sha256,
        "sizes": member.model.network.sizes,
        "activations": loaded.config.model.activations,
        "output": loaded.config.model.output,
        "preprocessing": {"deslant": prepare.deslant, "width": prepare.width, **prepare.normalization._asdict()},
        "weights": "float32" if member.quantized is None else "int8",
        **{name: value for name, value in measured.items() if name.endswith("_accuracy")},
    }
