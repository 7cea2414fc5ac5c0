"""The page to draw on: one HTML file with the network inside, put together from the files of `pages/draw`."""

import base64
import html
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from bpcli.core.pixels import NORMALIZATIONS
from bpcli.core.types import Array
from bpcli.errors import OutputError
from bpcli.report.units import layers
from bpcli.report.web import PAGES, digest
from bpcli.training import problem
from bpcli.training.checkpoint import Checkpoint

MOST_PARAMETERS = 4_000_000  # 11 MB of page
SCRIPTS = (
    "scale",
    "background",
    "marks",
    "ink",
    "digit",
    "deslant",
    "network",
    "paper",
    "view",
    "main",
)  # in this order


def drawing_page(loaded: Checkpoint, least: float) -> str:
    """The page for a checkpoint's network, an HTML document; where no score reaches `least`, it sees no digit.

    Raises:
        OutputError: the network is too large for a page, or a weight for half precision.
    """
    folder = PAGES / "draw"
    style, code = (folder / "draw.css").read_text(), f'"use strict";\n{script()}\nstart();\n'
    parts = {
        "about": html.escape(_about(loaded)),
        "style": style,
        "style_hash": digest(style),
        "script": code,
        "script_hash": digest(code),
        "network": json.dumps(packed(loaded) | {"least": least}).replace("<", "\\u003c"),
    }
    return _filled((folder / "draw.html").read_text(), parts)


def script() -> str:
    """The page's code, without the call that starts it."""
    return "\n".join((PAGES / "draw" / f"{name}.js").read_text() for name in SCRIPTS)


def packed(loaded: Checkpoint) -> dict[str, Any]:
    """The network as the page's JSON has it: weights in half precision, a row for each unit, biases in single.

    Raises:
        OutputError: the network is too large for a page, or a weight for half precision.
    """
    count = loaded.parameters.size
    if count > MOST_PARAMETERS:
        raise OutputError(f"the network has {count:,} parameters; a page takes at most {MOST_PARAMETERS:,} (11 MB)")
    model, normalization = loaded.config.model, NORMALIZATIONS[loaded.config.data.normalize]
    return {
        "sizes": problem.network(loaded.config).sizes,
        "activations": model.activations,
        "output": model.output,
        "scale": normalization.scale,
        "shift": normalization.shift,
        "deslant": loaded.config.data.deslant,
        "layers": [
            {"weights": _halves(layer.weight.T), "biases": _base64(layer.bias, "<f4")} for layer in layers(loaded)
        ],
    }


def _halves(weights: Array) -> str:
    largest, most = float(abs(weights).max()), float(np.finfo(np.float16).max)
    if largest > most:
        raise OutputError(f"the network has a weight of {largest:g}; a page holds numbers up to {most:g}")
    return _base64(weights, "<f2")


def _base64(numbers: Array, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, dtype).tobytes()).decode()


def _about(loaded: Checkpoint) -> str:
    """The network in a sentence."""
    sizes = "-".join(map(str, problem.network(loaded.config).sizes))
    accuracy = loaded.figures.get("validation_accuracy")
    right = f" It was right about {100 * accuracy:.2f} % of the digits kept for validation." if accuracy else ""
    return f"A network of {sizes} units, trained on MNIST with bpcli, says which one it is.{right}"


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """The template with each {{name}} replaced; what is put in is not searched again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found.group(1)], template)
