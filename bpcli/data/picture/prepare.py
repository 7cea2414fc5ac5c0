"""Preparation of a picture as the square that the network sees. The steps are kept for people to look at."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bpcli.data.picture.background import Ink
from bpcli.data.picture.damage import is_laid_out, mended
from bpcli.data.picture.digit import FINE, SIDE, Layout, centred, crop, fit, is_normalised, layout, weigh
from bpcli.data.picture.ink import InkMap, coverage, find_ink, steepness
from bpcli.data.picture.marks import one_digit
from bpcli.data.picture.scale import Grey, Mask, grow, shrink, unzoomed
from bpcli.data.picture.segment import Box, Found, separate
from bpcli.data.picture.square import squared

Bytes = NDArray[np.uint8]

PAGE = 1200  # pixels a side to which pictures of several digits are shrunk
WORKING = 400  # pixels a side to which pictures are shrunk to find a digit: noise averages out
CLOSER = 150  # a digit found with fewer pixels a side is read again from the full picture
FAINTEST = 0.08  # ink absorbs at least this share of the paper's light
CLEAR = 6.0  # minimum contrast of ink, in standard deviations of the paper's noise
STEEP = 5.0  # minimum steepness of ink's edges; shadings have up to 3.7, blurred digits of 28×28 pixels at least 5.6
SPARSEST = 0.05  # a digit has at least this share of all marks' area; less is one speck among many


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as the network sees it.

    Attributes:
        pixels: (side, side), a digit in white ink on black, or any other picture; None if there is nothing to see.
        reason: why there is nothing to see, else "".
        steps: the intermediate pictures (h, w) by name, in order.
    """

    pixels: Bytes | None
    reason: str
    steps: dict[str, Bytes]


def prepare(grey: Grey, ink: Ink = "auto", *, side: int = SIDE, digits: bool = True) -> Prepared:
    """Return a picture as a network expects it: its digit in MNIST's format, or all of it in a square.

    Args:
        grey: the picture (h, w), from 0 (black) to 1 (white), as `read_picture` returns it.
        ink: whether the ink is darker or lighter than the paper; auto decides. Pictures of anything but digits are
            inverted if the ink is dark.
        side: the side of the square in pixels.
        digits: whether the network classifies digits.

    Returns:
        What the network sees, or why there is nothing to see. A picture of that side is returned unchanged if it is
        already in MNIST's format, or if it is not of a digit.
    """
    return _digit(grey, ink, layout(side)) if digits else _whole(1 - grey if ink == "dark" else grey, side)


def _whole(grey: Grey, side: int) -> Prepared:
    """Prepare all of a picture."""
    steps = {"picture": to_bytes(shrink(grey, WORKING))}
    if grey.min() == grey.max():
        return Prepared(None, "blank: the picture is of one grey all over", steps)
    pixels = to_bytes(squared(grey, side))
    return Prepared(pixels, "", steps | {"input": pixels})


def _digit(grey: Grey, ink: Ink, own: Layout) -> Prepared:
    """Prepare the digit of a picture."""
    grey = unzoomed(grey)
    if (repaired := mended(grey, own)) is not grey:
        return _mended(repaired, grey, own)
    if (already := unchanged(grey, own)) is not None:
        return Prepared(already, "", {"picture": to_bytes(grey)})
    return _found(grey, ink, own)


def _found(grey: Grey, ink: Ink, own: Layout) -> Prepared:
    """Prepare the digit that is found among the marks on the paper."""
    work = shrink(grey, WORKING)
    found = find_ink(work, ink)
    steps = {"picture": to_bytes(work), "ink": to_bytes(found.darkness / max(found.solid, FAINTEST))}
    if not _stands_out(found):
        return Prepared(None, "blank: nothing stands out from the background", steps)
    kept = one_digit(found.pieces)
    if np.count_nonzero(kept) < SPARSEST * found.pieces.areas.sum():
        return Prepared(None, "nothing but specks", steps)
    if (region := _closer(kept, grey)) is not None:
        return _digit(region, "light" if found.light else "dark", own)
    if steepness(found, work) < STEEP:
        return Prepared(None, "blank: nothing stands out from the background by an edge", steps)
    return _as_mnist(coverage(found, kept), steps, own)


