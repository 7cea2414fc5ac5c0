"""Networks as ONNX graphs, from the bytes of images to scores and labels.

Operators: https://github.com/onnx/onnx/blob/v1.8.0/docs/Operators.md (opset 13).
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from bpcli.core.activations import LEAK
from bpcli.core.pixels import Normalization
from bpcli.errors import ArgumentError
from bpcli.export import onnx_file as file
from bpcli.export.member import Member, metadata, prefixes, tensors
from bpcli.export.onnx_deslant import add_deslanting
from bpcli.export.onnx_file import Graph

IMAGES, SCORES, LABEL = "images", "scores", "label"  # the graph's input and outputs


def onnx(members: Sequence[Member]) -> bytes:
    """Return a file with one graph, from `images`, uint8 (n, side, side), to `scores` (n, classes) and `label` (n,).

    Raises:
        ArgumentError: ONNX has no operator for an activation.
    """
    spec, graph = members[0].checkpoint.spec, Graph(tensors(members))
    pixels = _pixels(graph, spec.side, {member.model.preprocessing.deslant for member in members})
    scores = [_scores(graph, *each, pixels) for each in zip(prefixes(members), members, strict=True)]
    if len(scores) > 1:
        graph.add("Mean", SCORES, *scores)
    graph.add("ArgMax", LABEL, SCORES, axis=1, keepdims=0)
    inputs = [file.described(IMAGES, "uint8", ("n", spec.side, spec.side))]
    outputs = [file.described(SCORES, "float32", ("n", len(spec.classes))), file.described(LABEL, "int64", ("n",))]
    return file.model(graph.to_bytes(inputs, outputs), metadata(members))


def _pixels(graph: Graph, side: int, wanted: Collection[bool]) -> dict[bool, str]:
    """Add nodes for the pixels (n, side²), deslanted or not; return their names by that."""
    pixels = graph.add("Cast", "pixels", IMAGES, to=file.TYPES["float32"])
    seen = {False: pixels} | ({True: add_deslanting(graph, pixels, side)} if True in wanted else {})
    return {each: graph.add("Flatten", f"{seen[each]}.flat", seen[each], axis=1) for each in sorted(wanted)}


def _scores(graph: Graph, prefix: str, member: Member, pixels: Mapping[bool, str]) -> str:
    """Add one network to the graph, and return the name of its scores."""
    config, prepare = member.checkpoint.config.model, member.model.preprocessing
    a = _normalized(graph, prefix, prepare.normalization, pixels[prepare.deslant])
    for number, name in enumerate(config.activations, 1):
        layer = f"{prefix}layer{number}"
        a = _activated(graph, layer, name, _layer(graph, layer, a))
    z = _layer(graph, f"{prefix}layer{len(config.activations) + 1}", a)
    return OUTPUTS[config.output](graph, f"{prefix}{SCORES}", z)


def _normalized(graph: Graph, prefix: str, normalization: Normalization, pixels: str) -> str:
    scale, shift = normalization
    scaled = graph.add("Mul", f"{prefix}scaled", pixels, graph.constant(f"{prefix}scale", scale))
    return graph.add("Sub", f"{prefix}inputs", scaled, graph.constant(f"{prefix}shift", shift)) if shift else scaled


def _layer(graph: Graph, name: str, inputs: str) -> str:
    return graph.add("Gemm", f"{name}.z", inputs, f"{name}.weight", f"{name}.bias")


def _activated(graph: Graph, layer: str, name: str, z: str) -> str:
    if name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ArgumentError(f"the activation {name} can't be written as ONNX; these can: {known}")
    return ACTIVATIONS[name](graph, f"{layer}.a", z)


# adds nodes that compute an activation: (graph, name of the output, name of z)
Nodes = Callable[[Graph, str, str], str]


def _gelu(graph: Graph, a: str, z: str) -> str:
    """Add z·(1 + erf(z/√2))/2."""
    scaled = graph.add("Mul", f"{a}.scaled", z, graph.constant("gelu.scale", np.sqrt(0.5)))
    erf = graph.add("Erf", f"{a}.erf", scaled)
    doubled = graph.add("Add", f"{a}.doubled", erf, graph.constant("gelu.one", 1))
    cdf = graph.add("Mul", f"{a}.cdf", doubled, graph.constant("gelu.half", 0.5))
    return graph.add("Mul", a, z, cdf)


ACTIVATIONS: Mapping[str, Nodes] = {
    "relu": lambda graph, a, z: graph.add("Relu", a, z),
    "leaky_relu": lambda graph, a, z: graph.add("LeakyRelu", a, z, alpha=LEAK),
    "elu": lambda graph, a, z: graph.add("Elu", a, z, alpha=1.0),
    "gelu": _gelu,
    "sigmoid": lambda graph, a, z: graph.add("Sigmoid", a, z),
    "tanh": lambda graph, a, z: graph.add("Tanh", a, z),
    "identity": lambda graph, a, z: z,
}
OUTPUTS: Mapping[str, Nodes] = {
    "sigmoid": lambda graph, scores, z: graph.add("Sigmoid", scores, z),
    "softmax": lambda graph, scores, z: graph.add("Softmax", scores, z, axis=1),
    "identity": lambda graph, scores, z: graph.add("Identity", scores, z),
}
