"""`bpcli runs`: the runs that are here, and how each stands."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bpcli.cli.output import one_line, percent, print_json, print_text, say, shown, unicode_only
from bpcli.errors import ArgumentError, CheckpointError
from bpcli.storage import listing, overview
from bpcli.storage.find import named
from bpcli.storage.overview import Listed
from bpcli.storage.run_folder import LATEST

_ORDERS: dict[str, Callable[[Listed], Any]] = {  # what comes first
    "when": lambda run: -run.when,
    "name": lambda run: run.name,
    "validation": lambda run: -(run.validation_accuracy or 0),
    "test": lambda run: -(run.test_accuracy or 0),
    "size": lambda run: -run.size,
}
_HEADINGS = ("name", "preset", "network", "epochs", "state", "validation", "test", "when", "size")
_RIGHT = {"epochs", "validation", "test", "size"}  # columns that are aligned to the right


@click.command()
@click.option("--sort", type=click.Choice(list(_ORDERS)), default="when", show_default=True, help="What comes first.")
@click.option("--remove", metavar="NAME", help="Remove a run or a series with all its files; asks first.")
@click.option("--yes", is_flag=True, help="With --remove: don't ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def runs(sort: str, remove: str | None, yes: bool, as_json: bool) -> None:
    """List the runs in the folder runs, the newest first; the one with the best validation accuracy has a star.

    A run is finished, going on in another process, stopped (`bpcli train --resume NAME` goes on with it), failed, or
    damaged. The preset is the most similar one; +2 means that two settings differ from it.
    """
    if remove is not None:
        _remove(remove, yes)
        return
    found = sorted(overview.listed(), key=_ORDERS[sort])
    if as_json:
        print_json([_plain(run) for run in found])
    elif found:
        print_text("\n".join(_table(found)))
        for run in found:
            if run.note:
                say(one_line(f"{run.name}: {run.note}"))
    else:
        say("no run here yet; `bpcli train` makes one")


def _remove(source: str, yes: bool) -> None:
    """Remove a run, once the user has agreed."""
    folder = named(source)
    if folder.is_symlink() or Path(source) == LATEST or not folder.is_dir() or not listing.is_run_or_series(folder):
        raise CheckpointError(f"{source}: not the folder of a run; `bpcli runs` lists those that are here")
    size = _bytes(overview.listed_one(folder).size)
    if not yes and not sys.stdin.isatty():
        raise ArgumentError(f"--remove {source}: asks first, but nobody can answer here; --yes is the answer")
    if yes or click.confirm(f"remove {shown(folder)}, {size}?", err=True):
        listing.remove(folder)
        print_text(f"{shown(folder)} is removed")


def _table(found: Sequence[Listed]) -> Iterator[str]:
    """Yield the lines of the table: its head, and one for each run; those of a series follow it."""
    best = _best(found)
    rows = [dict(zip(_HEADINGS, _HEADINGS, strict=True)), *(_row(run, best) for run in _with_members(found))]
    widths = {key: max(len(row[key]) for row in rows) for key in _HEADINGS}
    for row in rows:
        cells = (f"{row[key]:{'>' if key in _RIGHT else '<'}{widths[key]}}" for key in _HEADINGS)
        yield "  ".join(cells).rstrip()


def _with_members(found: Sequence[Listed]) -> Iterator[Listed]:
    for run in found:
        yield run
        yield from run.members


def _best(found: Sequence[Listed]) -> Listed | None:
    """Return the finished run with the best validation accuracy, if two or more have one."""
    single = [run for run in _with_members(found) if run.state == "finished" and not run.members]
    known = [(run.validation_accuracy, place) for place, run in enumerate(single) if run.validation_accuracy]
    return single[max(known)[1]] if len(known) > 1 else None


def _row(run: Listed, best: Listed | None) -> dict[str, str]:
    """Return the cells of a run by their headings."""
    changed = f" +{len(run.changed)}" if run.changed else ""
    return {
        "name": one_line(run.name),
        "preset": f"{run.preset}{changed}" if run.preset else "-",
        "network": _network(run),
        "epochs": f"{run.epochs}/{run.of}{' runs' if run.members else ''}",
        "state": run.state,
        "validation": _accuracy(run.validation_accuracy) + (" *" if run is best else "  "),
        "test": _accuracy(run.test_accuracy),
        "when": f"{datetime.fromtimestamp(run.when):%Y-%m-%d %H:%M}",
        "size": _bytes(run.size),
    }


def _network(run: Listed) -> str:
    """Return the units of the hidden layers; of a series, those that its runs have in common."""
    hidden = {each.hidden for each in run.members if each.preset} or {run.hidden}
    return "various" if len(hidden) > 1 else "-".join(map(str, min(hidden))) or "no hidden layer"


def _plain(run: Listed) -> dict[str, Any]:
    """Return a run as plain data."""
    return {
        "name": unicode_only(run.name),
        "folder": shown(run.folder),
        "state": run.state,
        "preset": run.preset,
        "changed": run.changed,
        "hidden": run.hidden,
        "epochs": run.epochs,
        "of": run.of,
        "validation_accuracy": run.validation_accuracy,
        "test_accuracy": run.test_accuracy,
        "when": datetime.fromtimestamp(run.when).astimezone().isoformat(timespec="seconds"),
        "bytes": run.size,
        "note": unicode_only(run.note) or None,
        "members": [_plain(member) for member in run.members],
    }


def _accuracy(fraction: float | None) -> str:
    return "-" if fraction is None else percent(fraction)


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
