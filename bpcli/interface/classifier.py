"""A multilayer perceptron for any table of numbers, by the conventions of scikit-learn's estimators.

It learns with the forward and backward pass, the initializers and the optimizers that train on images. scikit-learn is
not needed, and only it calls `__sklearn_tags__`.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.core import parameters, seeds
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.initializers import INITIALIZERS, initialize
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Buffers, Network, backward, forward
from bpcli.core.optimizers import blocks
from bpcli.core.parameters import Layer
from bpcli.core.threads import ALONE, ThreadGroup
from bpcli.core.types import Array
from bpcli.errors import ConfigError, TrainingError
from bpcli.interface import tables
from bpcli.interface.tables import NotFittedError
from bpcli.training import builders

ROWS = 4096  # samples that are predicted in one pass
OUTPUT = {"model.output": "softmax", "loss": "cross_entropy"}  # so that the probabilities sum to one


@dataclass(eq=False)
class MLPClassifier:
    """A multilayer perceptron with softmax outputs, trained with cross-entropy in batches.

    Each parameter has the limits of the key of the configuration whose last part it is (`optimizer`: of
    optimizer.kind); `fit` checks them. Features are taken as they are: scale them to about -1 to 1 first.

    Attributes:
        hidden: the number of units of each hidden layer; () for softmax regression.
        activation: of the hidden layers, a name of `bpcli.core.activations.ACTIVATIONS`; or a tuple, one for each.
        epochs: passes over the samples.
        batch_size: samples of a step.
        optimizer: adam, adamw or momentum.
        learning_rate: η.
        momentum: μ of the optimizer momentum.
        weight_decay: λ of the penalty λ/2n·Σw² over the weights, n samples.
        init: a name of `bpcli.core.initializers.INITIALIZERS`.
        random_state: the seed of weights and order; the same seed gives the same network. A generator of NumPy draws
            one, and None draws one from the system.
        classes_: the classes, sorted.
        n_features_in_: the number of features.
        feature_names_in_: their names, if `fit` got a data frame.
        coefs_, intercepts_: the weights (fan_in, fan_out) and the biases (fan_out,) of each layer.
        activations_: the name of each hidden layer's activation.
        loss_curve_: the mean loss of each epoch, each batch's before its step.
        n_iter_: the number of epochs.
    """

    hidden: tuple[int, ...] = (100,)
    activation: str | tuple[str, ...] = "relu"
    epochs: int = 20
    batch_size: int = 32
    optimizer: str = "adam"
    learning_rate: float = 0.003
    momentum: float = 0.9
    weight_decay: float = 0.0
    init: str = "he"
    random_state: Any = 0

    def fit(self, X: Any, y: Any) -> "MLPClassifier":  # noqa: N803
        """Train from new weights and return self.

        Args:
            X: (n, features), finite numbers.
            y: (n,), a class for each row: ints or strs.

        Raises:
            ValueError: a parameter, X or y is not valid.
            TypeError: X is sparse.
            TrainingError: training has diverged.
        """
        x = tables.features(X)
        classes, targets = tables.labels(y, len(x))
        config = self._config()
        network = _network(x.shape[1], config.model.hidden, config.model.activations, len(classes))
        training = _Training(config, network, x, targets)
        with _one_thread():
            losses = [training.epoch(epoch) for epoch in range(config.train.epochs)]
        self._keep_names(X)
        self.classes_, self.n_features_in_ = classes, x.shape[1]
        self.activations_, self.loss_curve_, self.n_iter_ = config.model.activations, losses, len(losses)
        self.coefs_ = [layer.weight for layer in training.layers]
        self.intercepts_ = [layer.bias for layer in training.layers]
        return self

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the most probable class of each row, (n,)."""
        best = self.predict_proba(X).argmax(axis=1)
        classes: NDArray[Any] = self.classes_[best]
        return classes

    def predict_proba(self, X: Any) -> Array:  # noqa: N803
        """Return the probability of each class, (n, classes), in the order of `classes_`; a row sums to one.

        Raises:
            NotFittedError: `fit` was not called yet.
            ValueError, TypeError: X is not valid, or has other features than the X of `fit`.
        """
        self._require_fitted()
        x = self._same_features(X)
        layers = [Layer(*both) for both in zip(self.coefs_, self.intercepts_, strict=True)]
        network = _network(
            self.n_features_in_, [len(b) for b in self.intercepts_[:-1]], self.activations_, len(self.classes_)
        )
        with _one_thread():
            return _probabilities(network, layers, x)

    def score(self, X: Any, y: Any) -> float:  # noqa: N803
        """Return the accuracy on rows with known classes, from 0 to 1.

        Raises:
            As `predict_proba`.
            ValueError: y is not one label for each row.
        """
        answers = self.predict(X)
        return float(np.mean(answers == tables.one_each(y, len(answers))))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; `deep` has no effect, as none of them is an estimator."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> "MLPClassifier":
        """Set parameters by name and return self.

        Raises:
            ValueError: there is no such parameter.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {[*known]}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = ", ".join(
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if repr(getattr(self, field.name)) != repr(field.default)
        )
        return f"{type(self).__name__}({changed})"

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks estimators about themselves."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(),
        )

    def _config(self) -> Config:
        """Return the parameters as a configuration, which checks their limits."""
        params = self.get_params()
        seed, kind = params.pop("random_state"), params.pop("optimizer")
        settings = params | {"optimizer.kind": kind, "seed": _seed(seed)} | OUTPUT
        try:
            return configuration.changed(configuration.from_tree({}, "default"), settings, type(self).__name__)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    def _require_fitted(self) -> None:
        if not hasattr(self, "classes_"):
            error = tables.exception("NotFittedError", NotFittedError)
            raise error(f"This {type(self).__name__} instance is not fitted yet; call fit first")

    def _keep_names(self, table: Any) -> None:
        """Keep the column names of the table that was fitted; forget those of an earlier one."""
        vars(self).pop("feature_names_in_", None)
        if (found := tables.names(table)) is not None:
            self.feature_names_in_ = found

    def _same_features(self, table: Any) -> Array:
        """Return a table as an array of the network's type; refuse one with other features than the fitted ones."""
        x, found, fitted = tables.features(table), tables.names(table), getattr(self, "feature_names_in_", None)
        if found is not None and fitted is not None and [*found] != [*fitted]:
            raise ValueError("The feature names should match those that were passed during fit, in the same order")
        if x.shape[1] != self.n_features_in_:
            name = type(self).__name__
            raise ValueError(
                f"X has {x.shape[1]} features, but {name} is expecting {self.n_features_in_} features as input"
            )
        return x.astype(self.coefs_[0].dtype, copy=False)


