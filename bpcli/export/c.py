"""Networks as C: one C99 header for programs on microcontrollers and elsewhere, without heap and libraries.

The parts of the header that are the same for all networks are the files in `c_parts`. A layer is a function whose loops
have constant bounds, so that compilers vectorise them. It adds up the weights of one input after the other. Most pixels
are blank and half of a ReLU layer's units are silent; they cost one comparison.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core.activations import LEAK
from bpcli.data.preprocessing import Preprocessing
from bpcli.errors import ArgumentError
from bpcli.export.member import Member, metadata
from bpcli.export.quantize import QuantizedNetwork, Range, without_shift
from bpcli.inference.predictions import default_min_score
from bpcli.model import Model

ACTIVATIONS = {
    "relu": "z > 0.0f ? z : 0.0f",
    "leaky_relu": f"z > 0.0f ? z : {LEAK}f * z",
    "elu": "z > 0.0f ? z : expm1f(z)",
    "gelu": "0.5f * z * (1.0f + erff(0.70710678f * z))",
    "sigmoid": "0.5f + 0.5f * tanhf(0.5f * z)",
    "tanh": "tanhf(z)",
    "identity": "z",
}  # f(z) of each activation of `core.activations`, in C

_PARTS = Path(__file__).parent / "c_parts"
_COLUMNS = 16  # numbers of a line
_ELEMENTWISE = {"softmax": "identity"}  # what an output function does with each z, before it looks at all of them
_SLANTS = ("const float slope = 0.0f, down = 0.0f;", "float down;\n    const float slope = bpcli_slant(pixels, &down);")
_BYTES = {"int8_t": 1, "uint8_t": 1, "int32_t": 4, "float": 4}


class _Layer(NamedTuple):
    """A layer as C needs it.

    Attributes:
        number: 1 for the first.
        weight: (fan_in, fan_out), float32 or int8.
        vectors: (fan_out,) float32 each, by name: bias, and factor if the weights are int8.
        sum_type: of Σ q·weight.
        input_type, output_type: of its inputs and of its activations.
        value: q, from an input x[i].
        z: from the sum of a unit.
        activation: its name.
        to: the range of the bytes that its activations are rounded to; None if they are floats.
    """

    number: int
    weight: NDArray[Any]
    vectors: Mapping[str, NDArray[np.float32]]
    sum_type: str
    input_type: str
    output_type: str
    value: str
    z: str
    activation: str
    to: Range | None = None


def c(members: Sequence[Member]) -> bytes:
    """Return a C99 header with one network, whose weights are float32, or int8 if it was quantized.

    Raises:
        ArgumentError: C has no twin for an activation of the network.
    """
    (member,) = members
    layers = _float_layers(member.model) if member.quantized is None else _int8_layers(member.quantized)
    return _header(member, tuple(layers)).encode()


def _activations(model: Model) -> tuple[str, ...]:
    """Return the name of each layer's function from z to a, the output's included."""
    chosen = model.config.model
    names = (*chosen.activations, _ELEMENTWISE.get(chosen.output, chosen.output))
    for name in names:
        if name not in ACTIVATIONS:
            raise ArgumentError(f"the activation {name} can't be written as C; these can: {', '.join(ACTIVATIONS)}")
    return names


def _float_layers(model: Model) -> Iterator[_Layer]:
    for n, (layer, f) in enumerate(zip(without_shift(model), _activations(model), strict=True), 1):
        scale = f"{_number(model.preprocessing.normalization.scale)} * " if n == 1 else ""
        kind, value = ("uint8_t", "(float)x[i]") if n == 1 else ("float", "x[i]")
        z = f"{scale}sums[u] + bpcli_bias{n}[u]"
        yield _Layer(n, layer.weight, {"bias": layer.bias}, "float", kind, "float", value, z, f)


def _int8_layers(quantized: QuantizedNetwork) -> Iterator[_Layer]:
    ranges = (*(layer.inputs for layer in quantized.layers[1:]), None)
    functions = _activations(quantized.model)
    for n, (layer, to, f) in enumerate(zip(quantized.layers, ranges, functions, strict=True), 1):
        value = f"(int32_t)x[i] - {layer.inputs.zero}" if layer.inputs.zero else "x[i]"
        z = f"bpcli_factor{n}[u] * (float)sums[u] + bpcli_bias{n}[u]"
        vectors = {"factor": layer.factor, "bias": layer.bias}
        kind = "float" if to is None else "uint8_t"
        yield _Layer(n, layer.weight, vectors, "int32_t", "uint8_t", kind, value, z, f, to)


def _header(member: Member, layers: Sequence[_Layer]) -> str:
    model = member.model
    return _part(
        "network",
        about="\n".join(f" * {_comment(f'{key}: {value}')}" for key, value in metadata([member]).items()),
        constants=f"{sum(map(_constants, layers)):,}",
        stack=f"{_stack(model, layers):,}",
        side=model.spec.side,
        classes=len(model.spec.classes),
        min_score=_number(default_min_score([member.checkpoint])),
        names=", ".join(map(_text, model.spec.classes)),
        functions="\n".join(_functions(model, layers)),
        buffers="\n".join(_buffers(model, layers)),
        calls="\n".join(_calls(model, layers)),
    )


def _part(name: str, **values: object) -> str:
    """Return a file of `c_parts` with its names replaced by values."""
    return Template((_PARTS / f"{name}.h").read_text(encoding="utf-8")).substitute(values)


def _functions(model: Model, layers: Sequence[_Layer]) -> Iterator[str]:
    """Yield the functions that the network needs, one after another."""
    yield from _preparation(model.preprocessing)
    for name in sorted({layer.activation for layer in layers}):
        yield f"static float bpcli_{name}(float z)\n{{\n    return {ACTIVATIONS[name]};\n}}\n"
    if any(layer.to for layer in layers):
        yield _part("byte")
    yield from map(_layer, layers)
    if model.config.model.output == "softmax":
        yield _part("softmax")


def _preparation(prepare: Preprocessing) -> Iterator[str]:
    """Yield the functions that set a picture upright and to a width, as far as the network wants that."""
    if prepare.deslant:
        yield _part("slant")
    if prepare.width:
        yield _part("width", width=prepare.width, slant=_SLANTS[prepare.deslant])
    elif prepare.deslant:
        yield _part("deslant")


def _layer(layer: _Layer) -> str:
    inputs, units = layer.weight.shape
    a = f"bpcli_{layer.activation}({layer.z})"
    return _part(
        "layer",
        n=layer.number,
        inputs=inputs,
        units=units,
        count=layer.weight.size,
        weight_type="int8_t" if layer.weight.dtype == np.int8 else "float",
        weight=_numbers(layer.weight),
        vectors="\n".join(_vector(f"{name}{layer.number}", array) for name, array in layer.vectors.items()),
        input_type=layer.input_type,
        output_type=layer.output_type,
        sum_type=layer.sum_type,
        value=layer.value,
        activation=f"bpcli_byte({a}, {_number(layer.to.scale)}, {_number(layer.to.zero)})" if layer.to else a,
    )


def _vector(name: str, numbers: NDArray[Any]) -> str:
    return f"static const float bpcli_{name}[{numbers.size}] = {{\n{_numbers(numbers)}\n}};"


def _buffers(model: Model, layers: Sequence[_Layer]) -> Iterator[str]:
    """Yield the buffers between the layers: two, which the layers fill in turn."""
    if model.preprocessing.changes:
        yield "    uint8_t upright[BPCLI_PIXELS];"
    for name, hidden in zip(("odd", "even"), (layers[:-1:2], layers[1:-1:2]), strict=True):
        if hidden:
            yield f"    {hidden[0].output_type} {name}[{max(layer.weight.shape[1] for layer in hidden)}];"


def _calls(model: Model, layers: Sequence[_Layer]) -> Iterator[str]:
    """Yield the calls that lead from `pixels` to `scores`."""
    prepare = model.preprocessing
    if prepare.changes:
        yield f"    bpcli_{'set_width' if prepare.width else 'deslant'}(pixels, upright);"
    source = "upright" if prepare.changes else "pixels"
    for layer in layers:
        target = "scores" if layer is layers[-1] else "odd" if layer.number % 2 else "even"
        yield f"    bpcli_layer{layer.number}({source}, {target});"
        source = target
    if model.config.model.output == "softmax":
        yield "    bpcli_softmax(scores);"


def _constants(layer: _Layer) -> int:
    """Return the bytes of a layer's arrays."""
    return layer.weight.nbytes + sum(vector.nbytes for vector in layer.vectors.values())


