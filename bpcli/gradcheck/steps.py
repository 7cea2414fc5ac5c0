"""The check of the optimizers: some training steps, compared with the formulas of the optimizer."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from bpcli.config import AugmentConfig, Config, OptimizerConfig
from bpcli.core import parameters
from bpcli.core.dropout import write_mask
from bpcli.core.parameters import Layer
from bpcli.core.schedules import rate
from bpcli.core.types import Array
from bpcli.data.datasets import Split
from bpcli.gradcheck import differences
from bpcli.gradcheck.differences import KINDS, Errors, Point, furthest, larger
from bpcli.gradcheck.reference import Formulas
from bpcli.inference.evaluation import one_hot
from bpcli.model import Model
from bpcli.training import builders
from bpcli.training.trainer import Order, Trainer

FORMULA = "formula"  # the method

Layers = tuple[Layer, ...]
Rule = Callable[[OptimizerConfig, Array, Array, Sequence[Array], float, float, int], None]


def momentum(
    settings: OptimizerConfig, w: Array, g: Array, state: Sequence[Array], eta: float, decay: float, t: int
) -> None:
    """Update w and its velocity v: v ← μ·v − η·(g + λ·w), then w ← w + v, or w + μ·v − η·(g + λ·w) with Nesterov."""
    (v,) = state
    g = g + decay * w
    v[:] = settings.momentum * v - eta * g
    w[:] = w + (settings.momentum * v - eta * g if settings.nesterov else v)


def adam(
    settings: OptimizerConfig, w: Array, g: Array, state: Sequence[Array], eta: float, decay: float, t: int
) -> None:
    """Update w and the means m of g and s of g²: algorithm 1 of arXiv:1412.6980, or 2 of arXiv:1711.05101."""
    m, s = state
    if settings.kind == "adamw":
        w[:] = w - eta * decay * w
    else:
        g = g + decay * w
    m[:] = settings.beta1 * m + (1 - settings.beta1) * g
    s[:] = settings.beta2 * s + (1 - settings.beta2) * g**2
    unbiased_m, unbiased_s = m / (1 - settings.beta1**t), s / (1 - settings.beta2**t)
    w[:] = w - eta * unbiased_m / (np.sqrt(unbiased_s) + settings.epsilon)


RULES: dict[str, Rule] = {"momentum": momentum, "adam": adam, "adamw": adam}


@np.errstate(all="ignore")
def step_errors(model: Model, split: Split, size: int, rng: np.random.Generator) -> Errors:
    """Return the largest relative errors of the parameters and of the optimizer's state over some steps.

    Args:
        model: the model to train, float64; its parameters change.
        split: upright images.
        size: of a batch.
        rng: draws the state before the first step.

    Returns:
        The errors by quantity; None if both sides have overflowed.
    """
    model = replace(model, config=_few_and_plain(model.config, size))
    names = builders.optimizer(model.config, len(split)).state_names
    # not zero, so that the first step tests its update; positive, because a mean of squares is
    state = tuple(0.01 * np.abs(rng.standard_normal(model.parameters.shape)) for _ in names)
    order = rng.permutation(len(split))
    trainer = Trainer(model, state, split, builders.thread_group(model.config, model.spec))
    prefixes = ("", *(f"{name.replace('_', ' ')} of " for name in names))
    errors: Errors = {}
    for step in range(trainer.steps):
        expected = _stepped(model, state, split, order, step)
        steps = trainer.run(0, order, step)
        next(steps)
        steps.close()
        found = [_views(model, vector) for vector in (model.parameters, *state)]
        for prefix, here, there in zip(prefixes, found, expected, strict=True):
            errors |= larger(errors, _errors(prefix, here, there))
    return errors


def _few_and_plain(config: Config, size: int) -> Config:
    """Return the configuration with batches of this size and without distortions."""
    train = msgspec.structs.replace(config.train, batch_size=size)
    nothing = AugmentConfig(**dict.fromkeys(AugmentConfig.__struct_fields__, 0.0) | {"elastic_sigma": 1.0})
    return msgspec.structs.replace(config, train=train, augment=nothing)


def _errors(prefix: str, found: Layers, expected: Layers) -> Errors:
    """Return the largest relative errors over the layers."""
    return {
        f"{prefix}{kind}": furthest([getattr(one, kind) for one in found], [getattr(one, kind) for one in expected])
        for kind in KINDS
    }


def _stepped(model: Model, state: Sequence[Array], split: Split, order: Order, step: int) -> list[Layers]:
    """Return the parameters and the vectors of the state after a step, by the formulas of `RULES`.

    The batch's gradient is that of the kernels, which the other rows of the check test.
    """
    config, size = model.config, model.config.train.batch_size
    batch, steps = order[step * size :][:size], -(-len(split) // size)
    eta = config.optimizer.learning_rate * rate(builders.schedule(config), 0, step, steps)
    vectors = [_views(model, vector.copy()) for vector in (model.parameters, *state)]
    rule, decay = RULES[config.optimizer.kind], config.optimizer.weight_decay / len(split)
    for (w, b), g, *states in zip(vectors[0], _gradients(model, split, batch, step), *vectors[1:], strict=True):
        rule(config.optimizer, w, g.weight, [layer.weight for layer in states], eta, decay, step + 1)
        rule(config.optimizer, b, g.bias, [layer.bias for layer in states], eta, 0.0, step + 1)
    return vectors


def _gradients(model: Model, split: Split, batch: Order, step: int) -> list[Layer]:
    """Return the gradient of a batch's mean loss."""
    x = model.preprocessing.inputs(split.images[batch], np.float64)
    y = one_hot(split.labels[batch], model.network.sizes[-1], x.dtype)
    nothing = Formulas((), ("", ""))  # only other methods need formulas
    masks = masks_of_step(model, len(batch), 0, step)
    return differences.kernels(Point(model.network, nothing, model.parameters, x, y, masks)).gradients


def masks_of_step(model: Model, n: int, epoch: int, step: int) -> tuple[Array, ...]:
    """Return the dropout masks of a step, (n, units) for each hidden layer; empty without dropout."""
    config = model.config
    if not config.model.dropout:
        return ()
    masks = tuple(np.empty((n, units)) for units in model.network.sizes[1:-1])
    for layer, mask in enumerate(masks):
        write_mask(config.model.dropout, config.seed, epoch, step, layer, slice(mask.shape[1]), mask)
    return masks


def _views(model: Model, vector: Array) -> Layers:
    return parameters.views(vector, model.network.sizes)
