"""scikit-learn: `MLPClassifier.partial_fit` of the images of so many steps, with the same gradient descent.

Given targets of ten columns it takes each for a class of its own: sigmoid outputs with binary cross-entropy.
"""

import warnings
from collections.abc import Callable

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from benchmarks.cases import MOMENTUM, Case
from benchmarks.contenders.data import normalised
from benchmarks.contenders.serving import Ready, serve


def make(case: Case, variant: str, folder: str) -> Ready:
    """A classifier of a case."""
    x, y = normalised(case, folder)
    targets = y.astype(int)
    classifier = MLPClassifier(
        case.sizes[1:-1],
        activation="relu" if case.activation == "relu" else "logistic",
        solver="sgd",
        alpha=0.0,
        batch_size=case.batch,
        learning_rate_init=case.learning_rate,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        random_state=0,
    )
    rng = np.random.default_rng(0)
    warnings.simplefilter("ignore")  # it has not converged

    def ready(steps: int) -> Callable[[], object]:
        chosen = rng.permutation(len(x))[: steps * case.batch]
        images, labels = x[chosen], targets[chosen]
        return lambda: classifier.partial_fit(images, labels, classes=np.arange(10))

    return ready


def about(case: Case) -> dict[str, str]:
    """scikit-learn's version."""
    return {"scikit-learn": sklearn.__version__}


if __name__ == "__main__":
    serve(make, about)
