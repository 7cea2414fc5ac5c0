"""`bpcli check`: the check that the gradients of a configuration are right."""

from typing import Any

import click

from bpcli.cli.options import configured
from bpcli.cli.output import print_json, print_text
from bpcli.gradcheck.check import ALL_LIMITS, Report, Row
from bpcli.gradcheck.check import check as check_gradients
from bpcli.storage import start

_HEADINGS = {"central": "differences", "complex_step": "complex step", "graph": "graph", "formula": "formula"}


@click.command()
@configured
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def check(context: click.Context, source: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Prove that a configuration's gradients are right.

    The four equations of backpropagation are compared, in float64 and on a few real images, with central differences,
    with the complex step and with the graph of every single number; the optimizer's steps with their formulas.
    Exit code 1 if any relative error exceeds its limit.
    """
    config = start.load(source, overrides)
    report = check_gradients(config)
    if as_json:
        print_json(_record(report))
    else:
        print_text("\n".join(_text(report)))
    if not report.passed:
        context.exit(1)


def _text(report: Report) -> list[str]:
    """Return the report for people."""
    return [
        f"{_layers(report.sizes)} in float64 on {report.images} images, along random directions,",
        f"and its copy {_layers(report.copy)}, every parameter; largest relative errors:",
        "",
        *_table(report.rows),
        "",
        *_remarks(report),
        "",
        *_cost(report),
        "",
        _verdict(report),
    ]


def _table(rows: list[Row]) -> list[str]:
    """Return a line for each quantity, with a column for each method."""
    widths = {method: max(len(heading), 8) for method, heading in _HEADINGS.items()}
    quantity = max(len(row.quantity) for row in rows)
    headings = "  ".join(f"{heading:>{widths[method]}}" for method, heading in _HEADINGS.items())
    lines = [f"layer  {'quantity':{quantity}}  {headings}  verdict"]
    for row in rows:
        errors = "  ".join(f"{_error(row, method):>{widths[method]}}" for method in _HEADINGS)
        lines.append(f"{row.layer:>5}  {row.quantity:{quantity}}  {errors}  {'ok' if row.passed else 'WRONG'}")
    return lines


def _error(row: Row, method: str) -> str:
    """Return a relative error as text: a dash if rounding hides it, nothing if the method doesn't apply."""
    error = row.errors.get(method, "")
    return "–" if error is None else error if isinstance(error, str) else f"{error:.1e}"


def _remarks(report: Report) -> list[str]:
    limits = ", ".join(f"{_HEADINGS[method]} {limit:.0e}" for method, limit in ALL_LIMITS.items())
    lines = [f"limits: {limits}"]
    if report.kinks:
        lines.append(f"left out of the differences because a ReLU changes sides: {report.kinks:,}")
    if any(error is None for row in report.rows for error in row.errors.values()):
        lines.append("–: nothing to compare, because rounding hides differences so small, or every point is a kink")
    return lines


def _cost(report: Report) -> list[str]:
    """Return the cost of backpropagation and of differences, as measured on this machine."""
    timing = report.timing
    forward, backward = 1e3 * timing.forward, 1e3 * timing.backward
    return [
        f"a batch of {timing.images}: forward pass {forward:.2f} ms, backward pass {backward:.2f} ms, "
        f"{backward / forward:.1f} times as much, for all {report.difference_passes - 1:,} derivatives",
        f"differences would need {report.difference_passes:,} forward passes, about "
        f"{_duration(timing.forward * report.difference_passes)}",
    ]


def _duration(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minutes" if seconds >= 120 else f"{seconds:,.1f} seconds"


def _verdict(report: Report) -> str:
    wrong = sum(not row.passed for row in report.rows)
    if wrong:
        return f"failed: {wrong} of {len(report.rows)} quantities are wrong"
    return f"passed: all {len(report.rows)} quantities are right"


def _layers(sizes: tuple[int, ...]) -> str:
    return "-".join(map(str, sizes))


def _record(report: Report) -> dict[str, Any]:
    """Return the report for programs; an infinite error is null in `errors`, because JSON has no word for it."""
    return {
        "passed": report.passed,
        "sizes": report.sizes,
        "copy": report.copy,
        "images": report.images,
        "kinks": report.kinks,
        "limits": ALL_LIMITS,
        "rows": [
            {"layer": row.layer, "quantity": row.quantity, "errors": row.errors, "passed": row.passed}
            for row in report.rows
        ],
        "batch": report.timing.images,
        "forward_seconds": report.timing.forward,
        "backward_seconds": report.timing.backward,
        "difference_passes": report.difference_passes,
    }
