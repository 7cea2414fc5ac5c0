"""The proof that a configuration's gradients and steps are right, on a few real images and in float64."""

from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import numpy as np

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.core import checks, parameters, reference, seeds
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.checks import CENTRAL, COMPLEX_STEP, GRAPH, LIMITS, Point, relative_error
from bpcli.core.initializers import INITIALIZERS, initialize
from bpcli.core.network import Buffers, Network, Worker
from bpcli.core.parameters import Layer
from bpcli.core.pixels import NORMALIZATIONS, normalize
from bpcli.core.reference import Formulas, Slopes
from bpcli.core.schedules import rate
from bpcli.core.types import Array
from bpcli.data.mnist import CLASSES, PIXELS, Split
from bpcli.training import problem
from bpcli.training.evaluation import one_hot
from bpcli.training.run import read_data
from bpcli.training.session import Order, Session

IMAGES = 8
STEP_IMAGES = 20  # in batches of 8, so that the last one is smaller
COPY_INPUTS = 16  # an image in 4×4 means of 7×7 pixels
COPY_WIDTH = 6  # units of a hidden layer of the copy, at most
BIAS_SPREAD = 0.3  # added to the first biases, which are often zero: a mistake with them would not show
FORMULA = "formula"  # the method of the optimizer's rows
ALL_LIMITS = LIMITS | {FORMULA: 1e-12}
BYTES_PER_PARAMETER = 112  # float64 parameters, gradients, directions, and complex ones
TIMED_IMAGES = 256  # a batch, at most
REPEATS = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the check.

    Attributes:
        layer: such as "1", counted from the first hidden layer; "all" for what concerns every layer.
        quantity: what is compared, such as "BP4 ∂C/∂W".
        errors: the largest relative error by method; None where nothing was left to compare, or rounding hides it.
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
    """Seconds that one pass over a batch takes, the median of some, as training does it but on one worker."""

    images: int
    forward: float
    backward: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        sizes, copy: the layers of the network and of its scaled-down copy.
        images: how many the gradients were checked on.
        kinks: points of the differences left out because a ReLU changes sides there.
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
    """Checks the gradients and the steps of a configuration.

    Raises:
        ConfigError: the machine has too little memory for the network in float64.
        DataError: the data are missing or malformed.
    """
    problem.require_memory(config, BYTES_PER_PARAMETER)
    split = _first_images(config)
    rng = seeds.stream(config.seed, seeds.INITIALIZATION)
    full, copy = _point(config, split, rng, small=False), _point(config, split, rng, small=True)
    gradients, kinks = _gradient_rows(full, copy, rng)
    return Report(
        full.network.sizes,
        copy.network.sizes,
        len(full.x),
        kinks,
        [*gradients, *_step_rows(config, full, split, rng)],
        _timing(config, split),
    )


def _first_images(config: Config) -> Split:
    """As many images as are needed, prepared for the configuration's network."""
    split = read_data(config, "train")
    return Split(problem.prepared(config, split.images[:TIMED_IMAGES]), split.labels[:TIMED_IMAGES])


def _point(config: Config, split: Split, rng: np.random.Generator, *, small: bool) -> Point:
    """The configuration's network on the first images, or a scaled-down copy on shrunken ones."""
    network = problem.network(config)
    x = _pixels(config, split, IMAGES, np.float64)
    if small:
        widths = (min(width, COPY_WIDTH) for width in network.sizes[1:-1])
        network = replace(network, sizes=(COPY_INPUTS, *widths, CLASSES))
        x = x.reshape(-1, 4, 7, 4, 7).mean(axis=(2, 4)).reshape(-1, COPY_INPUTS)
    formulas = _formulas(config)
    vector = _drawn(config, network, rng)
    reference.temper(formulas, parameters.views(vector, network.sizes), x)
    return Point(network, formulas, vector, x, one_hot(split.labels[:IMAGES], x.dtype))


def _formulas(config: Config) -> Formulas:
    hidden = tuple(ACTIVATIONS[name].formula for name in config.model.activations)
    return Formulas(hidden, (config.model.output, config.loss))


def _drawn(config: Config, network: Network, rng: np.random.Generator) -> Array:
    """First parameters, in float64, with no bias left at zero."""
    vector = np.zeros(parameters.count(network.sizes))
    layers = parameters.views(vector, network.sizes)
    initialize(layers, INITIALIZERS[config.model.init], rng)
    for layer in layers:
        layer.bias[:] += BIAS_SPREAD * rng.standard_normal(layer.bias.shape)
    return vector


def _pixels(config: Config, split: Split, n: int, dtype: type[np.floating]) -> Array:
    """The first n images as the network takes them."""
    images = split.images[:n]
    x = np.empty((len(images), PIXELS), dtype)
    normalize(images, NORMALIZATIONS[config.data.normalize], x)
    return x


@np.errstate(all="ignore")  # what is not finite is an error without limit
def _gradient_rows(full: Point, copy: Point, rng: np.random.Generator) -> tuple[list[Row], int]:
    """The loss and BP1 to BP4 of each layer, and the kinks that were left out."""
    found, small = checks.kernels(full), checks.kernels(copy)
    graph = reference.slopes(copy.formulas, copy.layers, copy.x, copy.y)
    rows, kinks = [_loss_row(full, found, small, graph)], 0
    for layer in range(len(full.layers)):
        errors, left_out = _layer_errors(layer, (full, found), (copy, small), graph, rng)
        rows += _layer_rows(layer, len(full.layers), errors)
        kinks += left_out
    return rows, kinks


