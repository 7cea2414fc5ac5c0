"""The estimator: by scikit-learn's own checks, by a formula, and without scikit-learn."""

import pickle
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli import MLPClassifier
from bpcli.errors import TrainingError

SKIPPED = {  # for want of pandas, and of a variable of the environment
    "check_classifier_data_not_an_array", "check_array_api_input",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Estimator MLPClassifier does not inherit from `sklearn.base.BaseEstimator`")
def test_it_passes_the_checks_of_scikit_learn() -> None:
    from sklearn.utils.estimator_checks import check_estimator  # takes a second, which others needn't wait

    checked = check_estimator(MLPClassifier(), on_skip=None)
    assert {each["check_name"] for each in checked if each["status"] != "passed"} <= SKIPPED
    assert len(checked) > 50


@pytest.fixture(scope="module")
def blobs() -> tuple[NDArray[Any], NDArray[Any]]:
    """Two features of three classes, which lie apart."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60)
    return np.array([[0, 2], [2, 0], [-2, -2]])[y] + rng.normal(0, 0.3, (60, 2)), np.array(["ash", "elm", "oak"])[y]


def test_names_are_classes_and_probabilities_sum_to_one(blobs: tuple[NDArray[Any], NDArray[Any]]) -> None:
    x, y = blobs
    fitted = MLPClassifier(hidden=(8, 4), activation=("relu", "tanh"), epochs=30).fit(x, y)
    assert fitted.predict([[0, 2], [2, 0]]).tolist() == ["ash", "elm"]
    assert fitted.score(x, y) == 1
    assert fitted.predict_proba(x).sum(axis=1) == pytest.approx(1)
    assert [w.shape for w in fitted.coefs_] == [(2, 8), (8, 4), (4, 3)]
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0] / 2
    assert (pickle.loads(pickle.dumps(fitted)).predict_proba(x) == fitted.predict_proba(x)).all()


def test_a_step_is_that_of_softmax_regression(blobs: tuple[NDArray[Any], NDArray[Any]]) -> None:
    """∂C/∂W = xᵀ·(p − y)/n and λ/n·W, for a network without a hidden layer, written down anew."""
    x, y = blobs
    one = MLPClassifier((), epochs=1, batch_size=100, optimizer="momentum", learning_rate=1e-300).fit(x, y)
    w, b = one.coefs_[0], one.intercepts_[0]
    e = np.exp(x @ w + b)
    wrong = e / e.sum(axis=1, keepdims=True) - (y[:, None] == one.classes_)
    stepped = one.set_params(learning_rate=0.5, weight_decay=3.0).fit(x, y)
    assert stepped.coefs_[0] == pytest.approx(w - 0.5 * (x.T @ wrong + 3 * w) / 60, rel=1e-9)
    assert stepped.intercepts_[0] == pytest.approx(b - 0.5 * wrong.mean(axis=0), rel=1e-9)


def test_it_goes_into_pipelines_and_searches(blobs: tuple[NDArray[Any], NDArray[Any]]) -> None:
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), MLPClassifier(hidden=(8,), epochs=20))
    search = GridSearchCV(pipeline, {"mlpclassifier__learning_rate": np.array([1e-6, 0.03])}, cv=2).fit(*blobs)
    assert search.best_params_ == {"mlpclassifier__learning_rate": 0.03}
    assert search.best_score_ > 0.9


def test_it_shows_what_differs_from_the_defaults() -> None:
    from sklearn.base import clone

    assert repr(clone(MLPClassifier(hidden=(3,), epochs=2))) == "MLPClassifier(hidden=(3,), epochs=2)"


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"activation": "relo"}, "model.activation = relo: expected one of .*; did you mean relu?"),
        ({"optimizer": "sgd"}, "optimizer.kind = sgd: expected one of momentum, adam, adamw"),
        ({"hidden": (0,)}, "model.hidden"),
        ({"epochs": 0}, "train.epochs = 0: expected int >= 1"),
        ({"random_state": "x"}, "seed = x: expected int"),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"MLPClassifier: {complaint}"):
        MLPClassifier(**parameters).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="Invalid parameter 'layers'"):
        MLPClassifier().set_params(layers=2)


def test_the_seed_decides(blobs: tuple[NDArray[Any], NDArray[Any]]) -> None:
    def first_weight(random_state: Any) -> float:
        return float(MLPClassifier((2,), epochs=1, random_state=random_state).fit(*blobs).coefs_[0][0, 0])

    assert first_weight(3) == first_weight(np.int64(3)) != first_weight(4)
    assert first_weight(np.random.RandomState(1)) == first_weight(np.random.RandomState(1))
    assert first_weight(np.random.default_rng(1)) == first_weight(np.random.default_rng(1))
    assert first_weight(None) != first_weight(None)


@dataclass
class Frame:
    """What a data frame is to an estimator."""

    columns: list[str]
    values: NDArray[Any]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.values


def test_the_columns_of_a_data_frame_are_remembered(blobs: tuple[NDArray[Any], NDArray[Any]]) -> None:
    x, y = blobs
    fitted = MLPClassifier((2,), epochs=1).fit(Frame(["width", "height"], x), y)
    assert fitted.feature_names_in_.tolist() == ["width", "height"]
    assert fitted.predict(Frame(["width", "height"], x)).shape == (60,)
    with pytest.raises(ValueError, match="The feature names should match"):
        fitted.predict(Frame(["height", "width"], x))
    assert not hasattr(fitted.fit(x, y), "feature_names_in_")


def test_float32_stays_float32(blobs: tuple[NDArray[Any], NDArray[Any]]) -> None:
    x, y = blobs
    fitted = MLPClassifier((2,), epochs=1).fit(x.astype(np.float32), y)
    assert fitted.coefs_[0].dtype == fitted.predict_proba(x).dtype == np.float32


def test_divergence_is_said() -> None:
    with pytest.raises(TrainingError, match="no longer finite in epoch 1: a lower learning_rate helps"):
        MLPClassifier(activation="identity", optimizer="momentum", learning_rate=1000, batch_size=1).fit(
            np.array([[1e30], [-1e30]], np.float32), [0, 1]
        )


def test_it_needs_no_scikit_learn() -> None:
    code = """
import sys, bpcli
model = bpcli.MLPClassifier((4,), epochs=2)
try:
    model.predict([[1.0]])
except (ValueError, AttributeError) as error:
    print(type(error).__name__)
try:
    model.fit([[1.0], [2.0]], [[0], [1]])
except UserWarning as warning:
    print(type(warning).__name__)
print(model.fit([[1.0], [2.0]], [0, 1]).predict([[1.0]]).shape, "sklearn" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["NotFittedError", "BpcliWarning", "(1,) False"]


def test_a_score_takes_the_labels_that_fit_takes(blobs: tuple[NDArray[Any], NDArray[Any]]) -> None:
    x, y = blobs
    fitted = MLPClassifier(epochs=5).fit(x, y)
    right = float(np.mean(fitted.predict(x) == y))
    with pytest.warns(UserWarning, match="A column-vector y was passed"):
        assert fitted.score(x, y.reshape(-1, 1)) == right
    assert fitted.score(x, [None] * 60) == 0
    with pytest.raises(ValueError, match=r"expected one label for each of the 60 samples, got y of the shape \(1,\)"):
        fitted.score(x, y[:1])
