"""Preparation of a picture as the square that the network sees. The steps are kept for people to look at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.data.picture.background import Ink, border
from bpcli.data.picture.digit import SIDE, Layout, as_mnist, crop, is_normalised, layout
from bpcli.data.picture.ink import InkMap, coverage, edge_sharpness, find_ink
from bpcli.data.picture.marks import one_digit, side_by_side
from bpcli.data.picture.scale import Grey, Mask, bounds, framed, grow, shrink, unzoomed
from bpcli.data.picture.segment import Box, Found, Run, separate
from bpcli.data.picture.square import squared

Bytes = NDArray[np.uint8]

PAGE = 1200  # pixels a side to which pictures of several digits are shrunk
WORKING = 400  # pixels a side to which pictures are shrunk to find a digit: noise averages out
CLOSER = 150  # a digit found with fewer pixels a side is read again from the full picture
FAINTEST = 0.08  # ink absorbs at least this share of the paper's light
CLEAR = 6.0  # minimum contrast of ink, in standard deviations of the paper's noise
PALE = 0.25  # ink at the border that absorbs less light than this may be a shadow, or where a lamp's light falls off
EVEN = 1000.0  # contrast on paper that a program drew or cleaned: there is no lamp
SHADED_FROM = 40  # pictures with fewer pixels a side are no photographs of paper
COARSE = 16  # pixels a side to which a mark is shrunk to measure how steep its edges are
SOFTEST = 0.36  # the steepest step between two of them, as a share of the range of light; digits have more than 0.37
STEEP = 3.6  # minimum sharpness of ink; level and round shades have up to 3.3, 8×8 pixels enlarged smoothly 4 and more
SPARSEST = 0.05  # a digit has at least this share of all marks' area; less is one speck among many


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as the network sees it.

    Attributes:
        pixels: (side, side), a digit in white ink on black, or any other picture; None if there is nothing to see.
        reason: why there is nothing to see, else "".
        steps: the intermediate pictures (h, w) by name, in order.
        lines: what may be digits, if marks stand side by side as digits do; else empty.
    """

    pixels: Bytes | None
    reason: str
    steps: dict[str, Bytes]
    lines: Sequence["Line"] = ()


class Option(NamedTuple):
    """A run of neighbouring segments of a line, which may be a digit.

    Attributes:
        start, stop: its first segment, and the one after its last.
        box: its left, top, right and bottom in pixels of the picture.
        prepared: the network's input, if it is a digit.
        crossed: the ink that was cut at its ends, as a share of a digit's height.
        shortness: the logarithm of how many times higher a typical digit is; 0 if it is not.
    """

    start: int
    stop: int
    box: Box
    prepared: Prepared
    crossed: float
    shortness: float


Line: TypeAlias = Sequence[Option]  # each segment is in one or several of its options


def prepare(grey: Grey, ink: Ink = "auto", *, side: int = SIDE, digits: bool = True, several: bool = True) -> Prepared:
    """Return a picture as a network expects it: its digit in MNIST's format, or all of it in a square.

    Args:
        grey: the picture (h, w), from 0 (black) to 1 (white), as `read_picture` returns it.
        ink: whether the ink is darker or lighter than the paper; auto decides. Pictures of anything but digits are
            inverted if the ink is dark.
        side: the side of the square in pixels.
        digits: whether the network classifies digits.
        several: whether to find `lines`, which take ten times longer than all the rest.

    Returns:
        What the network sees, or why there is nothing to see. A picture of that side is returned unchanged if it is
        already in MNIST's format, or if it is not of a digit.
    """
    return _digit(grey, ink, layout(side), several) if digits else _whole(1 - grey if ink == "dark" else grey, side)


def _whole(grey: Grey, side: int) -> Prepared:
    """Prepare all of a picture."""
    steps = {"picture": to_bytes(shrink(grey, WORKING))}
    if grey.min() == grey.max():
        return Prepared(None, "blank: the picture is of one grey all over", steps)
    pixels = to_bytes(squared(grey, side))
    return Prepared(pixels, "", steps | {"input": pixels})


def _digit(grey: Grey, ink: Ink, own: Layout, several: bool) -> Prepared:
    """Prepare the digit of a picture."""
    grey = unzoomed(grey)
    prepared = _of_own_side if grey.shape == (own.side, own.side) else _found
    return prepared(grey, ink, own, several)


def _of_own_side(grey: Grey, ink: Ink, own: Layout, several: bool) -> Prepared:
    """Prepare a picture of the network's own side: mended if it is damaged, as it is if it is in MNIST's format."""
    from bpcli.data.picture.damage import mended  # for such pictures alone: it takes 2 ms to load

    if (repaired := mended(grey, own)) is not grey:
        return _mended(repaired, grey, own, several)
    if (already := unchanged(grey, own)) is not None:
        return Prepared(already, "", {"picture": to_bytes(grey)})
    return _found(grey, ink, own, several)


def _found(grey: Grey, ink: Ink, own: Layout, several: bool) -> Prepared:
    """Prepare the digit that is found among the marks on the paper."""
    work = shrink(grey, WORKING)
    found = find_ink(work, ink)
    steps = {"picture": to_bytes(work), "ink": to_bytes(found.darkness / max(found.solid, FAINTEST))}
    if not _stands_out(found):
        return Prepared(None, "blank: nothing stands out from the background", steps)
    kept = one_digit(found.pieces)
    if np.count_nonzero(kept) < SPARSEST * found.pieces.areas.sum():
        return Prepared(None, "nothing but specks", steps)
    region = _closer(kept, grey)
    if _is_shade(work, found, kept) or (region is None and _is_soft(work, found, own)):
        return Prepared(None, "blank: nothing but light and shadow", steps)
    if region is None:
        digit = _as_mnist(coverage(found, kept), steps, own)
    else:
        digit = _digit(region, "light" if found.light else "dark", own, several=False)
    return replace(digit, lines=_lines(found, 1.0, own)) if several and side_by_side(found.pieces) else digit


