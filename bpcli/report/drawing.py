"""The drawing page: one HTML file with the network inside, built from the files of `pages/draw`."""

import base64
import html
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from bpcli.core.types import Array
from bpcli.data.picture.digit import layout
from bpcli.data.spec import DataSpec
from bpcli.errors import OutputError
from bpcli.report.web import PAGES, digest
from bpcli.storage.checkpoint import Checkpoint

MAX_PARAMETERS = 4_000_000  # 11 MB of page
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
DIGITS = {"thing": "digit", "kind": "digit", "ink": "ink"}  # the page's words for a drawing, a class and ink
HALF = 0.5  # with a lower mean brightness, most images are light on dark, and people draw so too
PICTURES = {"thing": "picture", "kind": "class", "ink": "light"}


def drawing_page(loaded: Checkpoint, least: float) -> str:
    """Return the HTML page for a checkpoint's network; it recognises nothing if no score reaches `least`.

    Raises:
        OutputError: the network is too large for a page, or a weight for half precision.
    """
    return page_of(packed(loaded) | {"least": least}, _about(loaded))


def page_of(network: Mapping[str, Any], about: str) -> str:
    """Return the page for a `packed` network with its `least` score; `about` is a sentence or two about it."""
    folder = PAGES / "draw"
    style, code = (folder / "draw.css").read_text(encoding="utf-8"), f'"use strict";\n{script()}\nstart();\n'
    parts = _words(network) | {
        "about": html.escape(about),
        "style": style,
        "style_hash": digest(style),
        "script": code,
        "script_hash": digest(code),
        "network": json.dumps(network).replace("<", "\\u003c"),
    }
    return _filled((folder / "draw.html").read_text(encoding="utf-8"), parts)


def _words(network: Mapping[str, Any]) -> dict[str, str]:
    """Return the page's words; signs other than digits are drawn in ink as well."""
    words = DIGITS if network["numerals"] else PICTURES
    return words | ({"ink": DIGITS["ink"]} if network["digits"] else {})


def script() -> str:
    """Return the page's code, without the call that starts it."""
    return "\n".join((PAGES / "draw" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def packed(loaded: Checkpoint) -> dict[str, Any]:
    """Return the network for the page's JSON: weights in half precision, a row for each unit, biases in single.

    The spec of its images is included: side, class names, whether they show digits or other ink, its layout, and
    whether people draw light on dark.

    Raises:
        OutputError: the network is too large for a page, or a weight for half precision.
    """
    count = loaded.parameters.size
    if count > MAX_PARAMETERS:
        raise OutputError(f"the network has {count:,} parameters; a page takes at most {MAX_PARAMETERS:,} (11 MB)")
    model = loaded.model
    normalization = model.preprocessing.normalization
    return {
        **described(loaded.spec),
        "sizes": model.network.sizes,
        "activations": loaded.config.model.activations,
        "output": loaded.config.model.output,
        "scale": normalization.scale,
        "shift": normalization.shift,
        "deslant": model.preprocessing.deslant,
        "layers": [
            {"weights": _halves(layer.weight.T), "biases": _base64(layer.bias, "<f4")} for layer in model.layers
        ],
    }


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


def _about(loaded: Checkpoint) -> str:
    """Return a sentence or two about the network."""
    sizes = "-".join(map(str, loaded.model.network.sizes))
    accuracy, about = loaded.metrics.get("validation_accuracy"), loaded.spec
    things, which = ("digits", "one") if about.numerals else ("pictures", "class")
    origin = " on MNIST" if about.numerals and loaded.config.data.folder is None else ""
    right = f" It was right about {100 * accuracy:.2f} % of the {things} kept for validation." if accuracy else ""
    return f"A network of {sizes} units, trained{origin} with bpcli, says which {which} it is.{right}"


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """Return the template with each {{name}} replaced; the replacements are not searched again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found.group(1)], template)
