"""`bpcli draw`: a page on which anyone draws a digit and watches the network decide."""

from pathlib import Path

import click

from bpcli.cli.options import chosen_checkpoint, print_text, shown
from bpcli.cli.report import open_page, require_free


@click.command()
@click.argument("source", required=False, metavar="[CHECKPOINT|RUN]")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("digit.html"), metavar="FILE",
              show_default=True, help="The page.")  # fmt: skip
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@click.option("--force", is_flag=True, help="Replace what is there.")
def draw(source: str | None, out: Path, opened: bool, force: bool) -> None:
    """Write a page to draw digits on, with the network inside.

    One file that works offline in any browser and can be put on any web host as it is. Without an argument: the best
    checkpoint of the latest run, or the network that comes with bpcli.
    """
    from bpcli.report.drawing import drawing_page
    from bpcli.report.tables import write_text
    from bpcli.training import checkpoint, reading

    loaded = checkpoint.load(chosen_checkpoint(source))
    require_free(out, force)
    write_text(out, drawing_page(loaded, reading.default_min_score([loaded])))
    print_text(f"the page is {shown(out)}")
    if opened:
        open_page(out)
