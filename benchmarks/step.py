"""How long an epoch of training takes, as a multiple of its matrix products alone, timed in turn in one process.

    python benchmarks/step.py [PRESET] [-s KEY=VALUE]...

The floor are the products that no implementation can leave out (for one hidden layer five a step), run by NumPy
alone on as many BLAS threads as there are workers.
"""

import os

for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # users' machines don't set them
    os.environ.pop(variable, None)

import statistics  # noqa: E402
import sys  # noqa: E402
from itertools import pairwise  # noqa: E402
from time import perf_counter  # noqa: E402

import numpy as np  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from bpcli import config as configuration  # noqa: E402
from bpcli.config import Config  # noqa: E402
from bpcli.core import seeds  # noqa: E402
from bpcli.training import problem  # noqa: E402
from bpcli.training.loop import first_state  # noqa: E402
from bpcli.training.run import read_data  # noqa: E402
from bpcli.training.session import Session  # noqa: E402

ROUNDS = 7


def floor(config: Config, steps: int) -> float:
    """Seconds of the matrix products of so many steps: forward, weight gradients, δ of the hidden layers."""
    rng = np.random.default_rng(0)

    def random(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    sizes, batch = problem.network(config).sizes, config.train.batch_size
    a = [random(batch, size) for size in sizes]
    delta = [random(batch, size) for size in sizes]
    w = [random(*shape) for shape in pairwise(sizes)]
    g = [np.empty_like(each) for each in w]
    start = perf_counter()
    for _ in range(steps):
        for index, weight in enumerate(w):
            np.matmul(a[index], weight, out=a[index + 1])
        for index in reversed(range(len(w))):
            np.matmul(a[index].T, delta[index + 1], out=g[index])
            if index:
                np.matmul(delta[index + 1], w[index].T, out=delta[index])
        for each in (*a[1:], *delta[:-1]):
            each[:] = 0.5  # or the numbers would overflow; part of no product, and a thousandth of the time
    return perf_counter() - start


def main() -> None:
    """Times both in turn and prints each round's seconds and the median ratio."""
    source = sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "default"
    overrides = [word for word in sys.argv[1:] if "=" in word]
    config = configuration.load(source, overrides)
    training = read_data(config, "train")
    state, team = first_state(config), problem.team(config)
    session = Session(config, state.parameters, state.velocity, training, team)
    order = seeds.order(0, 0, len(training))
    ratios = []
    for round_ in range(ROUNDS + 1):
        with threadpool_limits(team.size, "blas"):
            least = floor(config, session.steps)
        start = perf_counter()
        for step in session.run(0, order, 0):
            if session.full or step == session.steps - 1:
                session.tallies()
        epoch = perf_counter() - start
        if round_:  # the first one warms up
            ratios.append(epoch / least)
            print(f"products {least:.3f} s   epoch {epoch:.3f} s   ratio {epoch / least:.3f}")
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
    print(f"{source}, {team.size} workers: median ratio {statistics.median(ratios):.3f} ({spread})")


if __name__ == "__main__":
    main()
