"""The floor: the matrix products that no implementation can leave out, by NumPy alone.

Five a step for one hidden layer: two forward, two for the weights' gradients, one for δ of the hidden layer.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks.cases import Case
from benchmarks.contenders.serving import Ready, serve
from bpcli.core.types import Array


def make(case: Case, variant: str, folder: str) -> Ready:
    """The products of a case on as many BLAS threads as the variant says."""
    threadpool_limits(int(variant), "blas")
    rng = np.random.default_rng(0)

    def random(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(np.float32)

    a = [random(case.batch, size) for size in case.sizes]
    delta = [random(case.batch, size) for size in case.sizes]
    w = [random(*shape) for shape in pairwise(case.sizes)]
    g = [np.empty_like(each) for each in w]

    def products() -> None:
        for index, weight in enumerate(w):
            np.matmul(a[index], weight, out=a[index + 1])
        for index in reversed(range(len(w))):
            np.matmul(a[index].T, delta[index + 1], out=g[index])
            if index:
                np.matmul(delta[index + 1], w[index].T, out=delta[index])
        for each in (*a[1:], *delta[1:-1]):
            each[:] = 0.5  # or the numbers would overflow; part of no product, and a hundredth of the time

    def ready(steps: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(steps):
                products()

        return run

    return ready


def about(case: Case) -> dict[str, str]:
    """NumPy and its BLAS, with the kind of processor that it takes this one for."""
    blas = {
        " ".join(str(library.get(key)) for key in ("internal_api", "version", "architecture"))
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    return {"NumPy": np.__version__, "BLAS": ", ".join(sorted(blas))}


if __name__ == "__main__":
    serve(make, about)
