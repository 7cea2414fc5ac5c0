"""`bpcli sheet`: a sheet to print and fill in, and its cells from a photograph as a folder of pictures by class."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import numpy as np
from click.core import ParameterSource

from bpcli.cli.options import require_free
from bpcli.cli.output import one_line, print_text, say, shown, warn, with_bar
from bpcli.data.form.classes import parse_classes
from bpcli.data.form.code import runs_of
from bpcli.data.form.draw import to_pdf
from bpcli.data.form.layout import MAX_ROWS, PAPERS, ROWS, form
from bpcli.data.form.read import Reading, read_form
from bpcli.data.picture.read import read_colours
from bpcli.data.picture.write import to_png
from bpcli.data.sheet import contact_sheet
from bpcli.errors import ArgumentError, ImageError
from bpcli.storage.files import make_folder, write_file

_DIGITS = "0-9"
_NEVER = b"(?!)"  # matches no file: what people wrote is replaced by --force alone
_READING, _PRINTING = {"out": "-o"}, {"rows": "--rows", "paper": "--paper"}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SHEET.pdf|PHOTO...")
@click.option("--classes", metavar="CLASSES",
              help="Ranges and names such as 0-9 (the default), A-Z or plus,minus,0-9.")  # fmt: skip
@click.option("--rows", type=click.IntRange(1, MAX_ROWS), default=ROWS, show_default=True, help="Cells of each class.")
@click.option("--paper", type=click.Choice(list(PAPERS)), default="a4", show_default=True, help="Size of the paper.")
@click.option("--read", is_flag=True, help="Read photographs or scans of filled-in sheets.")
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="With --read: the folder for the cells, a folder in it for each class.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.pass_context
def sheet(
    context: click.Context,
    files: tuple[Path, ...],
    classes: str | None,
    rows: int,
    paper: str,
    read: bool,
    out: Path | None,
    force: bool,
) -> None:
    """Make a sheet to print and fill in, or read its photographs.

    Without --read, write a PDF with a frame for each character, in columns by class. Print it, write into the frames
    with a dark pen, and photograph each page with its four corners.

    With --read, cut the cells out of such photographs, whichever way they are turned, and write DIR/<class>/*.png
    and, to check at a glance, DIR/sheet-<photograph>.png. Empty cells are skipped. DIR is a data set then. A
    photograph that shows no sheet, or one that can't be read with certainty, is reported on stderr; the others are
    read, and the exit code is then 5. The sheet itself says what its classes are; where their names are words, or
    more than three runs of characters, --classes has to name them again.
    """
    _require_fitting(context, read)
    names = None if classes is None and read else parse_classes(_DIGITS if classes is None else classes)
    if not read:
        _print(files, names or (), rows, paper, force)
    elif out is None:
        raise click.UsageError("--read needs -o and the folder for the cells, as in: -o mine", context)
    elif not _read_all(files, names, out, force):
        context.exit(ImageError.exit_code)


def _require_fitting(context: click.Context, read: bool) -> None:
    """Refuse options that make no sense together."""
    for name, option in (_PRINTING if read else _READING).items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            why = "the sheet itself says that to --read" if read else "it belongs to --read"
            raise click.UsageError(f"{option} makes no sense here: {why}", context)


def _print(files: Sequence[Path], classes: tuple[str, ...], rows: int, paper: str, force: bool) -> None:
    """Write the PDF."""
    path = files[0]
    if len(files) > 1 or path.suffix.lower() != ".pdf":
        raise ArgumentError(f"{path}: expected one PDF to write, such as digits.pdf; --read takes photographs")
    require_free(path, force, _NEVER)
    pages = form(classes, rows, paper)
    write_file(path, to_pdf(pages))
    count = f"{len(pages)} pages" if len(pages) > 1 else "a page"
    print_text(f"{shown(path)} has {count} of {PAPERS[paper][0]:g} × {PAPERS[paper][1]:g} mm to print")
    if not runs_of(classes):
        say("its code has no room for the names of the classes: --read will need the same --classes")


def _read_all(photographs: Sequence[Path], classes: Sequence[str] | None, folder: Path, force: bool) -> bool:
    """Write the cells of photographs; return whether all could be read."""
    _require_different(photographs)
    complete = True
    for path in with_bar(photographs, "photograph", len(photographs)):
        try:
            reading = read_form(read_colours(path), str(path), classes)
            _save(reading, path, folder, force)
        except ImageError as error:
            say(f"Error: {one_line(str(error))}")
            complete = False
    return complete


def _require_different(photographs: Iterable[Path]) -> None:
    """Refuse photographs whose cells would have the same names.

    Raises:
        ArgumentError: there are some.
    """
    seen: dict[str, Path] = {}
    for path in photographs:
        if (other := seen.setdefault(_stem(path).casefold(), path)) is not path:
            raise ArgumentError(f"{other} and {path}: the cells are named after the photograph; rename one of them")


def _stem(path: Path) -> str:
    """Return what the files of a photograph's cells begin with; it hides none of them."""
    return path.stem.lstrip(".") or "photo"


def _save(reading: Reading, path: Path, folder: Path, force: bool) -> None:
    """Write the cells of a photograph and their contact sheet, or nothing."""
    page, cells = reading.page, reading.cells
    if not cells:
        raise ImageError(f"{path}: nothing is written in its cells")
    contents = {folder / cell.name / f"{_stem(path)}-{cell.row:02}.png": to_png(cell.pixels) for cell in cells}
    overview = folder / f"sheet-{_stem(path)}.png"
    tiles = np.stack([255 - cell.pixels.ravel() for cell in cells])
    contents[overview] = contact_sheet(tiles, [f"{cell.name} ({cell.row:02})" for cell in cells])
    for file in contents:
        require_free(file, force, _NEVER)
    for file, content in contents.items():
        make_folder(file.parent)
        write_file(file, content)
    if reading.hidden:
        warn(f"{path}: left out {reading.hidden} of its cells, because no frame can be seen there")
    filled = f"{len(cells)} of {len(cells) + reading.empty} cells are filled"
    print_text(f"{shown(path)}: page {page.number} of {page.pages}, {filled}; look at {shown(overview)}")
