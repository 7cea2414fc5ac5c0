"""Networks for other things than digits, made up, with answers made up: of any number of classes and any side."""

import base64
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from bpcli.core import parameters
from bpcli.data.spec import DataSpec
from bpcli.report.packing import described
from bpcli.report.predictions import Predictions, reliability
from bpcli.report.study import Study
from bpcli.storage.snapshots import Snapshot

LETTERS = DataSpec(20, tuple("abcdefghijklmnopqrstuvwxyz"), 0.2, 0.3, digits=False)
NAMES = DataSpec(64, tuple(f"{n}: <b>a thing & 'its' long name</b>" for n in range(100)), 0.7, 0.3, digits=False)
TWO = DataSpec(8, ("yes", "no"), 0.5, 0.3, digits=False)


def study_of(about: DataSpec, seen: Study, images: int = 200) -> Study:
    """The study, with random answers to random images in place of those of its network."""
    rng, count = np.random.default_rng(0), len(about.classes)
    labels = rng.integers(count, size=images).astype(np.uint8)
    scores = rng.random((images, count), np.float32) * np.float32(0.5)
    scores[np.arange(images), np.where(rng.random(images) < 0.8, labels, rng.integers(count, size=images))] += 0.4
    pixels = rng.integers(256, size=(images, about.side**2), dtype=np.uint8)
    given = Predictions(pixels, labels, scores, 0.5)
    loaded = seen.run.loaded
    count_of_all = parameters.count([about.side**2, *loaded.config.model.hidden, count])
    loaded = replace(loaded, spec=about, parameters=np.ones(count_of_all, np.float32))
    seen = replace(seen, run=replace(seen.run, loaded=loaded, snapshots=()))
    return replace(seen, test=given, splits={"test": _metrics(given, count)}, bins=reliability(given))


def with_snapshots(seen: Study) -> Study:
    """The study of a run of two epochs that kept its snapshots, made up too."""
    about, rng = seen.run.loaded.spec, np.random.default_rng(0)
    count, units = len(about.classes), np.arange(seen.run.model.network.sizes[1], dtype=np.intp)[:12]
    kept = tuple(
        Snapshot(
            epoch,
            units,
            rng.standard_normal((len(units), about.side**2)).astype(np.float32),
            rng.integers(9, size=(count, count)),
        )
        for epoch in (1, 2)
    )
    splits = {**seen.splits, "validation": seen.splits["test"]}
    return replace(seen, run=replace(seen.run, snapshots=kept), splits=splits)


def _metrics(given: Predictions, count: int) -> dict[str, object]:
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (given.labels, given.answers), 1)
    hits = confusion.diagonal()
    return {
        "n": len(given.labels), "errors": int(len(given.labels) - hits.sum()), "loss": given.loss,
        "accuracy": float(hits.sum() / len(given.labels)), "accuracy_interval": [0.5, 0.625],
        "precision": (hits / np.maximum(confusion.sum(axis=0), 1)).tolist(),
        "recall": (hits / np.maximum(confusion.sum(axis=1), 1)).tolist(), "confusion": confusion.tolist(),
    }  # fmt: skip


def network_of(about: DataSpec, *hidden: int) -> dict[str, Any]:
    """What the drawing page holds of a network of random weights."""
    rng, sizes = np.random.default_rng(0), [about.side**2, *hidden, len(about.classes)]
    layers = [
        {
            "weights": _text(rng.standard_normal((fan_out, fan_in)) / np.sqrt(fan_in), "<f2"),
            "biases": _text(np.zeros(fan_out), "<f4"),
        }
        for fan_in, fan_out in pairwise(sizes)
    ]
    return described(about) | {
        "sizes": sizes, "activations": ["relu"] * len(hidden), "output": "softmax", "loss": "cross_entropy",
        "scale": 1 / 255, "shift": 0.0, "deslant": False, "layers": layers, "least": 0.0,
    }  # fmt: skip


def _text(numbers: np.ndarray, dtype: str) -> str:
    return base64.b64encode(numbers.astype(dtype).tobytes()).decode()
