"""`bpcli augment`: a sheet of distorted images, to see what a network sees."""

from pathlib import Path

import click
import numpy as np

from bpcli import model as models
from bpcli.cli.options import configured, forcible, png_file, require_free
from bpcli.cli.output import print_text, shown, warn
from bpcli.config import Config
from bpcli.data.drawn import hands, printed
from bpcli.data.drawn.sheet import forms_sheet
from bpcli.data.sheet import COLUMNS, SHEET_MARK, contact_sheet
from bpcli.storage import start
from bpcli.storage.files import write_file
from bpcli.training import builders
from bpcli.training import data as run_data
from bpcli.training.samples import seen


@click.command()
@configured
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=64, show_default=True,
              help="How many distorted images.")  # fmt: skip
@click.option("--hands", "generated", flag_value="hands",
              help="Show the forms that data.hands draws instead.")  # fmt: skip
@click.option("--printed", "generated", flag_value="printed", help="Likewise those of data.printed.")
@forcible
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), callback=png_file, metavar="OUT.png")
def augment(source: str, overrides: tuple[str, ...], count: int, generated: str | None, force: bool, out: Path) -> None:
    """Draw what a network sees of distorted images.

    Each row of the sheet has an image of the training split, with its label, and what the first epochs of a run with
    this configuration make of it.

    With --hands each row has a form as it is and drawings of it, before any distortion; with --printed each row has
    the digits of a face. A star marks what is held out: training never sees it.
    """
    config = start.load(source, overrides)
    require_free(out, force, SHEET_MARK)
    if generated is not None:
        sheet = forms_sheet(hands if generated == "hands" else printed, config.seed)
    else:
        if not builders.augment_ranges(config).any:
            warn(f"{source} distorts nothing; for example -s augment.rotation=15 does")
        sheet = _sheet(config, count)
    write_file(out, sheet)
    print_text(f"the sheet is {shown(out)}")


def _sheet(config: Config, count: int) -> bytes:
    """Return a PNG of `count` distorted images; each row begins with their original."""
    data = run_data.read(config)
    epochs = range(COLUMNS - 1)
    first = data.training.first(-(-count // len(epochs)))
    upright = models.preprocessing(config, data.spec).upright(first.images)
    distorted = seen(config, upright, len(data.training), epochs)
    rows = np.concatenate([first.images[:, None], distorted], axis=1)
    captions = [
        text
        for label in first.labels
        for text in (_name(data.spec.classes, label), *(f"epoch {epoch + 1}" for epoch in epochs))
    ]
    tiles = count + len(first)
    return contact_sheet(rows.reshape(-1, rows.shape[2])[:tiles], captions[:tiles])


def _name(classes: tuple[str, ...], label: int) -> str:
    return classes[label] if label < len(classes) else "outlier"
