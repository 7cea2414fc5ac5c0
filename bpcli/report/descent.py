"""The drawing of a minimization as SVG: the curve with both ways on it, and the error of each step."""

from io import BytesIO

from matplotlib.axes import Axes

from bpcli.gradcheck.minimize import Descent, Function, Minimization, interval, sampled
from bpcli.report.plots import FAINT, FIRST, SECOND, SIZE, figure, our_style

MARK = rb"<\?xml.{0,1000}bpcli explain"  # the beginning of the files that `as_svg` makes, as a regular expression
_SAMPLES = 400  # of the curve
_LEAST = 1e-16  # errors below it are drawn there, since a logarithmic axis has no 0


def as_svg(expression: str, name: str, function: Function, found: Minimization) -> bytes:
    """Return the drawing of both ways, an SVG file."""

    def curve(axes: Axes) -> None:
        low, high = interval(found)
        points = list(sampled(function, low, high, _SAMPLES))
        axes.plot([point.x for point in points], [point.value for point in points], color=FAINT)
        for label, way, colour, marker in _ways(found):
            near = [point for point in way.points if low <= point.x <= high]
            axes.plot([point.x for point in near], [point.value for point in near], marker, color=colour, label=label)
        axes.set(xlabel=name, ylabel=f"f = {expression.strip()}"[:60])
        axes.legend()

    def errors(axes: Axes) -> None:
        for label, way, colour, marker in _ways(found):
            if found.minimum:
                distances = [max(abs(point.x - found.minimum.x), _LEAST) for point in way.points]
                axes.semilogy(distances, f"{marker}-", color=colour, label=label)
        axes.set(xlabel="step", ylabel="distance from the minimum")

    content = BytesIO()
    with our_style():
        painters = [curve, errors] if found.minimum else [curve]
        metadata = {"Title": f"bpcli explain --minimize {name}", "Date": None, "Creator": None}
        figure(painters, (SIZE[0] * 1.5, SIZE[1] * 1.2)).savefig(content, format="svg", metadata=metadata)
    return content.getvalue()


def _ways(found: Minimization) -> list[tuple[str, Descent, str, str]]:
    """Return each way with its label, colour and marker."""
    return [
        (f"gradient descent, rate {found.rate:g}", found.descent, FIRST, "o"),
        ("Newton's method", found.newton, SECOND, "x"),
    ]
