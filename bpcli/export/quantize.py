"""Quantization to int8: a network whose products and sums are whole numbers.

Each layer's inputs are bytes q with one scale s and one zero point o, and stand for x = s·(q − o). Its weights are
integers v from −127 to 127 with one scale t a unit, and stand for w = t·v. Then

    z = s·t·Σ (q − o)·v + b,

where the sum is exact in 32 bits. Activations are calculated from z in float32, and rounded to the next layer's bytes.
ONNX Runtime makes products of integers of the nodes that the ONNX file has; in C they are loops over integers. All
three give the same numbers. Jacob et al. (2018), "Quantization and training of neural networks for efficient
integer-arithmetic-only inference", arXiv:1712.05877, equations 1 to 4, derive them.

The first layer's bytes are the pixels themselves: normalization is affine, so its factor is the scale s, and its shift
goes into the biases. Nothing is lost there, and blank pixels remain zeros.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.core.network import Buffers, forward
from bpcli.core.parameters import Layer
from bpcli.core.types import Array, Bytes
from bpcli.errors import CheckpointError
from bpcli.model import CHUNK, Model

_LEAST = np.finfo(np.float32).tiny  # smaller numbers have too few digits to be a scale
LARGEST = 127  # of an int8 weight; −128 is left out, so that the range is symmetric
CALIBRATION = 2000  # images whose activations determine the scales
MAX_INPUTS = (2**31 - 1) // (255 * LARGEST)  # of a layer; the sum over more might not fit into 32 bits


class Range(NamedTuple):
    """The numbers that bytes stand for: x = scale · (byte − zero).

    Attributes:
        scale: the distance of two neighbours.
        zero: the byte that stands for 0.
    """

    scale: np.float32
    zero: int


class QuantizedLayer(NamedTuple):
    """One layer: z = factor · Σ (byte − inputs.zero) · weight + bias.

    Attributes:
        inputs: the range of its inputs.
        weight: int8 (fan_in, fan_out), from −127 to 127.
        scale: (fan_out,), float32; the weights stand for scale · weight.
        bias: (fan_out,), float32.
    """

    inputs: Range
    weight: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def factor(self) -> NDArray[np.float32]:
        """Return the number by which each unit's sum is multiplied, (fan_out,)."""
        return self.inputs.scale * self.scale


class QuantizedNetwork(NamedTuple):
    """A network with int8 weights.

    Attributes:
        model: the network that was quantized: its preprocessing, activations and output function go on to hold, but
            for the normalization, which the first layer includes.
        layers: the quantized layers.
    """

    model: Model
    layers: tuple[QuantizedLayer, ...]


def quantize(model: Model, images: NDArray[Any]) -> QuantizedNetwork:
    """Return a network quantized to int8.

    Args:
        model: the network.
        images: (n, side, side) or (n, side²), as for `Model.scores`; images of the training split, at least one. The
            ranges of the activations come from them.

    Raises:
        DataError: the images are something else.
        CheckpointError: a layer has more than `MAX_INPUTS` inputs, or activations are not finite.
        ValueError: there are no images.
    """
    if (most := max(model.network.sizes[:-1])) > MAX_INPUTS:
        raise CheckpointError(f"its layer of {most:,} units can't be quantized to int8; {MAX_INPUTS:,} are the limit")
    pixels = Range(np.float32(model.preprocessing.normalization.scale), 0)
    ranges = (pixels, *map(_range, _activations(model, images)))
    layers = without_shift(model)
    return QuantizedNetwork(model, tuple(_quantized(*each) for each in zip(layers, ranges, strict=True)))


def calibration(images: Bytes) -> Bytes:
    """Return `CALIBRATION` images, or all if there are fewer, from everywhere in a split, which may be sorted."""
    return images[:: max(len(images) // CALIBRATION, 1)][:CALIBRATION]


def without_shift(model: Model) -> tuple[Layer, ...]:
    """Return a network's layers for pixels that are only multiplied by the normalization's scale, not shifted.

    W·(s·p − h) + b = W·(s·p) + (b − h·ΣW), so only the first layer's biases differ.
    """
    first, *others = model.layers
    shift = model.preprocessing.normalization.shift
    bias = first.bias - shift * first.weight.sum(axis=0, dtype=np.float64)
    return Layer(first.weight, bias.astype(np.float32)), *others


def scores(quantized: QuantizedNetwork, images: NDArray[Any]) -> Array:
    """Return the scores (n, classes) of images: what files of quantized networks are compared with.

    Args:
        quantized: the network.
        images: (n, side, side) or (n, side²), as for `Model.scores`.

    Raises:
        DataError: the images are something else.
    """
    prepare, output = quantized.model.preprocessing, quantized.model.network.output
    upright = prepare.upright(prepare.to_bytes(images))
    logits = np.empty((len(upright), quantized.model.network.sizes[-1]), np.float32)
    for start in range(0, len(upright), CHUNK):
        logits[start : start + CHUNK] = _logits(quantized, upright[start : start + CHUNK])
    return output.value(logits)


def _logits(quantized: QuantizedNetwork, pixels: Bytes) -> Array:
    first, *others = quantized.layers
    z = _weighted(first, pixels)
    for f, layer in zip(quantized.model.network.hidden, others, strict=True):
        f.value(z, z)
        z = _weighted(layer, _to_bytes(z, layer.inputs))
    return z


def _weighted(layer: QuantizedLayer, inputs: Bytes) -> NDArray[np.float32]:
    """Return z. float64 holds the sums of integers exactly, and multiplies faster than NumPy's integers do."""
    sums = (inputs.astype(np.float64) - layer.inputs.zero) @ layer.weight.astype(np.float64)
    return sums.astype(np.float32) * layer.factor + layer.bias


def _to_bytes(numbers: Array, to: Range) -> Bytes:
    """Return the nearest bytes, halves to even, as ONNX's QuantizeLinear and C's `rintf` round."""
    whole: Array = np.rint(numbers / to.scale) + to.zero
    return np.clip(whole, 0, 255).astype(np.uint8)


@np.errstate(over="ignore", invalid="ignore")  # the ranges show it if the network has diverged
def _activations(model: Model, images: NDArray[Any]) -> Sequence[Array]:
    """Return the activations of each hidden layer, (n, units)."""
    prepare = model.preprocessing
    room = Buffers.allocate(model.network, len(images), np.float32, backward=False)
    forward(model.network, model.layers, prepare.inputs(prepare.upright(prepare.to_bytes(images))), room)
    return [here.a for here in room.hidden]


def _range(numbers: Array) -> Range:
    """Return the range of some numbers and of 0, which must have a byte of its own."""
    low, high = min(float(numbers.min()), 0.0), max(float(numbers.max()), 0.0)
    if not isfinite(high - low):
        raise CheckpointError("its activations are not finite, as those of a network that diverged: not quantized")
    scale = np.float32((high - low) / 255)
    scale = scale if scale >= _LEAST else np.float32(1)
    return Range(scale, round(-low / float(scale)))


def _quantized(layer: Layer, inputs: Range) -> QuantizedLayer:
    largest = np.abs(layer.weight).max(axis=0)
    scale = largest / np.float32(LARGEST)
    scale[scale < _LEAST] = 1
    weight = np.rint(layer.weight / scale).astype(np.int8)
    return QuantizedLayer(inputs, weight, scale, layer.bias)
