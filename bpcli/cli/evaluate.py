"""`bpcli evaluate`: how good a trained network is, or a committee of several, class by class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bpcli.cli.options import chosen_members, percent, print_json, print_text, shown, with_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpcli.data.mnist import Split
    from bpcli.training.checkpoint import Checkpoint
    from bpcli.training.evaluation import Mistake
    from bpcli.training.picturing import Reading

_OF_A_MEMBER = ("n", "errors", "accuracy", "loss")  # figures


@click.command()
@click.argument("sources", nargs=-1, metavar="[CHECKPOINT|RUN|SERIES]...")
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
    sources: tuple[str, ...],
    split: Literal["test", "validation", "train"],
    errors: Path | None,
    errors_sheet: Path | None,
    pictures: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Show accuracy, loss, and precision and recall of each digit with the confusion matrix.

    Without an argument: the best checkpoint of the latest run, or the network that comes with bpcli. Several networks,
    or a series of runs, answer together as a committee, by the mean of their scores; each is shown, then all together.
    """
    if pictures and (errors or errors_sheet):
        raise click.UsageError("--errors and --errors-sheet list MNIST's own images; leave out --pictures")
    if limit is not None and not pictures:
        raise click.UsageError("--limit goes with --pictures")
    from bpcli.training import checkpoint, committee

    paths = chosen_members(sources)
    members = [checkpoint.load(path) for path in paths]
    names = [shown(path) for path in paths]
    images = committee.common_data(list(zip(names, (each.config for each in members), strict=True)), split)
    if pictures:
        own, together = _picture_figures(members, images, limit)
    else:
        own, together = _figures(members, images, errors, errors_sheet)
    result = _about(names, own) | {"split": split} | together
    if as_json:
        print_json(result)
    else:
        print_text(_picture_table(result) if pictures else _table(result))


def _about(names: Sequence[str], own: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What is evaluated: one checkpoint, or the members of a committee with each one's own figures."""
    if len(names) == 1:
        return {"checkpoint": names[0]}
    return {"members": [{"checkpoint": name} | figures for name, figures in zip(names, own, strict=True)]}


def _figures(
    members: Sequence[Checkpoint], images: Split, errors: Path | None, errors_sheet: Path | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What each member makes of a split, and all of them together; their mistakes are written where asked for."""
    from bpcli.training import committee, evaluation
    from bpcli.training.team import Team, usable_cores

    verdict = committee.judge(members, images, Team(usable_cores()))
    mistakes = evaluation.mistakes(verdict.scores, images.labels)
    if errors is not None:
        _write_errors(mistakes, errors)
    if errors_sheet is not None:
        _write_sheet(mistakes, images, errors_sheet)
    return [{key: each[key] for key in _OF_A_MEMBER} for each in verdict.members], verdict.committee


def _picture_figures(
    members: Sequence[Checkpoint], images: Split, limit: int | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What each member makes of a split's digits once they are in pictures, and all together, kind by kind."""
    from bpcli.data.scenes.kinds import KINDS
    from bpcli.training.picturing import read_scenes
    from bpcli.training.run import require_images
    from bpcli.training.team import Team, usable_cores

    require_images(images)
    alone = [[member] for member in members] if len(members) > 1 else []
    kinds = with_bar(KINDS, "kind", len(KINDS))
    readings = [read_scenes([members, *alone], images, kind, limit, Team(usable_cores())) for kind in kinds]
    together, *own = (_by_kind(each) for each in zip(*readings, strict=True))
    return own, together


def _by_kind(readings: Sequence[Reading]) -> dict[str, Any]:
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
    members = result.get("members", [])
    width = max((len(each["checkpoint"]) for each in members), default=0)
    return "\n".join(
        [
            *(f"{each['checkpoint']:{width}}  {_headline(each)}" for each in members),
            f"{_who(result)} on the {result['split']} split",
            _headline(result),
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


def _who(result: dict[str, Any]) -> str:
    return result["checkpoint"] if "checkpoint" in result else f"committee of {len(result['members'])}"


def _headline(figures: dict[str, Any]) -> str:
    loss = "" if figures["loss"] is None else f"   loss {figures['loss']:.4f}"
    return f"accuracy {percent(figures['accuracy'])}   errors {figures['errors']:,} of {figures['n']:,}{loss}"


def _picture_table(result: dict[str, Any]) -> str:
    """The figures of each kind of picture as people read them; of a committee's members, those of all kinds."""
    members = result.get("members", [])
    width = max((len(each["checkpoint"]) for each in members), default=0)
    return "\n".join(
        [
            *(f"{each['checkpoint']:{width}}  {_picture_headline(each)}" for each in members),
            f"{_who(result)} on {result['n']:,} digits of the {result['split']} split, in pictures",
            "",
            'kind        accuracy  errors  of them "no digit"',
            *(
                f"{kind:10}  {percent(figures['accuracy']):>8}  {figures['errors']:6,}  {figures['refused']:6,}"
                for kind, figures in result["kinds"].items()
            ),
        ]
    )


def _picture_headline(figures: dict[str, Any]) -> str:
    kinds = figures["kinds"].values()
    pictures, errors = figures["n"] * len(kinds), sum(each["errors"] for each in kinds)
    return f"accuracy {percent(1 - errors / pictures)}   errors {errors:,} of {pictures:,} in pictures of all kinds"


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