def _stack(model: Model, layers: Sequence[_Layer]) -> int:
    """Return the bytes of the arrays on the stack where they are the most."""
    units = [layer.weight.shape[1] for layer in layers]
    buffers = [max(units[start:-1:2], default=0) * _BYTES[layers[0].output_type] for start in (0, 1)]
    upright = model.spec.pixels * model.preprocessing.changes
    return int(upright + sum(buffers) + max(units) * _BYTES[layers[0].sum_type])


def _numbers(array: NDArray[Any]) -> str:
    """Return the numbers of an array, row after row, in lines of C; NumPy writes as many digits as `_number`."""
    end = "," if array.dtype == np.int8 else "f,"
    texts = [text + end for text in array.ravel().astype(str).tolist()]
    return "\n".join(" ".join(texts[start : start + _COLUMNS]) for start in range(0, len(texts), _COLUMNS))


def _number(value: float | np.float32) -> str:
    """Return a float32 in C, with as many digits as give exactly this number again."""
    return f"{np.float32(value)!s}f"


def _comment(text: str) -> str:
    """Return a text for a comment: in ASCII, and unable to end it."""
    ascii_only = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
    return ascii_only.replace("*/", "* /").replace("/*", "/ *")


def _text(text: str) -> str:
    """Return a string literal; all but letters, digits and blanks are octal numbers, which C and C++ read alike."""
    return "".join(('"', *(_character(byte) for byte in text.encode()), '"'))


def _character(byte: int) -> str:
    return chr(byte) if byte < 128 and (chr(byte).isalnum() or chr(byte) == " ") else f"\\{byte:03o}"
