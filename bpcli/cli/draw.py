"""`bpcli draw`: a page on which anyone draws, and watches the network decide."""

from pathlib import Path

import click

from bpcli.cli.options import chosen_network, forcible, introduce, require_free
from bpcli.cli.output import one_line, open_page, print_text, say, shown
from bpcli.errors import DataError
from bpcli.inference.evaluation import read_split_of
from bpcli.inference.predictions import default_min_score
from bpcli.model import Model
from bpcli.report.drawing import drawing_page
from bpcli.report.samples import Samples, choose
from bpcli.report.web import DRAWING_MARK
from bpcli.storage.files import write_file


@click.command()
@click.argument("source", required=False, metavar="[CHECKPOINT|RUN]")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("digit.html"), metavar="FILE",
              show_default=True, help="The page.")  # fmt: skip
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@forcible
def draw(source: str | None, out: Path, opened: bool, force: bool) -> None:
    """Write a page to draw digits on, with the network inside.

    One file that works offline in any browser and can be put on any web host as it is. Without an argument: the
    run in the folder runs that ended last, or, where none has, the network that comes with bpcli.
    """
    require_free(out, force, DRAWING_MARK)
    network = chosen_network(source)
    loaded = network.checkpoint
    write_file(out, drawing_page(loaded, default_min_score([loaded]), _samples(network.model)).encode())
    introduce([network], by_default=source is None)
    print_text(f"the page is {shown(out)}")
    if opened:
        open_page(out)


def _samples(model: Model) -> Samples | None:
    """Return samples of the network's own test images; None if it has none, or if they can't be read, with a note."""
    try:
        split = read_split_of(model, "test")
    except DataError as error:
        say(f"the page has no sample images: {one_line(str(error))}")
        return None
    return choose(model, split) if len(split) else None