def _one_thread() -> AbstractContextManager[None]:
    """Keep BLAS from using several threads: waiting for each other takes longer than a small product."""
    return ThreadGroup(1).running(lambda index: None)


def _network(inputs: int, hidden: Sequence[int], activations: Sequence[str], classes: int) -> Network:
    functions = tuple(ACTIVATIONS[name] for name in activations)
    return Network((inputs, *hidden, classes), functions, OUTPUTS["softmax", "cross_entropy"])


def _probabilities(network: Network, layers: Sequence[Layer], x: Array) -> Array:
    """Return the probabilities (n, classes) for features (n, features), some rows at a time."""
    room = Buffers.allocate(network, min(ROWS, len(x)), x.dtype, backward=False)
    parts = (x[start : start + ROWS] for start in range(0, len(x), ROWS))
    logits = [forward(network, layers, part, room.first(len(part))) for part in parts]
    return network.output.value(np.concatenate(logits))


def _seed(random_state: Any) -> Any:
    """Return the seed that `random_state` is, or that it draws."""
    if random_state is None:
        random_state = np.random.default_rng()
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    return random_state.randint(2**31 - 1) if isinstance(random_state, np.random.RandomState) else random_state


class _Training:
    """The training of one `fit`.

    Args:
        config: the sizes of epochs and steps, the optimizer and the seed.
        network: what to train.
        x: (n, features).
        targets: (n,), the index of each row's class.

    Attributes:
        layers: the parameters, which `epoch` changes.
    """

    def __init__(self, config: Config, network: Network, x: Array, targets: NDArray[np.intp]) -> None:
        self._config, self._network, self._x = config, network, x
        self._y = np.eye(network.sizes[-1], dtype=x.dtype)
        self._targets = targets
        self._optimizer = builders.optimizer(config, len(x))
        vectors = np.zeros((2 + len(self._optimizer.state_names), parameters.count(network.sizes)), x.dtype)
        self.layers, self._gradients, *state = (parameters.views(vector, network.sizes) for vector in vectors)
        self._blocks = blocks(self.layers, self._gradients, state, ALONE)
        self._size = min(config.train.batch_size, len(x))
        self._room = Buffers.allocate(network, self._size, x.dtype)
        initialize(self.layers, INITIALIZERS[config.model.init], seeds.stream(config.seed, seeds.INITIALIZATION))

    @np.errstate(over="ignore", invalid="ignore")  # the loss shows it
    def epoch(self, epoch: int) -> float:
        """Do the steps of an epoch, counted from 0, and return the mean loss.

        Raises:
            TrainingError: the loss is no longer finite.
        """
        order = seeds.order(self._config.seed, epoch, len(self._x))
        batches = [order[start : start + self._size] for start in range(0, len(order), self._size)]
        loss = sum(self._step(batch, t) for t, batch in enumerate(batches, epoch * len(batches) + 1)) / len(order)
        if not isfinite(loss):
            raise TrainingError(f"the loss is no longer finite in epoch {epoch + 1}: a lower learning_rate helps")
        return loss

    def _step(self, batch: NDArray[np.intp], t: int) -> float:
        """Do the step number t, from 1, and return the sum of the batch's losses before it."""
        net, x, y, room = self._network, self._x[batch], self._y[self._targets[batch]], self._room.first(len(batch))
        z = forward(net, self.layers, x, room)
        p = net.output.value(z)
        backward(net, self.layers, x, p, y, room, self._gradients)
        for block in self._blocks:
            self._optimizer.step(block, self._config.optimizer.learning_rate, t)
        return float(net.output.loss(z, p, y).sum())
