"""`bpcli evaluate`: how good a trained network is, class by class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bpcli.cli.options import chosen_checkpoint, percent, print_json, print_text, shown, with_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpcli.data.mnist import Split
    from bpcli.training.checkpoint import Checkpoint
    from bpcli.training.evaluation import Mistake


@click.command()
@click.argument("source", required=False, metavar="[CHECKPOINT|RUN]")
@click.option(
    "--split", type=click.Choice(["test", "validation", "train"]), default="test", show_default=True,
    help="The images to evaluate on.",
)  # fmt: skip
@click.option(
    "--errors", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.csv",
    help="Write the mistakes, the surest first: index, label, prediction, score.",
)  # fmt: skip
@click.option(
    "--errors-sheet", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png",
    help="Write the mistakes as pictures with their labels.",
)  # fmt: skip
@click.option("--pictures", is_flag=True, help="Put the images into pictures of many kinds, and read those.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="With --pictures: the first N images of the split.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    source: str | None,
    split: Literal["test", "validation", "train"],
    errors: Path | None,
    errors_sheet: Path | None,
    pictures: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Show accuracy, loss, and precision and recall of each digit with the confusion matrix.

    Without an argument: the best checkpoint of the latest run, or the network that comes with bpcli.
    """
    if pictures and (errors or errors_sheet):
        raise click.UsageError("--errors and --errors-sheet list MNIST's own images; leave out --pictures")
    if limit is not None and not pictures:
        raise click.UsageError("--limit goes with --pictures")
    from bpcli.training import checkpoint, run

    path = chosen_checkpoint(source)
    loaded = checkpoint.load(path)
    images = run.read_data(loaded.config, split)
    about = {"checkpoint": shown(path), "split": split}
    if pictures:
        result = about | _picture_figures(loaded, images, limit)
        print_json(result) if as_json else print_text(_picture_table(result))
    else:
        result = about | _figures(loaded, images, errors, errors_sheet)
        print_json(result) if as_json else print_text(_table(result))


def _figures(loaded: Checkpoint, images: Split, errors: Path | None, errors_sheet: Path | None) -> dict[str, Any]:
    """What the network makes of a split; its mistakes are written where asked for."""
    from bpcli.training import evaluation, run
    from bpcli.training.team import Team, usable_cores

    loss, scores, labels = run.scored(loaded, images, Team(usable_cores()))
    mistakes = evaluation.mistakes(scores, labels)
    if errors is not None:
        _write_errors(mistakes, errors)
    if errors_sheet is not None:
        _write_sheet(mistakes, images, errors_sheet)
    return evaluation.figures(loss, scores, labels)


def _picture_figures(loaded: Checkpoint, images: Split, limit: int | None) -> dict[str, Any]:
    """What the network makes of a split's digits once they are in pictures, kind by kind."""
    from bpcli.data.scenes.kinds import KINDS
    from bpcli.training.picturing import read_scenes
    from bpcli.training.reading import default_min_score
    from bpcli.training.run import require_images
    from bpcli.training.team import Team, usable_cores

    require_images(images)
    team, least = Team(usable_cores()), default_min_score(loaded)
    kinds = with_bar(KINDS, "kind", len(KINDS))
    readings = [read_scenes(loaded, images, kind, limit, least, team) for kind in kinds]
    return {
        "n": readings[0].n,
        "kinds": {
            each.kind: {"accuracy": each.right / each.n, "errors": each.n - each.right, "refused": each.refused}
            for each in readings
        },
    }


def _write_errors(mistakes: Sequence[Mistake], path: Path) -> None:
    """The mistakes as CSV with a header."""
    from bpcli.training.files import write_file

    rows = [f"{each.index},{each.label},{each.prediction},{each.score:.6f}\n" for each in mistakes]
    write_file(path, "".join(["index,label,prediction,score\n", *rows]).encode())


def _write_sheet(mistakes: Sequence[Mistake], split: Split, path: Path) -> None:
    """The mistakes as a PNG, each with its label and what the network took it for."""
    from bpcli.data.sheet import contact_sheet
    from bpcli.training.files import write_file

    captions = [f"{each.label} as {each.prediction}" for each in mistakes]
    write_file(path, contact_sheet(split.images[[each.index for each in mistakes]], captions))


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


def _picture_table(result: dict[str, Any]) -> str:
    """The figures of each kind of picture as people read them."""
    return "\n".join(
        [
            f"{result['checkpoint']} on {result['n']:,} digits of the {result['split']} split, in pictures",
            "",
            'kind        accuracy  errors  of them "no digit"',
            *(
                f"{kind:10}  {percent(figures['accuracy']):>8}  {figures['errors']:6,}  {figures['refused']:6,}"
                for kind, figures in result["kinds"].items()
            ),
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
