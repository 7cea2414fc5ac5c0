"""`bpcli data`: data sets that are known by name: which there are, and how to get them."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from bpcli.cli.output import one_line, print_json, print_text, say, shown
from bpcli.errors import ArgumentError, DataError
from bpcli.sets import keep, table
from bpcli.sets.keep import Watch
from bpcli.sets.table import NamedSet

_HEADINGS = ("name", "shows", "training", "test", "classes", "to fetch", "licence", "here")
_RIGHT = {"training", "test", "classes", "to fetch"}  # columns that are aligned to the right


@click.command()
@click.argument("action", type=click.Choice(["list", "fetch", "import", "verify", "path"]))
@click.argument("names", nargs=-1, metavar="[NAME]... [FILE]...")
@click.option("--json", "as_json", is_flag=True, help="With list: print one JSON list.")
def data(action: str, names: tuple[str, ...], as_json: bool) -> None:
    """Get a data set by its name, for `-s data.name=NAME`.

    \b
    list                 the data sets that are known, and which are here
    fetch NAME...        get them, from a package of the system or a mirror
    import NAME FILE...  take the files of one that were got by hand
    verify [NAME]...     compare the sums of those that are here
    path NAME...         print the folder of each

    They are kept in $BPCLI_DATA_DIR, or in the user's cache.
    """  # noqa: D301 (click's mark for text that is not to be wrapped)
    if as_json and action != "list":
        raise ArgumentError(f"--json goes with `bpcli data list`, not with {action}")
    if action in ("fetch", "import", "path") and not names:
        raise ArgumentError(f"bpcli data {action} wants a name; `bpcli data list` lists those that are known")
    if action == "list":
        _list(names, as_json)
    else:
        _ACTIONS[action](names)


def _list(names: Sequence[str], as_json: bool) -> None:
    sets = [table.load(name) for name in names] or table.known()
    if as_json:
        print_json([_plain(named) for named in sets])
    else:
        print_text("\n".join(_table(sets)))


def _fetch(names: Sequence[str]) -> None:
    for named in [table.load(name) for name in names]:
        say(f"{named.title}: licence {named.licence}; {named.home}")
        print_text(f"{named.name} is in {shown(keep.fetch(named, Watch(_note, _bar)))}")


def _import(names: Sequence[str]) -> None:
    name, *files = names
    named = table.load(name)
    print_text(f"{named.name} is in {shown(keep.import_files(named, map(Path, files)))}")


def _verify(names: Sequence[str]) -> None:
    sets = [table.load(name) for name in names] or [named for named in table.known() if keep.is_here(named)]
    found = [fault for named in sets if keep.require_here(named) for fault in _verified(named)]
    if found:
        raise DataError(f"{found[0]}; `bpcli data fetch` gets the data set anew")
    if not sets:
        say("no data set is here yet; `bpcli data fetch NAME` gets one")


def _verified(named: NamedSet) -> list[str]:
    """Return what is wrong with a data set, and print how it stands."""
    found = keep.faults(named)
    print_text(f"{named.name}: {'damaged' if found else 'whole'}")
    return found


def _path(names: Sequence[str]) -> None:
    for named in [table.load(name) for name in names]:
        print_text(str(keep.require_here(named)))


_ACTIONS: dict[str, Callable[[Sequence[str]], None]] = {
    "fetch": _fetch, "import": _import, "verify": _verify, "path": _path,
}  # fmt: skip


def _note(text: str) -> None:
    say(one_line(text))


@contextmanager
def _bar(name: str, size: int | None) -> Iterator[Callable[[int], object]]:
    """Show a bar of a file's bytes, if stderr is a terminal."""
    from tqdm import tqdm

    with tqdm(desc=name, total=size, unit="B", unit_scale=True, leave=False, disable=not sys.stderr.isatty()) as bar:
        yield bar.update


def _table(sets: Sequence[NamedSet]) -> Iterator[str]:
    """Yield the lines of the table: its head, and one for each data set."""
    rows = [dict(zip(_HEADINGS, _HEADINGS, strict=True)), *map(_row, sets)]
    widths = {key: max(len(row[key]) for row in rows) for key in _HEADINGS}
    for row in rows:
        cells = (f"{row[key]:{'>' if key in _RIGHT else '<'}{widths[key]}}" for key in _HEADINGS)
        yield "  ".join(cells).rstrip()


def _row(named: NamedSet) -> dict[str, str]:
    return {
        "name": named.name,
        "shows": named.shows,
        "training": f"{named.train.count:,}",
        "test": f"{named.test.count:,}",
        "classes": str(len(named.classes)),
        "to fetch": f"{named.size / 1e6:.1f} MB" if named.size else "-",
        "licence": named.licence,
        "here": "yes" if keep.is_here(named) else "no",
    }


def _plain(named: NamedSet) -> dict[str, Any]:
    """Return a data set as plain data."""
    return {
        "name": named.name,
        "title": named.title,
        "shows": named.shows,
        "training": named.train.count,
        "test": named.test.count,
        "classes": named.classes,
        "bytes": named.size,
        "licence": named.licence,
        "home": named.home,
        "folder": str(keep.folder_of(named)) if keep.is_here(named) else None,
    }
