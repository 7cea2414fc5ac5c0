"""The playground: one HTML file in which a small network trains, on images that travel in it."""

import html

import numpy as np

from bpcli.data.datasets import Split, joined
from bpcli.data.spec import DataSpec
from bpcli.report.packing import described
from bpcli.report.samples import Samples, as_json
from bpcli.report.web import PAGES, assembled, inline_json, scripts, styles

TRAINING, HELD_OUT = 3000, 1000  # images in a page
MOST_PIXELS = 3_200_000  # of all images: MNIST's take a fifth of a byte each, photographs up to a byte
SHARED = ("network", "packed", "pictures", "show", "curves")
OWN = ("initial", "setting", "training", "lessons", "view", "main")


def playground_page(about: DataSpec, training: Split, held_out: Split, name: str = "") -> str:
    """Return the HTML page for a data set of that name, or that of a folder: of each split, images at equal distances.

    Of larger images than MNIST's there are fewer: all pixels together are at most `MOST_PIXELS`.
    """
    share = min(1.0, MOST_PIXELS / ((TRAINING + HELD_OUT) * about.pixels))
    own, unseen = some(training, int(share * TRAINING)), some(held_out, int(share * HELD_OUT))
    both = joined(own, unseen)
    things = "digits" if about.numerals else "pictures"
    samples = as_json(Samples(both.images, both.labels, 0))
    page = described(about) | {"samples": samples, "training": len(own), "things": things, "folder": not name}
    parts = {
        "about": html.escape(_about(name, things, len(own), len(unseen))),
        "page": inline_json(page),
        "thing": things[:-1],
        "things": things,
        "Things": things.capitalize(),
        "training": str(len(own)),
    }
    template = (PAGES / "playground/playground.html").read_text(encoding="utf-8")
    code = f'"use strict";\n{script()}\nconst playground = start();\n'
    return assembled(template, styles("shared/page", "playground/playground"), code, parts)


def script() -> str:
    """Return the page's code, without the call that starts it."""
    return scripts(*(f"shared/{name}" for name in SHARED), *(f"playground/{name}" for name in OWN))


def some(split: Split, count: int) -> Split:
    """Return images at equal distances of a split, or all if there are fewer."""
    places = np.unique(np.linspace(0, len(split) - 1, count).astype(np.intp))
    return Split(split.images[places], split.labels[places])


def _about(name: str, things: str, training: int, held_out: int) -> str:
    """Return a sentence about the images."""
    origin = f" of {name}" if name else ""
    return f"{training:,} {things}{origin} for training and {held_out:,} that it never sees in training are inside."
