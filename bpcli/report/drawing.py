"""The drawing page: one HTML file with the network inside, built from `pages/draw` and what it shares with others."""

import html
from collections.abc import Mapping
from typing import Any

from bpcli.report.packing import packed
from bpcli.report.samples import Samples, as_json
from bpcli.report.web import PAGES, assembled, inline_json, scripts, styles
from bpcli.storage.checkpoint import Checkpoint

SHARED = ("network", "packed", "pictures", "show")
PREPARATION = ("scale", "background", "marks", "ink", "digit", "deslant", "width")
INSIGHT = ("reasons", "paths", "opened", "mind", "teach")
SURFACE = ("paper", "view", "zip", "collection", "samples", "guest", "main")
DIGITS = {"thing": "digit", "kind": "digit", "ink": "ink"}  # the page's words for a drawing, a class and ink
PICTURES = {"thing": "picture", "kind": "class", "ink": "light"}


def drawing_page(loaded: Checkpoint, least: float, samples: Samples | None = None) -> str:
    """Return the HTML page for a checkpoint's network; it recognises nothing if no score reaches `least`.

    With samples, the page offers them, and shows what teaching costs on them.

    Raises:
        OutputError: the network is too large for a page, or a weight for half precision.
    """
    return page_of(packed(loaded) | {"least": least, "samples": as_json(samples)}, _about(loaded))


def page_of(network: Mapping[str, Any], about: str) -> str:
    """Return the page for a `packed` network with its `least` score; `about` is a sentence or two about it."""
    template = (PAGES / "draw/draw.html").read_text(encoding="utf-8")
    parts = {**_words(network), "about": html.escape(about), "network": inline_json(network)}
    return assembled(template, styles("shared/page", "draw/draw"), f'"use strict";\n{script()}\nstart();\n', parts)


def _words(network: Mapping[str, Any]) -> dict[str, str]:
    """Return the page's words; signs other than digits are drawn in ink as well."""
    words = DIGITS if network["numerals"] else PICTURES
    return words | ({"ink": DIGITS["ink"]} if network["digits"] else {})


def script() -> str:
    """Return the page's code, without the call that starts it."""
    return scripts(
        *(f"shared/{name}" for name in SHARED), *(f"draw/{name}" for name in (*PREPARATION, *INSIGHT, *SURFACE))
    )


def _about(loaded: Checkpoint) -> str:
    """Return a sentence or two about the network."""
    sizes = "-".join(map(str, loaded.model.network.sizes))
    accuracy, about = loaded.metrics.get("validation_accuracy"), loaded.spec
    things, which = ("digits", "one") if about.numerals else ("pictures", "class")
    origin = " on MNIST" if about.numerals and loaded.config.data.place is None else ""
    right = f" It was right about {100 * accuracy:.2f} % of the {things} kept for validation." if accuracy else ""
    return f"A network of {sizes} units, trained{origin} with bpcli, says which {which} it is.{right}"
