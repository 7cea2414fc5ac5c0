"""Widths as nodes of an ONNX graph: `core.width`, number by number, as `onnx_deslant` does it."""

import numpy as np

from bpcli.core.width import FAR, INK
from bpcli.export.onnx_deslant import CENTRE, add_moves
from bpcli.export.onnx_file import TYPES, Graph


def add_width(graph: Graph, images: str, side: int, width: int, deslanted: bool) -> str:
    """Add nodes that set digits, uint8 (n, side, side), to a width, and return the name of the changed ones.

    Args:
        graph: takes the nodes.
        images: the name of the images.
        side: of an image, in pixels.
        width: of the boxes of ink, in pixels.
        deslanted: whether the digits are set upright as well.
    """
    end = f"{'upright.' if deslanted else ''}width{width}"
    name = f"{end}."
    ink = graph.add("Cast", f"{name}ink", images, to=TYPES["float32"])
    moves = (
        add_moves(graph, f"{name}deslant.", ink, side)
        if deslanted
        else graph.constant(f"{name}moves", np.zeros((side, 1)))
    )
    box = _box(graph, name, ink, moves, side)
    scale = graph.add("Div", f"{name}scale", box, graph.constant(f"{name}width", width))
    resized = _resized(graph, name, ink, _places(graph, name, ink, moves, scale, side), scale, side)
    return graph.add("Cast", end, graph.add("Round", f"{name}rounded", resized), to=TYPES["uint8"])


def _box(graph: Graph, name: str, ink: str, moves: str, side: int) -> str:
    """Add nodes for the widths of the boxes, (n, 1, 1)."""
    brightest = graph.add("ReduceMax", f"{name}brightest", ink, axes=[1, 2], keepdims=1)
    times = graph.add("Mul", f"{name}ink.times", ink, graph.constant(f"{name}times", INK))
    inside = graph.add("GreaterOrEqual", f"{name}inside", times, brightest)
    places = graph.add("Sub", f"{name}places", graph.constant(f"{name}columns", np.arange(side)), moves)
    left, right = (
        graph.add(
            operator,
            f"{name}{key}",
            graph.add("Where", f"{name}{key}.places", inside, places, graph.constant(f"{name}{key}.far", far)),
            axes=[1, 2],
            keepdims=1,
        )
        for operator, key, far in (("ReduceMin", "left", FAR), ("ReduceMax", "right", -FAR))
    )
    between = graph.add("Sub", f"{name}between", right, left)
    return graph.add("Add", f"{name}box", between, graph.constant(f"{name}one", 1))


def _places(graph: Graph, name: str, ink: str, moves: str, scale: str, side: int) -> str:
    """Add nodes for the places that pixels come from, (n, side, side)."""
    away = graph.constant(f"{name}away", np.arange(side) - side / 2)
    middle = graph.add("Add", f"{name}middles", _middle(graph, name, ink, side), moves)
    return graph.add("Add", f"{name}x", graph.add("Mul", f"{name}away.scaled", away, scale), middle)


def _middle(graph: Graph, name: str, ink: str, side: int) -> str:
    """Add nodes for x̄, (n, 1, 1): Σ p·(x − c) + c·Σ p, divided by Σ p."""
    at = np.arange(side)
    weights = graph.constant(f"{name}weights", np.stack([at**0, at - CENTRE], axis=1))
    rows = graph.add("MatMul", f"{name}rows", ink, weights)
    totals = graph.add("MatMul", f"{name}totals", graph.constant(f"{name}ones", np.ones((1, side))), rows)
    mass, moment = graph.split(f"{name}mass", totals, [1, 1], axis=2)
    centre = graph.add("Mul", f"{name}mass.scaled", mass, graph.constant(f"{name}centre", CENTRE))
    moment = graph.add("Add", f"{name}moment", moment, centre)
    return graph.add("Div", f"{name}mean", moment, graph.add("Max", f"{name}mass.some", mass, f"{name}one"))


def _resized(graph: Graph, name: str, ink: str, x: str, scale: str, side: int) -> str:
    """Add nodes for the mean of the ink that each pixel covers around its place x, (n, side, side)."""
    before = graph.constant(f"{name}before", np.triu(np.ones((side, side)), 1))
    sums = graph.add("MatMul", f"{name}sums", ink, before)
    cover = graph.add("Max", f"{name}cover", scale, f"{name}one")
    half = graph.constant(f"{name}half", 0.5)
    ends = []
    for key, operator in (("end", "Add"), ("start", "Sub")):
        twice = graph.add(operator, f"{name}{key}.twice", f"{name}one", cover)
        away = graph.add("Mul", f"{name}{key}.away", twice, half)
        ends.append(_until(graph, f"{name}{key}.", graph.add("Add", f"{name}{key}", x, away), ink, sums, side))
    return graph.add("Div", f"{name}resized", graph.add("Sub", f"{name}covered", *ends), cover)


def _until(graph: Graph, name: str, x: str, ink: str, sums: str, side: int) -> str:
    """Add nodes for the ink of each row to the left of x, (n, side, side)."""
    limits = (graph.constant(f"{name}{key}", value) for key, value in (("least", 0), ("most", side)))
    x = graph.add("Clip", f"{name}x", x, *limits)
    whole = graph.add(
        "Min", f"{name}whole", graph.add("Floor", f"{name}floor", x), graph.constant(f"{name}last", side - 1)
    )
    index = graph.add("Cast", f"{name}index", whole, to=TYPES["int64"])
    here, past = (
        graph.add("GatherElements", f"{name}{key}", source, index, axis=2)
        for key, source in (("here", ink), ("past", sums))
    )
    part = graph.add("Mul", f"{name}part", graph.add("Sub", f"{name}fraction", x, whole), here)
    return graph.add("Add", f"{name}until", past, part)
