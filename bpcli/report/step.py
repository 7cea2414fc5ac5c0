"""The page of one training step: one HTML file with network and picture inside, built from `pages/step`."""

import html
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core import optimizers
from bpcli.core.types import Bytes
from bpcli.gradcheck.one_step import OneStep, Unit, cancelled, findings, saturated, saturated_outputs, silent
from bpcli.gradcheck.one_step_text import source
from bpcli.model import Model
from bpcli.report.packing import in_halves, packed
from bpcli.report.web import PAGES, assembled, inline_json, scripts, styles
from bpcli.storage.checkpoint import Checkpoint

SHARED = ("network", "packed", "pictures", "show")
OWN = ("sums", "parts", "unit", "weight", "overview", "rate", "main")
SOURCES = {  # where bpcli calculates what the page shows: a text of the line
    "z": "# z = a·W + b",
    "output": "z += layers[-1].bias",
    "BP1": "# BP1",
    "BP2": "# BP2",
    "BP3": "# BP3: ∂C/∂b",
    "BP4": "# BP4: ∂C/∂W",
    "outputBP3": "out=gradients[-1].bias)  # BP3",
    "outputBP4": "inputs[-1][:, u].T",
}

Dead = Sequence[NDArray[np.bool_]]  # for each hidden layer, which units learn from no image of a sample


class Shown(NamedTuple):
    """A step, and what the page tells of it besides.

    Attributes:
        step: the step.
        name: of its picture.
        image: the picture, (side, side), before it is set upright.
        rate: η.
        dead: which units are dead, where that is known; else empty.
        unit: the one that the page opens first; None for the whole step.
    """

    step: OneStep
    name: str
    image: Bytes
    rate: float
    dead: Dead
    unit: Unit | None


def step_page(loaded: Checkpoint, network: str, shown: Shown) -> str:
    """Return the HTML page of a step of a checkpoint's network, which is called `network`.

    Its weights travel in single precision, unless half precision holds them exactly.

    Raises:
        OutputError: the network is too large for a page.
    """
    template = (PAGES / "step/step.html").read_text(encoding="utf-8")
    parts = {"about": html.escape(_about(loaded.model, network, shown)), "data": inline_json(told(loaded, shown))}
    return assembled(template, styles("shared/page", "step/step"), f'"use strict";\n{script()}\nstart();\n', parts)


def script() -> str:
    """Return the page's code, without the call that starts it."""
    return scripts(*(f"shared/{name}" for name in SHARED), *(f"step/{name}" for name in OWN))


def told(loaded: Checkpoint, shown: Shown) -> dict[str, Any]:
    """Return what the page's code is told, for JSON."""
    model = loaded.model
    return {
        "network": packed(loaded, exact=not in_halves(loaded)),
        "pixels": model.preprocessing.upright(shown.image.reshape(1, -1))[0].tolist(),
        "label": shown.step.label,
        "rate": shown.rate,
        "update": _update(model),
        "unit": shown.unit,
        "sources": {name: source(text) for name, text in SOURCES.items()} | {"step": source("w += v", optimizers)},
        "findings": findings(shown.step, [int(mask.sum()) for mask in shown.dead]),
        "marks": [{"layer": layer, "kind": kind, "units": units} for layer, kind, units in _marks(shown)],
    }


def _marks(shown: Shown) -> Iterator[tuple[int, str, list[int]]]:
    """Yield layer, kind and numbers of the units that learn little, the kinds that say most first."""
    step = shown.step
    for layer, mask in enumerate(shown.dead, 1):
        yield layer, "dead", np.flatnonzero(mask).tolist()
    for layer in range(1, len(step.z)):
        for kind, find in (("silent", silent), ("saturated", saturated), ("cancelled", cancelled)):
            yield layer, kind, find(step, layer).tolist()
    yield len(step.z), "wrong", saturated_outputs(step).tolist()


def _about(model: Model, network: str, shown: Shown) -> str:
    """Return a sentence about picture and network."""
    sizes = "-".join(map(str, model.network.sizes))
    label = model.spec.classes[shown.step.label]
    return f"{shown.name} shows the class {label}. The network is {network}: {sizes} units."


def _update(model: Model) -> str:
    """Return what the run's optimizer makes of the first step."""
    own = model.config.optimizer
    if own.kind != "momentum":
        return f"The run used {own.kind}, whose steps have other lengths; this one is plain gradient descent."
    if own.nesterov:
        return f"With Nesterov's momentum, μ = {own.momentum:g}, the run's first step is 1 + μ times as long as this."
    return f"v ← μ·v − η·∂C/∂w, with μ = {own.momentum:g}. In a first step there is no velocity yet: v = −η·∂C/∂w."
