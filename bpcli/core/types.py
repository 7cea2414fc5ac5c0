"""The two kinds of array that the mathematics works on."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]  # float32 in training, float64 in gradient checks
Bytes: TypeAlias = NDArray[np.uint8]
