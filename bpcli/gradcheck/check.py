"""The check that a configuration's gradients and steps are right, on a few real images and in float64."""

from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import msgspec
import numpy as np

from bpcli import model as models
from bpcli.config import Config
from bpcli.core import parameters, seeds
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.initializers import INITIALIZERS, initialize
from bpcli.core.network import Buffers, Network, backward, forward
from bpcli.core.types import Array
from bpcli.data.datasets import Split
from bpcli.gradcheck import differences, reference
from bpcli.gradcheck.differences import CENTRAL, COMPLEX_STEP, GRAPH, LIMITS, Point, relative_error
from bpcli.gradcheck.reference import Derivatives, Formulas
from bpcli.gradcheck.steps import FORMULA, masks_of_step, step_errors
from bpcli.inference.evaluation import one_hot
from bpcli.model import Model
from bpcli.training import builders
from bpcli.training.data import first_images

IMAGES = 8
STEP_IMAGES = 20  # in batches of 8, so that the last one is smaller
COPY_SIDE = 4  # pixels per side of the copy's images; each pixel is the mean of a part of the original
COPY_WIDTH = 6  # units of a hidden layer of the copy, at most
BIAS_SPREAD = 0.3  # spread of random numbers added to the initial biases; biases of zero would hide a mistake
ALL_LIMITS = LIMITS | {FORMULA: 1e-12}
BYTES_PER_PARAMETER = 112  # float64 parameters, gradients, directions, and complex ones
TIMED_IMAGES = 256  # a batch, at most
REPEATS = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the check.

    Attributes:
        layer: such as "1", counted from the first hidden layer; "all" for a quantity of all layers.
        quantity: what is compared, such as "BP4 ∂C/∂W".
        errors: the largest relative error by method; None if nothing could be compared, or rounding hides it.
    """

    layer: str
    quantity: str
    errors: dict[str, float | None]

    @property
    def passed(self) -> bool:
        """Whether no error exceeds its limit."""
        return all(error is None or error <= ALL_LIMITS[method] for method, error in self.errors.items())


@dataclass(frozen=True, slots=True)
class Timing:
    """The median seconds of one pass over a batch, as in training but on one thread."""

    images: int
    forward: float
    backward: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        sizes, copy: the layers of the network and of its scaled-down copy.
        images: the number of images on which the gradients were checked.
        kinks: the number of points left out of the differences because a ReLU changes sides there.
        rows: what was compared.
        timing: of the passes.
    """

    sizes: tuple[int, ...]
    copy: tuple[int, ...]
    images: int
    kinks: int
    rows: list[Row]
    timing: Timing

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return all(row.passed for row in self.rows)

    @property
    def difference_passes(self) -> int:
        """The forward passes that one-sided differences need for a gradient: one for each parameter, and one more."""
        return parameters.count(self.sizes) + 1


def check(config: Config) -> Report:
    """Check the gradients and the steps of a configuration.

    Raises:
        ConfigError: the machine has too little memory for the network in float64.
        DataError: the data are missing or malformed.
    """
    config = _trained_whole(config)
    data, first = first_images(config, TIMED_IMAGES)
    builders.require_memory(config, data.spec, BYTES_PER_PARAMETER)
    model = models.build(config, data.spec, np.empty(0))
    rng = seeds.stream(config.seed, seeds.INITIALIZATION)
    full, copy = _point(model, first, rng, small=False), _point(model, first, rng, small=True)
    gradients, kinks = _gradient_rows(full, copy, rng)
    steps = step_errors(replace(model, parameters=full.vector.copy()), first.first(STEP_IMAGES), IMAGES, rng)
    return Report(
        full.network.sizes,
        copy.network.sizes,
        len(full.x),
        kinks,
        [*gradients, *(Row("all", f"{name} after a step", {FORMULA: error}) for name, error in steps.items())],
        _timing(model, first),
    )


def _trained_whole(config: Config) -> Config:
    """Return the configuration without frozen layers, which have no gradient to check."""
    return msgspec.structs.replace(config, train=msgspec.structs.replace(config.train, freeze=0))


def _point(model: Model, split: Split, rng: np.random.Generator, *, small: bool) -> Point:
    """Return the network on the first images, or a scaled-down copy on shrunken ones."""
    network, config, few = model.network, model.config, split.first(IMAGES)
    x = model.preprocessing.inputs(few.images, np.float64)
    if small:
        widths = (min(width, COPY_WIDTH) for width in network.sizes[1:-1])
        network = replace(network, sizes=(COPY_SIDE**2, *widths, network.sizes[-1]))
        x = _shrunken(x, split.side)
    hidden = tuple(ACTIVATIONS[name].formula for name in config.model.activations)
    formulas = Formulas(hidden, (config.model.output, config.loss))
    vector = _drawn(config, network, rng)
    reference.rescale(formulas, parameters.views(vector, network.sizes), x)
    y = one_hot(few.labels, network.sizes[-1], x.dtype)
    masks = masks_of_step(replace(model, network=network), len(x), 0, 0)
    return Point(network, formulas, vector, x, y, masks)


