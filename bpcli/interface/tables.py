"""Tables of features and their labels, checked and converted by the conventions of scikit-learn, without importing it.

The errors are `ValueError` and `TypeError`, as these conventions want them.
"""

import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpcli.core.types import Array
from bpcli.errors import BpcliWarning


def features(table: Any) -> Array:
    """Return a table of features as an array (n, features); float32 stays float32, the rest becomes float64.

    Raises:
        TypeError: the table is a sparse matrix.
        ValueError: it is not of two dimensions, is empty, or holds anything but finite real numbers.
    """
    if hasattr(table, "tocsr"):
        raise TypeError("a sparse matrix was passed, but dense data is expected; convert it by its toarray()")
    array = np.asarray(table)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {array.dtype}")
    if array.ndim != 2:
        raise ValueError(
            f"expected a table (samples, features), got an array of the shape {array.shape}. Reshape your data: "
            "array.reshape(-1, 1) if it has one feature, array.reshape(1, -1) if it is one sample"
        )
    _require_some(array)
    numbers: Array = np.ascontiguousarray(array, np.float32 if array.dtype == np.float32 else np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("the features contain NaN or infinity; impute or remove these samples")
    return numbers


def _require_some(array: NDArray[Any]) -> None:
    for length, what in zip(array.shape, ("sample", "feature"), strict=True):
        if not length:
            raise ValueError(f"Found array with 0 {what}(s) (shape={array.shape}) while a minimum of 1 is required.")


def names(table: Any) -> NDArray[np.object_] | None:
    """Return the column names of a data frame as an array of str; None for other tables, and for other names."""
    columns = list(getattr(table, "columns", ()))
    return np.array(columns, object) if columns and all(isinstance(name, str) for name in columns) else None


def labels(given: Any, samples: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the sorted classes, and the index of each sample's class.

    Args:
        given: one label, such as an int or a str, for each sample.
        samples: the number of samples.

    Raises:
        ValueError: labels are missing, or are numbers with fractions.
    """
    array = one_each(given, samples)
    if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.rint(array))).all():
        raise ValueError("Unknown label type: continuous. A class is an int or a str; y has fractions, NaN or infinity")
    classes, indices = np.unique(array, return_inverse=True)
    return classes, indices


def one_each(given: Any, samples: int) -> NDArray[Any]:
    """Return labels as an array (samples,); a column of them is accepted with a warning.

    Raises:
        ValueError: there is not one for each sample.
    """
    if given is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None")
    array = np.asarray(given)
    if array.ndim == 2 and array.shape[1] == 1:
        category = exception("DataConversionWarning", BpcliWarning)
        warnings.warn("A column-vector y was passed when a 1d array was expected; y.ravel() makes one", category, 4)
        array = array.ravel()
    if array.shape != (samples,):
        raise ValueError(f"expected one label for each of the {samples} samples, got y of the shape {array.shape}")
    return array


class NotFittedError(ValueError, AttributeError):
    """An estimator that is used before `fit`; scikit-learn's error of this name if scikit-learn is imported."""


def exception(name: str, otherwise: type[Any]) -> type[Any]:
    """Return scikit-learn's exception or warning of a name if scikit-learn is imported, else the other class."""
    return getattr(sys.modules.get("sklearn.exceptions"), name, otherwise)
