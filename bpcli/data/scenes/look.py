"""The look of a scene as numbers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Colour = tuple[float, float, float]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of ITU-R BT.601


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a scene: lengths in pixels unless stated otherwise, light from 0 to 1."""

    size: int = 100  # longest side of a digit
    margins: tuple[int, int, int, int] = (30, 30, 30, 30)  # left, top, right, bottom
    paper: Colour = (1.0, 1.0, 1.0)
    ink: Colour = (0.0, 0.0, 0.0)
    pen: float | None = None  # stroke width as a share of the digit's size; None keeps the strokes of MNIST
    rotation: float = 0.0  # degrees
    texture: float = 0.0  # standard deviation of the paper's brightness
    lines: Literal["none", "ruled", "squared"] = "none"
    line_spacing: float = 40.0
    line_strength: float = 0.0  # share of the light that a line takes away
    lamp: float = 0.0  # share of the light that is missing at the darkest place
    shadow: float = 0.0  # share of the light that a soft-edged shadow takes away
    blur: float = 0.0  # standard deviation
    noise: float = 0.0  # standard deviation
    file: str = "rgb png"  # one of `files.FILES`
    orientation: int = 1  # EXIF's, 1 to 8
