"""A reader of ONNX files in NumPy, written from the descriptions of the format and of its operators."""

from collections.abc import Callable, Mapping
from functools import reduce
from math import erf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64}


def fields(message: bytes) -> dict[int, list[Any]]:
    """The values of a message's fields by number: integers, bytes, or the floats that four bytes are."""
    found: dict[int, list[Any]] = {}
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        if key & 7 == 0:
            value, place = _varint(message, place)
        elif key & 7 == 2:
            length, place = _varint(message, place)
            value, place = message[place : place + length], place + length
        else:
            assert key & 7 == 5
            value, place = np.frombuffer(message, "<f4", 1, place)[0], place + 4
        found.setdefault(key >> 3, []).append(value)
    assert place == len(message)
    return found


def _varint(message: bytes, place: int) -> tuple[Any, int]:
    value = shift = 0
    while True:
        value |= (message[place] & 127) << shift
        shift, place = shift + 7, place + 1
        if message[place - 1] < 128:
            return value, place


class Node(NamedTuple):
    operator: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


class File(NamedTuple):
    """What a file says.

    Attributes:
        ir, opset: the versions.
        nodes: in order.
        tensors: the constants.
        inputs, outputs: the type and the shape by name.
        metadata: texts.
    """

    ir: int
    opset: int
    nodes: list[Node]
    tensors: dict[str, Array]
    inputs: dict[str, tuple[int, list[Any]]]
    outputs: dict[str, tuple[int, list[Any]]]
    metadata: dict[str, str]


def read(content: bytes) -> File:
    model = fields(content)
    graph = fields(model[7][0])
    return File(
        model[1][0],
        fields(model[8][0])[2][0],
        [_node(fields(each)) for each in graph[1]],
        dict(_tensor(fields(each)) for each in graph[5]),
        dict(_described(fields(each)) for each in graph[11]),
        dict(_described(fields(each)) for each in graph[12]),
        {entry[1][0].decode(): entry[2][0].decode() for entry in map(fields, model[14])},
    )


def _node(node: dict[int, list[Any]]) -> Node:
    def names(number: int) -> list[str]:
        return [name.decode() for name in node.get(number, [])]

    return Node(names(4)[0], names(1), names(2), dict(_attribute(fields(each)) for each in node.get(5, [])))


def _attribute(attribute: dict[int, list[Any]]) -> tuple[str, Any]:
    number = {1: 2, 2: 3, 7: 8}[attribute[20][0]]  # the field that an attribute's type names
    return attribute[1][0].decode(), attribute[number] if number == 8 else attribute[number][0]


def _tensor(tensor: dict[int, list[Any]]) -> tuple[str, Array]:
    array = np.frombuffer(tensor[9][0], DTYPES[tensor[2][0]]).reshape(tensor.get(1, []))
    return tensor[8][0].decode(), array


def _described(value: dict[int, list[Any]]) -> tuple[str, tuple[int, list[Any]]]:
    tensor = fields(fields(value[2][0])[1][0])
    sizes = [fields(each) for each in fields(tensor[2][0])[1]]
    shape = [size[1][0] if 1 in size else size[2][0].decode() for size in sizes]
    return value[1][0].decode(), (tensor[1][0], shape)


def run(file: File, images: Array) -> dict[str, Array]:
    """The arrays of the graph by name: the constants, and the outputs of all nodes."""
    (name,) = file.inputs
    arrays = {**file.tensors, name: images}
    for node in file.nodes:
        values = OPERATORS[node.operator](*(arrays[each] for each in node.inputs), **node.attributes)
        values = values if isinstance(values, list) else [values]
        assert not set(node.outputs) & arrays.keys()
        arrays |= zip(node.outputs, values, strict=True)
    return arrays


def _split(x: Array, sizes: Array, axis: int) -> list[Array]:
    assert sizes.sum() == x.shape[axis]
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def _pad(x: Array, pads: Array) -> Array:
    return np.pad(x, [*zip(pads[: x.ndim].tolist(), pads[x.ndim :].tolist(), strict=True)])


def _softmax(x: Array, axis: int) -> Array:
    e = np.exp(x - x.max(axis, keepdims=True))
    result: Array = e / e.sum(axis, keepdims=True)
    return result


OPERATORS: Mapping[str, Callable[..., Any]] = {
    "Add": np.add,
    "ArgMax": lambda x, axis, keepdims: x.argmax(axis, keepdims=bool(keepdims)),
    "Cast": lambda x, to: x.astype(DTYPES[to]),
    "Clip": np.clip,
    "Concat": lambda *x, axis: np.concatenate(x, axis),
    "DequantizeLinear": lambda x, scale, zero, axis=1: (x.astype(np.float32) - zero.astype(np.float32)) * scale,
    "Div": np.divide,
    "Elu": lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)),
    "Erf": lambda x: np.vectorize(erf, [x.dtype])(x),
    "Flatten": lambda x, axis: x.reshape(*x.shape[:axis], -1),
    "Floor": np.floor,
    "GatherElements": lambda x, index, axis: np.take_along_axis(x, index, axis),
    "Gemm": lambda x, w, b: x @ w + b,
    "GreaterOrEqual": np.greater_equal,
    "Identity": lambda x: x,
    "LeakyRelu": lambda x, alpha: np.where(x < 0, alpha * x, x),
    "MatMul": np.matmul,
    "Max": np.maximum,
    "Mean": lambda *x: reduce(np.add, x) / np.float32(len(x)),
    "Min": np.minimum,
    "Mul": np.multiply,
    "Pad": _pad,
    "QuantizeLinear": lambda x, scale, zero: np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8),
    "ReduceMax": lambda x, axes, keepdims: x.max(tuple(axes), keepdims=bool(keepdims)),
    "ReduceMin": lambda x, axes, keepdims: x.min(tuple(axes), keepdims=bool(keepdims)),
    "Relu": lambda x: np.maximum(x, 0),
    "Round": np.rint,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Softmax": _softmax,
    "Split": _split,
    "Sub": np.subtract,
    "Sum": lambda *x: reduce(np.add, x),
    "Tanh": np.tanh,
    "Where": np.where,
}
