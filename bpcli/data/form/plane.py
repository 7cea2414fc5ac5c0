"""Projective geometry of a plane: from the paper to its photograph.

R. Hartley, A. Zisserman, "Multiple View Geometry in Computer Vision", 2nd edition, 2004, section 2.3. A homography is a
matrix (3, 3) that takes (x, y, 1) to a multiple of the image's (x, y, 1).
"""

import numpy as np
from PIL import Image

from bpcli.data.form.layout import Points

Matrix = Points  # (3, 3)
Box = tuple[float, float, float, float]  # left, top, right, bottom


def homography(source: Points, target: Points) -> Matrix:
    """Return the homography that takes four points (4, 2) to four others; of neither may three lie on a line."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1).reshape(3, 3)


def moved(matrix: Matrix, points: Points) -> Points:
    """Return where a homography takes points (…, 2)."""
    homogeneous = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1) @ matrix.T
    return np.asarray(homogeneous[..., :2] / homogeneous[..., 2:], np.float64)


def flattened(picture: Image.Image, matrix: Matrix, box: Box, scale: float) -> Image.Image:
    """Return a part of the paper as a scanner would show it.

    Args:
        picture: the photograph.
        matrix: the homography from the paper to the photograph's pixels.
        box: the edges of the part on the paper.
        scale: the pixels of the result for a unit of the paper.
    """
    left, top, right, bottom = box
    to_paper = np.array([(1 / scale, 0, left), (0, 1 / scale, top), (0, 0, 1)])
    whole = matrix @ to_paper
    size = round((right - left) * scale), round((bottom - top) * scale)
    coefficients = (whole / whole[2, 2]).ravel()[:8].tolist()
    return picture.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
