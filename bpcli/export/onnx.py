"""Networks as ONNX graphs, from the bytes of images to scores and labels.

Operators: https://github.com/onnx/onnx/blob/v1.8.0/docs/Operators.md (opset 13).
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from bpcli.core.activations import LEAK
from bpcli.core.parameters import Layer
from bpcli.data.preprocessing import Preprocessing
from bpcli.errors import ArgumentError
from bpcli.export import onnx_file as file
from bpcli.export.member import Member, metadata, prefixes
from bpcli.export.onnx_deslant import add_deslanting
from bpcli.export.onnx_file import Graph
from bpcli.export.onnx_width import add_width
from bpcli.export.quantize import QuantizedLayer, Range
from bpcli.inference.ensemble import MEAN, Combination

IMAGES, SCORES, LABEL = "images", "scores", "label"  # the graph's input and outputs
MOST = 2**31 - 2**24  # bytes of parameters: the most of a message of Protocol Buffers, but for the nodes
_ZERO = 128  # the byte of a quantized network's weights that stands for 0

# adds nodes that compute an activation from z: (graph, name of the output, name of z)
Nodes = Callable[[Graph, str, str], str]
_Form = tuple[bool, int]  # of the images that a network takes: whether they are deslanted, and their width or 0


def onnx(members: Sequence[Member], how: Combination = MEAN) -> bytes:
    """Return a file with one graph, from `images`, uint8 (n, side, side), to `scores` (n, classes) and `label` (n,).

    Args:
        members: one network or several.
        how: how several answer together.

    Raises:
        ArgumentError: ONNX has no operator for an activation, or the networks are too many for a file.
    """
    if (size := sum(member.checkpoint.parameters.nbytes for member in members)) > MOST:
        raise ArgumentError(f"the networks have {size:,} bytes of parameters; an ONNX file holds at most {MOST:,}")
    spec, graph = members[0].checkpoint.spec, Graph()
    pixels = _pixels(graph, spec.side, [_form(member.model.preprocessing) for member in members])
    if len(members) > 1 and how.rule == "logits":
        logits = [_logits(graph, *each, pixels) for each in zip(prefixes(members), members, strict=True)]
        _output(graph, SCORES, members[0], _mean(graph, "logits", logits, how))
    else:
        scores = [_scores(graph, *each, pixels) for each in zip(prefixes(members), members, strict=True)]
        _mean(graph, SCORES, scores, how)
    graph.add("ArgMax", LABEL, SCORES, axis=1, keepdims=0)
    inputs = [file.described(IMAGES, "uint8", ("n", spec.side, spec.side))]
    outputs = [file.described(SCORES, "float32", ("n", len(spec.classes))), file.described(LABEL, "int64", ("n",))]
    return file.model(graph.to_bytes(inputs, outputs), metadata(members, how))


def _form(prepare: Preprocessing) -> _Form:
    return prepare.deslant, prepare.width or 0


def _mean(graph: Graph, name: str, each: Sequence[str], how: Combination) -> str:
    """Add the mean of the members' outputs, where they are several, and return its name."""
    if len(each) == 1:
        return each[0]
    if how.weights is None:
        return graph.add("Mean", name, *each)
    weights = [graph.constant(f"{x}.share", weight) for x, weight in zip(each, how.weights, strict=True)]
    shares = [graph.add("Mul", f"{x}.weighted", x, weight) for x, weight in zip(each, weights, strict=True)]
    return graph.add("Sum", name, *shares)


def _pixels(graph: Graph, side: int, wanted: Collection[_Form]) -> dict[_Form, str]:
    """Add nodes for the pixels, uint8 (n, side²), in each form that is wanted; return their names by that."""
    seen = {form: _set(graph, side, *form) for form in sorted(set(wanted))}
    return {form: graph.add("Flatten", f"{name}.flat", name, axis=1) for form, name in seen.items()}


def _set(graph: Graph, side: int, deslanted: bool, width: int) -> str:
    """Add nodes that set the images upright and to a width, as far as that is wanted, and return their name."""
    if width:
        return add_width(graph, IMAGES, side, width, deslanted)
    return add_deslanting(graph, IMAGES, side) if deslanted else IMAGES


def _scores(graph: Graph, prefix: str, member: Member, pixels: Mapping[_Form, str]) -> str:
    """Add one network to the graph, and return the name of its scores."""
    return _output(graph, f"{prefix}{SCORES}", member, _logits(graph, prefix, member, pixels))


