"""A network as JSON for a page, where `pages/shared/packed.js` reads it."""

import base64
from typing import Any

import numpy as np

from bpcli.core.types import Array
from bpcli.data.picture.digit import layout
from bpcli.data.spec import DataSpec
from bpcli.errors import OutputError
from bpcli.storage.checkpoint import Checkpoint

MAX_PARAMETERS = 4_000_000  # in half precision, 11 MB of page; half as many in single precision
HALF = 0.5  # with a lower mean brightness, most images are light on dark, and people draw so too


def packed(loaded: Checkpoint, *, exact: bool = False) -> dict[str, Any]:
    """Return the network for the page's JSON: a row of weights for each unit in half precision, biases in single.

    With `exact` the weights are in single precision too, and weigh twice as much.

    The spec of its images is included: side, class names, whether they show digits or other ink, its layout, and
    whether people draw light on dark.

    Raises:
        OutputError: the network is too large for a page, or a weight for half precision.
    """
    count, most = loaded.parameters.size, MAX_PARAMETERS // (2 if exact else 1)
    if count > most:
        raise OutputError(f"the network has {count:,} parameters; a page takes at most {most:,} (11 MB)")
    model = loaded.model
    normalization = model.preprocessing.normalization
    return {
        **described(loaded.spec),
        "sizes": model.network.sizes,
        "activations": loaded.config.model.activations,
        "output": loaded.config.model.output,
        "loss": loaded.config.loss,
        "scale": normalization.scale,
        "shift": normalization.shift,
        "deslant": model.preprocessing.deslant,
        "width": model.preprocessing.width,
        "layers": [
            {
                "weights": _base64(layer.weight.T, "<f4") if exact else _halves(layer.weight.T),
                "biases": _base64(layer.bias, "<f4"),
            }
            for layer in model.layers
        ],
    }


@np.errstate(over="ignore")
def in_halves(loaded: Checkpoint) -> bool:
    """Return whether half precision holds every weight of a network exactly."""
    return all(np.array_equal(weight.astype(np.float16), weight) for weight, _ in loaded.model.layers)


def described(about: DataSpec) -> dict[str, Any]:
    """Return the spec of a network's images for the page's JSON."""
    own = layout(about.side)
    return {
        "side": about.side,
        "classes": about.classes,
        "digits": about.digits,
        "numerals": about.numerals,
        "light": not about.digits and about.mean < HALF,
        "box": own.box,
        "strokes": [own.thinnest, own.thickest],
    }


def _halves(weights: Array) -> str:
    largest, most = float(abs(weights).max()), float(np.finfo(np.float16).max)
    if largest > most:
        raise OutputError(f"the network has a weight of {largest:g}; a page holds numbers up to {most:g}")
    return _base64(weights, "<f2")


def _base64(numbers: Array, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, dtype).tobytes()).decode()
