"""`bpcli predict`: which digits pictures show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli import one_line
from bpcli.cli.options import print_json
from bpcli.errors import ImageError

if TYPE_CHECKING:
    from bpcli.core.types import Array, Bytes


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", type=click.Path(path_type=Path))
@click.option("-m", "--model", metavar="CHECKPOINT|RUN", help="The network; by default the latest run's best.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def predict(context: click.Context, images: tuple[Path, ...], model: str | None, as_json: bool) -> None:
    """Say which digit each picture shows: file, digit, and the score that the network gives it.

    A picture that can't be read is reported on stderr and the others are answered; the exit code is then 5.
    """
    import numpy as np

    from bpcli.training import checkpoint, run
    from bpcli.training.team import Team, usable_cores

    loaded = checkpoint.load(run.find_checkpoint(model))
    digits = [(path, pixels) for path in images if (pixels := _digit(path)) is not None]
    if digits:
        pixels = np.stack([each for _, each in digits]).reshape(len(digits), -1)
        _, scores = run.answers(loaded, pixels, Team(usable_cores()))
        for (path, _), row in zip(digits, scores, strict=True):
            _print(_answer(path, row), as_json)
    if len(digits) < len(images):
        context.exit(ImageError.exit_code)


def _digit(path: Path) -> Bytes | None:
    """The digit (28, 28) in a picture, or None once stderr tells why there is none."""
    from bpcli.data.image import read_digit

    try:
        return read_digit(path)
    except ImageError as error:
        click.echo(f"Error: {one_line(str(error))}", err=True)
        return None


def _answer(path: Path, scores: Array) -> dict[str, Any]:
    digit = int(scores.argmax())
    return {"file": str(path), "digit": digit, "score": float(scores[digit]), "scores": scores.tolist()}


def _print(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer | {"file": answer["file"].encode(errors="replace").decode()})
    else:
        click.echo(f"{one_line(answer['file'])}: {answer['digit']} (score {answer['score']:.3f})")
