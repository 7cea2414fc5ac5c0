"""`bpcli augment`: a sheet of distorted images, to see what a network sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.options import configured, print_text, shown, warn

if TYPE_CHECKING:
    from bpcli.config import Config


@click.command()
@configured
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=64, show_default=True,
              help="How many distorted images.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.png")
def augment(source: str, overrides: tuple[str, ...], count: int, force: bool, out: Path) -> None:
    """Draw what a network sees of distorted images.

    Each row of the sheet has an image of the training split, with its label, and what the first epochs of a run with
    this configuration make of it.
    """
    from bpcli import config as configuration
    from bpcli.cli.report import require_free
    from bpcli.training import problem
    from bpcli.training.files import write_file

    config = configuration.load(source, overrides)
    require_free(out, force)
    if not problem.distortions(config).any:
        warn(f"{source} distorts nothing; for example -s augment.rotation=15 does")
    write_file(out, _sheet(config, count))
    print_text(f"the sheet is {shown(out)}")


def _sheet(config: Config, count: int) -> bytes:
    """A PNG of so many distorted images, those of a row after the original that they come from."""
    import numpy as np

    from bpcli.data.sheet import COLUMNS, contact_sheet
    from bpcli.training.run import read_data
    from bpcli.training.samples import seen

    training = read_data(config, "train")
    epochs = range(COLUMNS - 1)
    images = range(min(-(-count // len(epochs)), len(training)))
    rows = np.concatenate([training.images[: len(images), None], seen(config, training, images, epochs)], axis=1)
    captions = [text for image in images for text in (f"{training.labels[image]}", *(f"epoch {e + 1}" for e in epochs))]
    tiles = count + len(images)
    return contact_sheet(rows.reshape(-1, rows.shape[2])[:tiles], captions[:tiles])