def _loss_row(full: Point, found: Slopes, small: Slopes, graph: Slopes) -> Row:
    expected = reference.losses(full.formulas, full.layers, full.x, full.y).losses.mean()
    return Row(
        "all",
        "loss C",
        {
            COMPLEX_STEP: relative_error(np.array(found.loss), np.array(expected)),
            GRAPH: relative_error(np.array(small.loss), np.array(graph.loss)),
        },
    )


def _layer_errors(
    layer: int, full: tuple[Point, Slopes], copy: tuple[Point, Slopes], graph: Slopes, rng: np.random.Generator
) -> tuple[dict[str, checks.Errors], int]:
    """The errors of a layer by method, over the full network and the copy, and the kinks left out."""
    directions = list(checks.random_directions(full[0], layer, rng))
    single = list(checks.every_parameter(copy[0], layer))
    along, kinks = checks.check_central(*full, directions)
    each, more_kinks = checks.check_central(*copy, single)
    return {
        CENTRAL: checks.larger(along, each),
        COMPLEX_STEP: checks.larger(
            checks.check_complex_step(*full, directions), checks.check_complex_step(*copy, single)
        ),
        GRAPH: checks.check_graph(copy[1], graph, layer),
    }, kinks + more_kinks


def _layer_rows(layer: int, layers: int, errors: dict[str, checks.Errors]) -> list[Row]:
    quantities = {
        "delta": "BP1 δ" if layer == layers - 1 else "BP2 δ",
        "bias": "BP3 ∂C/∂b",
        "weight": "BP4 ∂C/∂W",
    }
    return [
        Row(str(layer + 1), quantity, {method: errors[method][name] for method in LIMITS})
        for name, quantity in quantities.items()
    ]


@np.errstate(all="ignore")
def _step_rows(config: Config, full: Point, split: Split, rng: np.random.Generator) -> list[Row]:
    """Some steps of a session, each against the rule of the optimizer written out."""
    few = Split(split.images[:STEP_IMAGES], split.labels[:STEP_IMAGES])
    team, config = problem.team(config), _few_and_plain(config, IMAGES)
    vector = full.vector.copy()
    velocity = 0.01 * rng.standard_normal(vector.shape)  # not zero, so that the first step shows what becomes of it
    order = rng.permutation(len(few))
    session = Session(config, vector, velocity, few, team)
    errors: dict[str, float | None] = {}
    for step in range(session.steps):
        expected = _stepped(config, few, replace(full, vector=vector.copy()), velocity.copy(), order, step)
        steps = session.run(0, order, step)
        next(steps)
        steps.close()
        found = parameters.views(vector, full.network.sizes), parameters.views(velocity, full.network.sizes)
        errors = checks.larger(errors, _step_errors(found, expected))
    return [Row("all", f"{name} after a step", {FORMULA: error}) for name, error in errors.items()]


def _few_and_plain(config: Config, size: int) -> Config:
    """The configuration with batches of this size, and with images that are not distorted."""
    tree = configuration.to_tree(config)
    tree["train"]["batch_size"] = size
    del tree["augment"]
    return configuration.from_tree(tree, "check")


Stepped = tuple[tuple[Layer, ...], tuple[Layer, ...]]  # parameters and velocity


def _step_errors(found: Stepped, expected: Stepped) -> checks.Errors:
    """The largest relative errors over the layers; None where both have overflowed."""
    return {
        f"{of}{kind}": checks.furthest(
            [getattr(layer, kind) for layer in here], [getattr(layer, kind) for layer in there]
        )
        for of, here, there in zip(("", "velocity of "), found, expected, strict=True)
        for kind in checks.KINDS
    }


def _stepped(config: Config, split: Split, point: Point, velocity: Array, order: Order, step: int) -> Stepped:
    """The parameters and the velocity after a step, by the formulas of `docs/backpropagation.md`.

    The gradient of the batch is that of the kernels, which the other rows compare with its definition.
    """
    settings, batch = config.optimizer, order[step * IMAGES :][:IMAGES]
    few = Split(split.images[batch], split.labels[batch])
    x, y = _pixels(config, few, len(few), np.float64), one_hot(few.labels, velocity.dtype)
    eta = settings.learning_rate * rate(problem.schedule(config), 0, step, -(-len(split) // IMAGES))
    layers, speeds = point.layers, parameters.views(velocity, point.network.sizes)
    for layer, speed, gradient in zip(layers, speeds, checks.kernels(replace(point, x=x, y=y)).gradients, strict=True):
        decayed = gradient.weight + settings.weight_decay / len(split) * layer.weight
        for w, v, g in ((layer.weight, speed.weight, decayed), (layer.bias, speed.bias, gradient.bias)):
            v[:] = settings.momentum * v - eta * g
            w[:] = w + (settings.momentum * v - eta * g if settings.nesterov else v)
    return layers, speeds


def _timing(config: Config, split: Split) -> Timing:
    """The passes of a batch in float32, as in training but for the workers."""
    network = problem.network(config)
    x = _pixels(config, split, min(config.train.batch_size, TIMED_IMAGES), np.float32)
    y = one_hot(split.labels[: len(x)], x.dtype)
    vector = np.zeros(parameters.count(network.sizes), np.float32)
    layers = parameters.views(vector, network.sizes)
    initialize(layers, INITIALIZERS[config.model.init], seeds.stream(config.seed, seeds.INITIALIZATION))
    gradients = parameters.views(np.empty_like(vector), network.sizes)
    worker = Worker(network, layers, Buffers.allocate(network, len(x), x.dtype), gradients)
    forward, backward = [], []
    for _ in range(REPEATS):
        start = perf_counter()
        worker.forward(x)
        middle = perf_counter()
        worker.backward(x, y)
        forward.append(middle - start)
        backward.append(perf_counter() - middle)
    return Timing(len(x), median(forward), median(backward))
