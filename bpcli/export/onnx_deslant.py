"""Deslanting as nodes of an ONNX graph: `core.deslant`, number by number.

Every program that computes in IEEE's float32 gets the bytes that bpcli gets. Sums of whole numbers below 2²⁴ are exact
in any order. The two other sums are therefore added in the order in which NumPy adds; a pixel that lies between two
bytes would otherwise be rounded to the other one.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from bpcli.core.deslant import STEEPEST, frame
from bpcli.export.onnx_file import TYPES, Graph

_LANES = 8  # numbers that NumPy adds side by side: numpy/_core/src/umath/loops_utils.h.src, pairwise_sum
CENTRE = 32  # a row from which moments are below 2²⁴ for images of up to 64 pixels a side
_TINY = 1e-30  # instead of a height of 0, where the lean is 0 too


def add_deslanting(graph: Graph, images: str, side: int) -> str:
    """Add nodes that deslant images, uint8 (n, side, side), and return the name of the upright ones.

    Args:
        graph: takes the nodes.
        images: the name of the images.
        side: of an image, in pixels.
    """
    ink = graph.add("Cast", "deslant.ink", images, to=TYPES["float32"])
    moved = _moved(graph, "deslant.", ink, add_moves(graph, "deslant.", ink, side), side)
    return graph.add("Cast", "upright", graph.add("Round", "deslant.rounded", moved), to=TYPES["uint8"])


def add_moves(graph: Graph, name: str, ink: str, side: int) -> str:
    """Add nodes for the moves of the rows to the right, (n, side, 1), and return their name.

    Args:
        graph: takes the nodes.
        name: what the names of the nodes begin with.
        ink: the name of the images, float32 (n, side, side).
        side: of an image, in pixels.
    """
    at = np.arange(side)
    both = graph.add("MatMul", f"{name}sums", ink, graph.constant(f"{name}columns", np.stack([at**0, at], axis=1)))
    rows, across = graph.split(f"{name}rows", both, [1, 1], axis=2)
    down = _down(graph, name, rows, at)
    lean = graph.add("Mul", f"{name}lean.terms", down, across)
    square = graph.add("Mul", f"{name}down.squared", down, down)
    height = graph.add("Mul", f"{name}height.terms", square, rows)
    terms = graph.add("Concat", f"{name}terms", lean, height, axis=2)
    lean, height = graph.split(f"{name}moments", _sum(graph, f"{name}sum", terms, side), [1, 1], axis=2)
    height = graph.add("Max", f"{name}height", height, graph.constant(f"{name}tiny", _TINY))
    limits = (graph.constant(f"{name}{key}", value) for key, value in (("least", -STEEPEST), ("most", STEEPEST)))
    slope = graph.add("Clip", f"{name}slope", graph.add("Div", f"{name}ratio", lean, height), *limits)
    return graph.add("Mul", f"{name}moves", slope, down)


def _down(graph: Graph, name: str, rows: str, at: NDArray[np.int64]) -> str:
    """Add nodes for y − ȳ of each row, (n, side, 1); ȳ is Σ p·(y − c) + c·Σ p, divided by Σ p."""
    weights = graph.constant(f"{name}weights", np.stack([at**0, at - CENTRE]))
    mass, moment = graph.split(f"{name}mass", graph.add("MatMul", f"{name}totals", weights, rows), [1, 1], axis=1)
    centre = graph.add("Mul", f"{name}mass.scaled", mass, graph.constant(f"{name}centre", CENTRE))
    moment = graph.add("Add", f"{name}moment", moment, centre)
    mass = graph.add("Max", f"{name}mass", mass, graph.constant(f"{name}one", 1))
    mean = graph.add("Div", f"{name}mean", moment, mass)
    return graph.add("Sub", f"{name}down", graph.constant(f"{name}at", at[:, None]), mean)


def _sum(graph: Graph, name: str, terms: str, side: int) -> str:
    """Add nodes that sum over the rows of (n, side, 2), in NumPy's order; (n, 1, 2)."""

    def total(numbers: Sequence[str]) -> str:
        return reduce(lambda left, right: graph.add("Add", f"{left}.sum", left, right), numbers)

    whole, rest = divmod(side, _LANES)
    parts = graph.split(name, terms, [_LANES] * whole + [1] * rest, axis=1)
    lanes = graph.split(f"{name}.lane", total(parts[:whole]), [1] * _LANES, axis=1)
    while len(lanes) > 1:
        lanes = [total(pair) for pair in zip(lanes[::2], lanes[1::2], strict=True)]
    return total([*lanes, *parts[whole:]])


def _moved(graph: Graph, name: str, ink: str, moves: str, side: int) -> str:
    """Add nodes for the images with each row moved to the left, interpolated between two pixels."""
    room = frame(side).room
    padded = graph.add("Pad", f"{name}padded", ink, graph.constant(f"{name}room", [0, 0, room] * 2, "int64"))
    whole = graph.add("Floor", f"{name}whole", moves)
    index = graph.add("Cast", f"{name}starts", whole, to=TYPES["int64"])
    left = graph.add("Add", f"{name}left.index", index, graph.constant(f"{name}x", room + np.arange(side), "int64"))
    right = graph.add("Add", f"{name}right.index", left, graph.constant(f"{name}next", 1, "int64"))
    left, right = (
        graph.add("GatherElements", f"{name}{key}", padded, each, axis=2)
        for key, each in (("left", left), ("right", right))
    )
    step = graph.add("Sub", f"{name}step", right, left)
    part = graph.add("Mul", f"{name}part", graph.add("Sub", f"{name}fraction", moves, whole), step)
    return graph.add("Add", f"{name}moved", left, part)
