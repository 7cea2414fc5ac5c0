"""`bpcli playground`: a page in which a small network trains, and anyone changes how."""

from pathlib import Path

import click

from bpcli.cli.options import forcible, require_free
from bpcli.cli.output import open_page, print_text, shown
from bpcli.data.datasets import read_data_set
from bpcli.report.playground import playground_page
from bpcli.report.web import PLAYGROUND_MARK
from bpcli.storage.files import write_file


@click.command()
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("playground.html"), metavar="FILE",
              show_default=True, help="The page.")  # fmt: skip
@click.option("--data", "folder", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Other images, as data.folder; without it, MNIST.")  # fmt: skip
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@forcible
def playground(out: Path, folder: Path | None, opened: bool, force: bool) -> None:
    """Write a page in which a small network trains on digits before your eyes.

    One file that works offline in any browser, with 4,000 digits inside. Six lessons set it up and say what to watch;
    the address of the page holds its setting, to share.
    """
    require_free(out, force, PLAYGROUND_MARK)
    data = read_data_set(folder, 0, "auto", lambda: None)
    write_file(out, playground_page(data.spec, data.training, data.test, "" if folder else "MNIST").encode())
    print_text(f"the page is {shown(out)}")
    if opened:
        open_page(out)