def _mended(repaired: Grey, grey: Grey, own: Layout, several: bool) -> Prepared:
    """Prepare a damaged digit; it is not moved or scaled if it already lies as MNIST's."""
    from bpcli.data.picture.damage import is_laid_out

    steps = {"picture": to_bytes(grey), "mended": to_bytes(repaired)}
    if is_laid_out(repaired, own):
        return Prepared(steps["mended"], "", steps)
    found = _found(repaired, "light", own, several)
    return replace(found, steps=steps | found.steps | steps)  # in this order, with the picture as it was given


def _closer(kept: Mask, grey: Grey) -> Grey | None:
    """Return the digit's region of the full picture if the digit is too small in the shrunk one, else None."""
    scale = max(grey.shape) / max(kept.shape)
    if scale <= 1:
        return None
    first_row, first_column, last_row, last_column = bounds(kept)
    size = max(last_row - first_row, last_column - first_column) + 1
    if size >= CLOSER:
        return None
    top, left = (max(0, int(scale * (edge - 0.5 * size))) for edge in (first_row, first_column))
    bottom, right = (int(scale * (edge + 0.5 * size) + 1) for edge in (last_row, last_column))
    return grey[top:bottom, left:right]


def _stands_out(found: InkMap) -> bool:
    return found.solid >= FAINTEST and found.contrast >= CLEAR and len(found.pieces) > 0


def _is_shade(grey: Grey, found: InkMap, kept: Mask) -> bool:
    """Return whether marks on uneven paper are shades, not ink: without edges, or pale and on a photograph's border."""
    if found.contrast >= EVEN:
        return False
    pale = found.solid < PALE and min(kept.shape) >= SHADED_FROM
    return (pale and bool(border(kept).any())) or steepness(grey, kept) < SOFTEST


def _is_soft(grey: Grey, found: InkMap, own: Layout) -> bool:
    """Return whether no mark has an edge; pictures smaller than the network's square have no soft ones."""
    return max(grey.shape) >= own.side and edge_sharpness(found, grey) < STEEP


def steepness(grey: Grey, kept: Mask) -> float:
    """Return the largest step of light between neighbouring pixels around the marks, as a share of its range there.

    The marks (h, w) are shrunk to a few pixels a side first: noise averages out, and a size makes no difference.
    """
    top, left, bottom, right = bounds(kept)
    room = max(bottom - top, right - left) // 4 + 1
    coarse = shrink(grey[max(top - room, 0) : bottom + 1 + room, max(left - room, 0) : right + 1 + room], COARSE)
    steps = (float(abs(np.diff(coarse, axis=axis)).max(initial=0)) for axis in (0, 1))
    return max(steps) / max(float(np.ptp(coarse)), 1e-6)


def _as_mnist(cover: Grey, steps: dict[str, Bytes], own: Layout) -> Prepared:
    """Prepare a digit whose ink covers the share `cover` (h, w) of each pixel; `steps` are the steps so far."""
    if not cover.any():
        return Prepared(None, "blank: nothing stands out from the background's noise", steps)
    cover = crop(cover)
    strokes, pixels = as_mnist(cover, own)
    return Prepared(pixels, "", steps | {"digit": to_bytes(cover), "strokes": to_bytes(strokes), "input": pixels})


def prepare_all(grey: Grey, ink: Ink = "auto", *, side: int = SIDE) -> list[Line]:
    """Return what may be digits in a picture, by lines from the top, in each from the left.

    Args:
        grey: the picture (h, w), from 0 (black) to 1 (white), as `read_picture` returns it.
        ink: whether the ink is darker or lighter than the paper; auto decides.
        side: the side in pixels of the square that the network expects.

    Returns:
        The options of each line; an empty list if there is no digit. `bpcli.inference.numbers` chooses among them.
    """
    own = layout(side)
    if (already := unchanged(grey, own)) is not None:
        prepared = Prepared(already, "", {"picture": to_bytes(grey)})
        return [[Option(0, 1, (0, 0, side, side), prepared, 0.0, 0.0)]]
    work = shrink(grey, PAGE)
    found = find_ink(work, ink)
    return _lines(found, max(grey.shape) / max(work.shape), own) if _stands_out(found) else []


def _lines(found: InkMap, scale: float, own: Layout) -> list[Line]:
    """Return the options of each line of marks; a pixel of the ink map is `scale` pixels of the picture wide."""
    share = coverage(found, found.pieces.labels > 0)
    return [[_option(run, share, scale, own) for run in line] for line in separate(found.pieces)]


def _option(run: Run, share: Grey, scale: float, own: Layout) -> Option:
    prepared = _digit_at(run.place, share, own)
    return Option(run.start, run.stop, _scaled(run.place.box, scale), prepared, run.crossed, run.shortness)


def _digit_at(place: Found, share: Grey, own: Layout) -> Prepared:
    """Prepare the digit with the mask of `place`, from the page's coverage (h, w)."""
    left, top, right, bottom = place.box
    mask = grow(framed(place.mask), 1)[1:-1, 1:-1]
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
    clipped: Grey = np.minimum(np.maximum(values, 0), 1)  # np.clip takes longer
    return np.asarray(np.rint(255 * clipped), np.uint8)
