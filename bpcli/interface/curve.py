"""A small SVG of curves, for notebooks: no other package draws it."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 360, 150  # of the picture, in pixels
LEFT, RIGHT, TOP, BOTTOM = 52, 88, 8, 22  # margins for the axes and the names
LINE = 16  # from one name to the next
COLOURS = ("#4c8dd6", "#e08a2e", "#5aa469")  # each readable on white and on black


def svg(curves: Mapping[str, Sequence[float]], label: str) -> str:
    """Return curves of fractions by epoch as an `<svg>` element; screen readers say the label.

    Args:
        curves: the values of each epoch, by the name of the curve; at least one value.
        label: what the picture shows.
    """
    values = [value for curve in curves.values() for value in curve]
    low, high, epochs = min(values), max(values), max(map(len, curves.values()))
    drawn = [_curve(curve, colour, low, high, epochs) for curve, colour in zip(curves.values(), COLOURS, strict=False)]
    return (
        f'<svg role="img" aria-label="{escape(label)}" width="{WIDTH}" height="{HEIGHT}" '
        'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="11" fill="currentColor">'
        f"{_axes(low, high, epochs)}{''.join(drawn)}{_legend(curves)}</svg>"
    )


def _axes(low: float, high: float, epochs: int) -> str:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    return (
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="currentColor" opacity=".4"/>'
        f'<text x="{LEFT - 4}" y="{TOP + 8}" text-anchor="end">{high:.1%}</text>'
        f'<text x="{LEFT - 4}" y="{bottom}" text-anchor="end">{low:.1%}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}">epoch 1</text>'
        f'<text x="{right}" y="{HEIGHT - 6}" text-anchor="end">{epochs}</text>'
    )


def _curve(curve: Sequence[float], colour: str, low: float, high: float, epochs: int) -> str:
    """Return one curve with its last point."""
    across, down = (WIDTH - LEFT - RIGHT) / max(epochs - 1, 1), (HEIGHT - TOP - BOTTOM) / ((high - low) or 1)
    points = [(LEFT + across * epoch, TOP + down * (high - value)) for epoch, value in enumerate(curve)]
    x, y = points[-1]
    return (
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="{colour}" '
        f'stroke-width="2"/><circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    )


def _legend(names: Iterable[str]) -> str:
    """Return the names in the colours of their curves, one below the other."""
    return "".join(
        f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 8 + LINE * number}" fill="{colour}">{escape(name)}</text>'
        for number, (name, colour) in enumerate(zip(names, COLOURS, strict=False))
    )
