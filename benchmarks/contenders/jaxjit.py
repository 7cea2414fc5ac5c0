"""JAX: a step compiled as a whole, its parameters and velocities changed in place (donated)."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import MOMENTUM, Case
from benchmarks.contenders.data import normalised
from benchmarks.contenders.serving import Ready, serve


def make(case: Case, variant: str, folder: str) -> Ready:
    """A step of a case with its parameters."""
    x, y = (jnp.asarray(each) for each in normalised(case, folder))
    rng = np.random.default_rng(0)
    weights = [
        (jnp.asarray(rng.normal(0, (2 / a) ** 0.5, (a, b)).astype(np.float32)), jnp.zeros(b))
        for a, b in pairwise(case.sizes)
    ]
    state = [weights, jax.tree.map(jnp.zeros_like, weights)]

    def loss(parameters: Any, images: Any, targets: Any) -> Any:
        for w, b in parameters[:-1]:
            z = images @ w + b
            images = jax.nn.relu(z) if case.activation == "relu" else jax.nn.sigmoid(z)
        w, b = parameters[-1]
        logits = images @ w + b
        return jnp.sum(jnp.logaddexp(0, logits) - targets * logits) / len(targets)

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(parameters: Any, velocity: Any, x: Any, y: Any, chosen: Any) -> Any:
        gradient = jax.grad(loss)(parameters, x[chosen], y[chosen])
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v - case.learning_rate * g, velocity, gradient)
        return jax.tree.map(jnp.add, parameters, velocity), velocity

    def ready(steps: int) -> Callable[[], None]:
        batches = [jnp.asarray(batch) for batch in _batches(rng, case, steps)]

        def run() -> None:
            for batch in batches:
                state[:] = step(*state, x, y, batch)
            jax.block_until_ready(state)

        return run

    return ready


def _batches(rng: np.random.Generator, case: Case, steps: int) -> Any:
    return rng.permutation(case.images)[: steps * case.batch].reshape(steps, case.batch)


def about(case: Case) -> dict[str, str]:
    """JAX's version."""
    return {"JAX": jax.__version__}


if __name__ == "__main__":
    serve(make, about)
