"""Preprocessing of images to the network's inputs: the same for training, evaluation and every picture."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpcli.core.deslant import deslant
from bpcli.core.pixels import Normalization, normalize
from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Array, Bytes
from bpcli.core.width import set_width
from bpcli.data.datasets import Split
from bpcli.errors import DataError


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The steps from images to the network's inputs.

    Attributes:
        side: the side of an image in pixels.
        normalization: scale and shift from bytes to numbers.
        deslant: whether slanted digits are deslanted first.
        width: pixels to which digits are stretched or squeezed in the same step; None leaves their widths alone.
    """

    side: int
    normalization: Normalization
    deslant: bool
    width: int | None = None

    @property
    def changes(self) -> bool:
        """Whether the network takes other pixels than those of the data set."""
        return self.deslant or self.width is not None

    def to_bytes(self, images: NDArray[Any]) -> Bytes:
        """Return images as bytes (n, side²).

        Args:
            images: (n, side, side) or (n, side²); uint8, or floats between 0 and 1.

        Raises:
            DataError: they have another shape, type or range.
        """
        n, pixels = len(images) if images.ndim else 0, self.side**2
        if images.shape not in ((n, self.side, self.side), (n, pixels)):
            raise DataError(
                f"images of the shape {images.shape}; this network takes (n, {self.side}, {self.side}) or (n, {pixels})"
            )
        flat = images.reshape(n, pixels)
        if images.dtype == np.uint8:
            return flat
        if not np.issubdtype(images.dtype, np.floating):
            raise DataError(f"images of the type {images.dtype}; expected uint8, or floats between 0 and 1")
        if n and not (flat.min() >= 0 and flat.max() <= 1):  # a NaN fails both comparisons
            raise DataError("images of floats that are not between 0 and 1; divide by 255, or convert them to uint8")
        return np.asarray(np.rint(flat * 255), np.uint8)

    def upright(self, images: Bytes, threads: ThreadGroup | None = None) -> Bytes:
        """Return images (n, side²), deslanted if `deslant` is set, and of the `width` if there is one.

        Args:
            images: bytes, as in the data set.
            threads: the threads that share the work; by default one.
        """
        if not self.changes:
            return images
        group, upright = threads or ThreadGroup(1), np.empty_like(images)

        def work(index: int) -> None:
            part = group.part(index, len(images))
            upright[part] = self._upright(images[part])

        group.parallel(work)
        return upright

    def _upright(self, images: Bytes) -> Bytes:
        return deslant(images) if self.width is None else set_width(images, self.width, self.deslant)

    def upright_split(self, split: Split, threads: ThreadGroup | None = None) -> Split:
        """Return a split with its images changed by `upright`."""
        return Split(self.upright(split.images, threads), split.labels)

    def normalize(self, upright: Bytes, out: Array) -> None:
        """Write upright images (n, side²) to `out`, normalized to numbers around zero."""
        normalize(upright, self.normalization, out)

    def inputs(self, upright: Bytes, dtype: type[np.floating[Any]] = np.float32) -> Array:
        """Return upright images (n, side²), normalized to numbers around zero."""
        x = np.empty(upright.shape, dtype)
        self.normalize(upright, x)
        return x
