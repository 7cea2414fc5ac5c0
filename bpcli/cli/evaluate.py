"""`bpcli evaluate`: how good a trained network is, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from bpcli.cli.options import percent, print_json, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("source", required=False, metavar="[CHECKPOINT|RUN]")
@click.option(
    "--split", type=click.Choice(["test", "validation", "train"]), default="test", show_default=True,
    help="The images to evaluate on.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(source: str | None, split: Literal["test", "validation", "train"], as_json: bool) -> None:
    """Show accuracy, loss, and precision and recall of each digit with the confusion matrix.

    Without an argument: the best checkpoint of the latest run.
    """
    from bpcli.training import checkpoint, evaluation, run
    from bpcli.training.team import Team, usable_cores

    path = run.find_checkpoint(source)
    loaded = checkpoint.load(path)
    images = run.read_data(loaded.config, split)
    result = {"checkpoint": shown(path), "split": split} | evaluation.figures(
        *run.scored(loaded, images, Team(usable_cores()))
    )
    print_json(result) if as_json else click.echo(_table(result))


def _table(result: dict[str, Any]) -> str:
    """The figures as people read them."""
    return "\n".join(
        [
            f"{result['checkpoint']} on the {result['split']} split",
            f"accuracy {percent(result['accuracy'])}   errors {result['errors']:,} of {result['n']:,}   "
            f"loss {result['loss']:.4f}",
            "",
            "digit  precision   recall  images",
            *(
                f"{digit:5}  {percent(precision):>9}  {percent(recall):>7}  {sum(row):6,}"
                for digit, (precision, recall, row) in enumerate(
                    zip(result["precision"], result["recall"], result["confusion"], strict=True)
                )
            ),
            "",
            *_matrix(result["confusion"]),
        ]
    )


def _matrix(confusion: Sequence[Sequence[int]]) -> list[str]:
    """The confusion matrix with its axes labelled."""
    width = max(len(str(max(map(max, confusion)))), 2) + 1
    digits = "".join(f"{digit:{width}}" for digit in range(10))
    rows = ["".join(f"{n or '·':>{width}}" for n in row) for row in confusion]
    return [
        "label ↓  answer →",
        f"       {digits}",
        *(f"{digit:6} {row}" for digit, row in enumerate(rows)),
    ]