def _mended(repaired: Grey, grey: Grey, own: Layout) -> Prepared:
    """Prepare a damaged digit; it is not moved or scaled if it already lies as MNIST's."""
    steps = {"picture": to_bytes(grey), "mended": to_bytes(repaired)}
    if is_laid_out(repaired, own):
        return Prepared(steps["mended"], "", steps)
    found = _found(repaired, "light", own)
    return replace(found, steps=steps | found.steps | steps)  # in this order, with the picture as it was given


def _closer(kept: Mask, grey: Grey) -> Grey | None:
    """Return the digit's region of the full picture if the digit is too small in the shrunk one, else None."""
    scale = max(grey.shape) / max(kept.shape)
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    size = max(np.ptp(rows), np.ptp(columns)) + 1
    if scale <= 1 or size >= CLOSER:
        return None
    top, left = (max(0, int(scale * (edge - 0.5 * size))) for edge in (rows[0], columns[0]))
    bottom, right = (int(scale * (edge + 0.5 * size) + 1) for edge in (rows[-1], columns[-1]))
    return grey[top:bottom, left:right]


def _stands_out(found: InkMap) -> bool:
    return found.solid >= FAINTEST and found.contrast >= CLEAR and len(found.pieces) > 0


def _as_mnist(cover: Grey, steps: dict[str, Bytes], own: Layout) -> Prepared:
    """Prepare a digit whose ink covers the share `cover` (h, w) of each pixel; `steps` are the steps so far."""
    if not cover.any():
        return Prepared(None, "blank: nothing stands out from the background's noise", steps)
    cover = crop(cover)
    strokes = weigh(fit(cover, own.box * FINE), own)
    pixels = centred(fit(crop(strokes), own.box), own.side)
    return Prepared(pixels, "", steps | {"digit": to_bytes(cover), "strokes": to_bytes(strokes), "input": pixels})


def prepare_all(grey: Grey, ink: Ink = "auto", *, side: int = SIDE) -> list[tuple[Box, Prepared]]:
    """Return the digits of a picture in reading order: lines from the top, each from the left.

    Args:
        grey: the picture (h, w), from 0 (black) to 1 (white), as `read_picture` returns it.
        ink: whether the ink is darker or lighter than the paper; auto decides.
        side: the side in pixels of the square that the network expects.

    Returns:
        Each digit's box (left, top, right, bottom) in pixels of the picture, and the digit as `prepare` returns it;
        an empty list if there is no digit.
    """
    own = layout(side)
    if (already := unchanged(grey, own)) is not None:
        return [((0, 0, side, side), Prepared(already, "", {"picture": to_bytes(grey)}))]
    work = shrink(grey, PAGE)
    found = find_ink(work, ink)
    if not _stands_out(found):
        return []
    scale = max(grey.shape) / max(work.shape)
    share = coverage(found, found.pieces.labels > 0)
    return [(_scaled(place.box, scale), _digit_at(place, share, own)) for place in separate(found.pieces)]


def _digit_at(place: Found, share: Grey, own: Layout) -> Prepared:
    """Prepare the digit with the mask of `place`, from the page's coverage (h, w)."""
    left, top, right, bottom = place.box
    mask = grow(np.pad(place.mask, 1), 1)[1:-1, 1:-1]
    return _as_mnist(share[top:bottom, left:right] * mask, {}, own)


def _scaled(box: Box, scale: float) -> Box:
    left, top, right, bottom = (round(edge * scale) for edge in box)
    return left, top, right, bottom


def unchanged(grey: Grey, own: Layout) -> Bytes | None:
    """Return a picture that is already in MNIST's format, inverted if necessary; None for any other picture."""
    if grey.shape != (own.side, own.side):
        return None
    pixels = to_bytes(grey)
    return next((same for same in (pixels, 255 - pixels) if is_normalised(same, own)), None)


def to_bytes(values: Grey) -> Bytes:
    """Return values, clipped to 0 to 1, as bytes from 0 to 255."""
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
