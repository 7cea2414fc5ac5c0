"""The messages of an ONNX file: nodes, tensors and the graph that they form, as bytes.

A few dozen lines take the place of the package `onnx`, which needs 20 MB and other packages, and whose releases follow
new operators that bpcli does not use. The numbers of the fields come from onnx.proto, at IR version 8:
https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpcli import __version__
from bpcli.storage.protobuf import data, float32, integer

IR_VERSION, OPSET = 8, 13  # what all programs of the last years read
_PRODUCER = "bpcli"

Attribute: TypeAlias = int | float | Sequence[int]
Shape: TypeAlias = Sequence[int | str]  # a text stands for a size that the caller chooses

# ONNX's numbers of types
TYPES: Mapping[str, int] = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9}
_FLOAT, _INT, _INTS = 1, 2, 7  # of attributes


def model(graph: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file."""
    about = (data(14, data(1, key) + data(2, value)) for key, value in metadata.items())
    opset = data(8, data(1, "") + integer(2, OPSET))
    producer = data(2, _PRODUCER) + data(3, __version__)
    return b"".join((integer(1, IR_VERSION), producer, data(7, graph), opset, *about))


class Graph:
    """A graph while it grows.

    Attributes:
        nodes: those so far, each after those whose outputs it takes.
        tensors: the constants so far, by name.
    """

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.tensors: dict[str, NDArray[Any]] = {}

    def add(self, operator: str, output: str, *inputs: str, **attributes: Attribute) -> str:
        """Add a node, and return the name of its output."""
        self.nodes.append(_node(operator, inputs, [output], attributes))
        return output

    def split(self, output: str, source: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Add a node that splits an array along an axis, and return the names of its parts."""
        parts = [f"{output}.{number}" for number in range(len(sizes))]
        lengths = self.constant(f"{output}.sizes", sizes, "int64")
        self.nodes.append(_node("Split", [source, lengths], parts, {"axis": axis}))
        return parts

    def constant(self, name: str, value: ArrayLike, dtype: str = "float32") -> str:
        """Add a constant, and return its name."""
        self.tensors[name] = np.asarray(value, dtype)
        return name

    def to_bytes(self, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
        """Return the graph with its inputs and outputs, as `described`."""
        return b"".join(
            (
                *(data(1, each) for each in self.nodes),
                data(2, _PRODUCER),
                *(data(5, _tensor(name, array)) for name, array in self.tensors.items()),
                *(data(11, each) for each in inputs),
                *(data(12, each) for each in outputs),
            )
        )


def described(name: str, dtype: str, shape: Shape) -> bytes:
    """Return the description of an input or an output of the graph."""
    sizes = (data(2, size) if isinstance(size, str) else integer(1, size) for size in shape)
    tensor = integer(1, TYPES[dtype]) + data(2, b"".join(data(1, size) for size in sizes))
    return data(1, name) + data(2, data(1, tensor))


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Mapping[str, Attribute]) -> bytes:
    """Return a node, which has the name of its first output."""
    return b"".join(
        (
            *(data(1, name) for name in inputs),
            *(data(2, name) for name in outputs),
            data(3, outputs[0]),
            data(4, operator),
            *(data(5, _attribute(name, value)) for name, value in attributes.items()),
        )
    )


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return data(1, name) + integer(3, value) + integer(20, _INT)
    if isinstance(value, float):
        return data(1, name) + float32(2, value) + integer(20, _FLOAT)
    return data(1, name) + b"".join(integer(8, each) for each in value) + integer(20, _INTS)


def _tensor(name: str, array: NDArray[Any]) -> bytes:
    ordered = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    sizes = b"".join(integer(1, size) for size in array.shape)
    return b"".join((sizes, integer(2, TYPES[array.dtype.name]), data(8, name), data(9, ordered.tobytes())))