def _output(graph: Graph, name: str, member: Member, z: str) -> str:
    return OUTPUTS[member.checkpoint.config.model.output](graph, name, z)


def _logits(graph: Graph, prefix: str, member: Member, pixels: Mapping[_Form, str]) -> str:
    """Add one network to the graph, and return the name of its logits."""
    prepare, functions = member.model.preprocessing, _activations(member)
    x = pixels[_form(prepare)]
    if member.quantized is None:
        return _float_layers(graph, prefix, member.model.layers, functions, _normalized(graph, prefix, prepare, x))
    return _int8_layers(graph, prefix, member.quantized.layers, functions, x)


def _normalized(graph: Graph, prefix: str, prepare: Preprocessing, pixels: str) -> str:
    scale, shift = prepare.normalization
    numbers = graph.add("Cast", f"{prefix}pixels", pixels, to=file.TYPES["float32"])
    scaled = graph.add("Mul", f"{prefix}scaled", numbers, graph.constant(f"{prefix}scale", scale))
    return graph.add("Sub", f"{prefix}inputs", scaled, graph.constant(f"{prefix}shift", shift)) if shift else scaled


def _float_layers(graph: Graph, prefix: str, layers: Sequence[Layer], functions: Sequence[Nodes], x: str) -> str:
    """Add layers, and return the name of z of the last."""
    z = _float_layer(graph, f"{prefix}layer1", layers[0], x)
    for number, (f, layer) in enumerate(zip(functions, layers[1:], strict=True), 1):
        a = f(graph, f"{prefix}layer{number}.a", z)
        z = _float_layer(graph, f"{prefix}layer{number + 1}", layer, a)
    return z


def _float_layer(graph: Graph, name: str, layer: Layer, inputs: str) -> str:
    weight, bias = (graph.constant(f"{name}.{key}", array) for key, array in layer._asdict().items())
    return graph.add("Gemm", f"{name}.z", inputs, weight, bias)


def _int8_layers(
    graph: Graph, prefix: str, layers: Sequence[QuantizedLayer], functions: Sequence[Nodes], pixels: str
) -> str:
    """Add quantized layers, and return the name of z of the last."""
    within = _range(graph, f"{prefix}layer1", layers[0].inputs)
    z = _int8_layer(graph, f"{prefix}layer1", layers[0], pixels, within)
    for number, (f, layer) in enumerate(zip(functions, layers[1:], strict=True), 1):
        name, a = f"{prefix}layer{number + 1}", f(graph, f"{prefix}layer{number}.a", z)
        within = _range(graph, name, layer.inputs)
        z = _int8_layer(graph, name, layer, graph.add("QuantizeLinear", f"{name}.bytes", a, *within), within)
    return z


def _range(graph: Graph, name: str, within: Range) -> tuple[str, str]:
    """Add the constants of a range, and return their names."""
    return graph.constant(f"{name}.scale", within.scale), graph.constant(f"{name}.zero", within.zero, "uint8")


def _int8_layer(graph: Graph, name: str, layer: QuantizedLayer, inputs: str, within: tuple[str, str]) -> str:
    """Add a layer that multiplies bytes; programs make one product of integers of these nodes.

    The weights are uint8 around 128, because products of uint8 and int8 overflow in ONNX Runtime on some processors
    (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). The bias is added by Sum, because
    ONNX Runtime rounds one that is added by Add.
    """
    weight = graph.constant(f"{name}.weight", layer.weight.astype(np.int16) + _ZERO, "uint8")
    scale = graph.constant(f"{name}.weight.scale", layer.scale)
    zero = graph.constant(f"{name}.weight.zero", np.full(layer.scale.shape, _ZERO), "uint8")
    x = graph.add("DequantizeLinear", f"{name}.inputs", inputs, *within)
    w = graph.add("DequantizeLinear", f"{name}.weights", weight, scale, zero, axis=1)
    product = graph.add("MatMul", f"{name}.product", x, w)
    return graph.add("Sum", f"{name}.z", product, graph.constant(f"{name}.bias", layer.bias))


def _activations(member: Member) -> list[Nodes]:
    """Return what adds the nodes of each hidden layer's activation."""
    names = member.checkpoint.config.model.activations
    for name in names:
        if name not in ACTIVATIONS:
            raise ArgumentError(f"the activation {name} can't be written as ONNX; these can: {', '.join(ACTIVATIONS)}")
    return [ACTIVATIONS[name] for name in names]


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
