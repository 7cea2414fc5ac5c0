"""`bpcli report`: a run as one HTML file that can be mailed, or its plots as pictures."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from bpcli import machine
from bpcli.cli.options import chosen_paths, forcible, require_free
from bpcli.cli.output import named_steps, open_page, print_text, shown
from bpcli.core.threads import ThreadGroup
from bpcli.errors import ArgumentError
from bpcli.report import tables
from bpcli.report.extras import require_extra
from bpcli.report.history import read_run
from bpcli.report.study import STEPS, Study, study
from bpcli.report.web import REPORT_MARK
from bpcli.storage import trials
from bpcli.storage.files import write_files
from bpcli.storage.find import NEWEST, named
from bpcli.storage.search_file import is_search, read_folder
from bpcli.storage.series_file import is_series


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN|SERIES|SEARCH]...")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="PATH",
    help="The file, or with png the folder; by default in the run's folder, for several runs comparison.html here.",
)  # fmt: skip
@click.option("--format", "kind", type=click.Choice(["html", "png"]), default="html", show_default=True,
              help="A page, or the plots as files.")  # fmt: skip
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@forcible
def report(runs: tuple[str, ...], out: Path | None, kind: str, opened: bool, force: bool) -> None:
    """Show a run, or several, as one HTML file.

    Learning curves, confusion matrix, mistakes, weights; several runs, or those of a series, are compared. Of a
    search: its history, and each setting against the metric.
    Without an argument: the run in the folder runs that ended last. The figures are also kept in the run's folder
    `report` as CSV and JSON.
    """
    require_extra()
    if len(runs) == 1 and is_search(folder := named(runs[0])):
        _report_search(folder, out or folder / "report.html", kind, force)
        if opened:
            open_page(out or folder / "report.html")
        return
    chosen = [read_run(folder) for folder in _folders(runs)]
    if kind == "png" and len(chosen) > 1:
        raise click.UsageError("--format png takes one run")
    target = out or _target(chosen[0].folder, kind, len(chosen))
    for path, mark in _files(target, kind, len(chosen)):
        require_free(path, force, mark)
    with named_steps(len(chosen) * len(STEPS) + 1) as begin:
        seen = [study(run, ThreadGroup(machine.usable_cores()), begin) for run in chosen]
        begin("plots and page" if kind == "html" else "plots")
        _write_pictures(seen[0], target) if kind == "png" else _write_page(seen, target)
    print_text(f"the report is in {shown(target)}")
    if opened:
        open_page(target)


def _report_search(folder: Path, target: Path, kind: str, force: bool) -> None:
    """Write the report of a search."""
    from bpcli.report.search_page import search_page  # needs the extra packages

    if kind != "html":
        raise click.UsageError(f"--format {kind} takes one run; the report of a search is a page")
    require_free(target, force, REPORT_MARK)
    search = read_folder(folder)
    tables.write_text(target, search_page(folder, search, trials.read(folder, search)))
    print_text(f"the report is in {shown(target)}")


def _folders(runs: tuple[str, ...]) -> Iterator[Path]:
    """Yield the folders of the runs that are named; of a series, those of its finished runs."""
    for source in runs or (NEWEST,):
        if is_series(folder := named(source)):
            yield from (path.parent for path in chosen_paths([source]))
        else:
            yield folder


def _target(folder: Path, kind: str, runs: int) -> Path:
    """Return the default path of the report."""
    if runs > 1:
        return Path("comparison.html")
    return folder / ("report.html" if kind == "html" else "report")


def _files(target: Path, kind: str, runs: int) -> list[tuple[Path, bytes]]:
    """Return the files that a report consists of, each with the mark by which it is known."""
    from bpcli.report.plots import PLOT_MARK, PNG_FILES  # needs the extra packages

    if kind == "png":
        return [(target / name, PLOT_MARK) for name in PNG_FILES]
    return [(target, REPORT_MARK), *([(_table_beside(target), tables.COMPARISON_MARK)] if runs > 1 else [])]


def _table_beside(page: Path) -> Path:
    """Return the path of the table that compares several runs, beside their page."""
    if page.suffix.lower() == ".csv":
        raise ArgumentError(
            f"{page}: the table beside the page has this name; -o names the page, such as {page.stem}.html"
        )
    return page.with_suffix(".csv") if page.name else page  # no file has this name, as `require_free` says


def _write_page(seen: Sequence[Study], target: Path) -> None:
    from bpcli.report import page  # needs the extra packages

    for each in seen:
        tables.write_tables(each)
    if len(seen) == 1:
        tables.write_text(target, page.report_page(seen[0]))
    else:
        texts = {_table_beside(target): tables.comparison(seen), target: page.comparison_page(seen)}
        write_files({path: text.encode() for path, text in texts.items()})


def _write_pictures(seen: Study, target: Path) -> None:
    from bpcli.report import plots  # needs the extra packages

    tables.write_tables(seen)
    plots.write_png(seen, tables.make_folder(target))
