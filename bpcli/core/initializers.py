"""Initial weights: their spread decides whether a deep network learns at all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from bpcli.core.parameters import Layer


@dataclass(frozen=True, slots=True)
class Initializer:
    """Normal weights with standard deviation `spread(fan_in, fan_out, is_output)`, and biases with `bias_spread`."""

    spread: Callable[[int, int, bool], float]
    bias_spread: float = 0.0


INITIALIZERS: dict[str, Initializer] = {
    # the article's: Glorot's sum of both fans, with He's factor 2 because a ReLU zeroes half of the units
    "glorot_relu": Initializer(lambda fan_in, fan_out, is_output: (1 if is_output else 2) / sqrt(fan_in + fan_out)),
    # He, Zhang, Ren, Sun 2015, arXiv:1502.01852, equation 10
    "he": Initializer(lambda fan_in, fan_out, is_output: sqrt(2 / fan_in)),
    # Glorot, Bengio 2010, Understanding the difficulty of training deep feedforward neural networks, equation 12
    "glorot": Initializer(lambda fan_in, fan_out, is_output: sqrt(2 / (fan_in + fan_out))),
    # Nielsen, chapters 1 and 2: standard normal
    "nielsen_large": Initializer(lambda fan_in, fan_out, is_output: 1.0, bias_spread=1.0),
    # Nielsen, chapter 3: z then has about the spread of one input
    "nielsen_default": Initializer(lambda fan_in, fan_out, is_output: 1 / sqrt(fan_in), bias_spread=1.0),
}


def initialize(layers: Iterable[Layer], initializer: Initializer, rng: np.random.Generator) -> None:
    """Draw the weights and biases of every layer in place, first layer first."""
    layers = list(layers)
    for layer in layers:
        fan_in, fan_out = layer.weight.shape
        spread = initializer.spread(fan_in, fan_out, layer is layers[-1])
        layer.weight[:] = spread * rng.standard_normal(layer.weight.shape)
        layer.bias[:] = initializer.bias_spread * rng.standard_normal(fan_out) if initializer.bias_spread else 0
