"""The digits as the peers take them: floats, normalised beforehand, all in memory."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import DEVIATION, MEAN, Case


def normalised(case: Case, folder: str) -> tuple[Any, Any]:
    """The images (n, 784) of a case and the targets (n, 10), both float32."""
    images = np.load(Path(folder) / "images.npy")[: case.images]
    labels = np.load(Path(folder) / "labels.npy")[: case.images]
    x = (images.astype(np.float32) / np.float32(255) - np.float32(MEAN)) / np.float32(DEVIATION)
    return x, np.eye(10, dtype=np.float32)[labels]


def write(folder: Path, images: Any, labels: Any) -> None:
    """Writes the bytes that `normalised` reads."""
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)