def _shrunken(x: Array, side: int) -> Array:
    """Return images (n, side²) averaged over nearly equal parts, (n, COPY_SIDE²)."""
    edges = [side * k // COPY_SIDE for k in range(COPY_SIDE)]
    sums = np.add.reduceat(np.add.reduceat(x.reshape(-1, side, side), edges, axis=1), edges, axis=2)
    lengths = np.diff([*edges, side])
    means: Array = sums / np.outer(lengths, lengths)
    return means.reshape(len(x), -1)


def _drawn(config: Config, network: Network, rng: np.random.Generator) -> Array:
    """Return initial parameters in float64, without biases of zero."""
    vector = np.zeros(parameters.count(network.sizes))
    layers = parameters.views(vector, network.sizes)
    initialize(layers, INITIALIZERS[config.model.init], rng)
    for layer in layers:
        layer.bias[:] += BIAS_SPREAD * rng.standard_normal(layer.bias.shape)
    return vector


@np.errstate(all="ignore")  # a number that is not finite gives an infinite error
def _gradient_rows(full: Point, copy: Point, rng: np.random.Generator) -> tuple[list[Row], int]:
    """Return the rows of the loss and of BP1 to BP4 for each layer, and the number of kinks left out."""
    found, small = differences.kernels(full), differences.kernels(copy)
    graph = reference.derivatives(copy.formulas, copy.layers, copy.x, copy.y, copy.masks)
    rows, kinks = [_loss_row(full, found, small, graph)], 0
    for layer in range(len(full.layers)):
        errors, left_out = _layer_errors(layer, (full, found), (copy, small), graph, rng)
        rows += _layer_rows(layer, len(full.layers), errors)
        kinks += left_out
    return rows, kinks


def _loss_row(full: Point, found: Derivatives, small: Derivatives, graph: Derivatives) -> Row:
    expected = reference.losses(full.formulas, full.layers, full.x, full.y, full.masks).losses.mean()
    return Row(
        "all",
        "loss C",
        {
            COMPLEX_STEP: relative_error(np.array(found.loss), np.array(expected)),
            GRAPH: relative_error(np.array(small.loss), np.array(graph.loss)),
        },
    )


def _layer_errors(
    layer: int,
    full: tuple[Point, Derivatives],
    copy: tuple[Point, Derivatives],
    graph: Derivatives,
    rng: np.random.Generator,
) -> tuple[dict[str, differences.Errors], int]:
    """Return the errors of a layer by method, over the full network and the copy, and the number of kinks left out."""
    directions = list(differences.random_directions(full[0], layer, rng))
    single = list(differences.every_parameter(copy[0], layer))
    along, kinks = differences.check_central(*full, directions)
    each, more_kinks = differences.check_central(*copy, single)
    return {
        CENTRAL: differences.larger(along, each),
        COMPLEX_STEP: differences.larger(
            differences.check_complex_step(*full, directions), differences.check_complex_step(*copy, single)
        ),
        GRAPH: differences.check_graph(copy[1], graph, layer),
    }, kinks + more_kinks


def _layer_rows(layer: int, layers: int, errors: dict[str, differences.Errors]) -> list[Row]:
    quantities = {
        "delta": "BP1 δ" if layer == layers - 1 else "BP2 δ",
        "bias": "BP3 ∂C/∂b",
        "weight": "BP4 ∂C/∂W",
    }
    return [
        Row(str(layer + 1), quantity, {method: errors[method][name] for method in LIMITS})
        for name, quantity in quantities.items()
    ]


def _timing(model: Model, split: Split) -> Timing:
    """Return the times of both passes over a batch in float32, as in training but on one thread."""
    net, config = model.network, model.config
    few = split.first(min(config.train.batch_size, TIMED_IMAGES))
    x, y = model.preprocessing.inputs(few.images), one_hot(few.labels, net.sizes[-1], np.dtype(np.float32))
    vector = np.zeros(parameters.count(net.sizes), np.float32)
    layers, gradients = (parameters.views(flat, net.sizes) for flat in (vector, np.empty_like(vector)))
    initialize(layers, INITIALIZERS[config.model.init], seeds.stream(config.seed, seeds.INITIALIZATION))
    room = Buffers.allocate(net, len(x), x.dtype)
    times: list[tuple[float, float]] = []
    for _ in range(REPEATS):
        start = perf_counter()
        p = net.output.value(forward(net, layers, x, room))
        middle = perf_counter()
        backward(net, layers, x, p, y, room, gradients)
        times.append((middle - start, perf_counter() - middle))
    forwards, backwards = zip(*times, strict=True)
    return Timing(len(x), median(forwards), median(backwards))
