"""`bpcli evaluate`: the metrics of a trained network, or of a committee of several, class by class."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from bpcli import machine
from bpcli.cli.options import Named, chosen_members, combining, ensemble_of, forcible, png_file, require_free, same_file
from bpcli.cli.output import named_steps, percent, print_json, print_text, say
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import Split
from bpcli.data.scenes.kinds import KINDS
from bpcli.data.sheet import SHEET_MARK
from bpcli.data.spec import DataSpec
from bpcli.errors import ArgumentError
from bpcli.inference.ensemble import Ensemble, Rule, Weighting, common_data, compare_members, evaluate_ensemble
from bpcli.inference.evaluation import HEADLINE, Mistake, mistakes, require_images
from bpcli.inference.mistake_sheet import mistake_sheet
from bpcli.inference.predictions import default_min_score
from bpcli.inference.robustness import KindMetrics, evaluate_scenes
from bpcli.storage.files import write_files

_MATRIX = 40  # classes up to which a confusion matrix is printed
_COLUMN = 5  # characters of a class name above its column
_PICTURED = 1000  # images that are put into pictures of each kind
_MOST_FREQUENT = 20  # mistakes that are listed instead of the matrix
_PAIRS = 15  # pairs of networks up to which each is shown
_ERRORS = ("index", "label", "prediction", "score")  # columns of the list of mistakes
_ERRORS_MARK = ",".join(_ERRORS).encode() + b"\n"  # matches the beginning of every such list


@click.command()
@click.argument("sources", nargs=-1, metavar="[CHECKPOINT|RUN|SERIES]...")
@click.option(
    "--split", type=click.Choice(["test", "validation", "train"]), default="test", show_default=True,
    help="The images to evaluate on.",
)  # fmt: skip
@combining
@click.option(
    "--errors", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.csv",
    help="Write the mistakes, the surest first: index, label, prediction, score.",
)  # fmt: skip
@click.option(
    "--errors-sheet", type=click.Path(path_type=Path, dir_okay=False), callback=png_file, metavar="FILE.png",
    help="Write the mistakes as pictures with their labels.",
)  # fmt: skip
@click.option("--pictures", is_flag=True, help="Put the images into pictures of many kinds, and read those.")
@click.option("--limit", type=click.IntRange(1), metavar="N",
              help=f"With --pictures: the first N images of the split, by default {_PICTURED:,}.")  # fmt: skip
@forcible
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    sources: tuple[str, ...],
    split: Literal["test", "validation", "train"],
    combine: Rule,
    weights: Weighting,
    errors: Path | None,
    errors_sheet: Path | None,
    pictures: bool,
    limit: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Show accuracy, loss, and precision and recall of each class with the confusion matrix.

    Without an argument: the run in the folder runs that ended last, or, where none has, the network that comes with
    bpcli. Several networks, or a series of runs, answer together as a committee, by the mean of their scores or logits;
    each is shown, then all together, and each pair is compared on the same images by McNemar's test.
    """
    if pictures and (errors or errors_sheet):
        raise click.UsageError("--errors and --errors-sheet list the data set's own images; leave out --pictures")
    if limit is not None and not pictures:
        raise click.UsageError("--limit goes with --pictures")
    _require_free(errors, errors_sheet, force)
    members = chosen_members(sources)
    spec = members[0].model.spec
    if pictures and not spec.digits:
        raise ArgumentError("--pictures puts digits into scenes; this network was trained on pictures of other things")
    images = common_data([(member.name, member.model) for member in members], split)
    ensemble = ensemble_of(members, combine, weights)
    if ensemble.how.weights and split == "validation":
        say("note: the weights were chosen on these images, so the committee's figures are too good")
    if pictures:
        own, together = _picture_metrics(members, ensemble, images.first(limit or _PICTURED))
    else:
        own, together = _metrics(members, ensemble, images, errors, errors_sheet)
    result = _about(members, ensemble, own) | {"split": split, "classes": spec.classes} | together
    if as_json:
        print_json(result)
    else:
        print_text(_picture_table(result, len(images)) if pictures else _table(result, spec))


def _require_free(errors: Path | None, errors_sheet: Path | None, force: bool) -> None:
    """Refuse to replace files of others, or one by the other, before any work is done."""
    if errors is not None and errors_sheet is not None and same_file(errors, errors_sheet):
        raise click.UsageError("--errors and --errors-sheet name the same file")
    for path, mark in ((errors, _ERRORS_MARK), (errors_sheet, SHEET_MARK)):
        if path is not None:
            require_free(path, force, mark)


def _about(members: Sequence[Named], ensemble: Ensemble, own: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is evaluated: one checkpoint, or the members of an ensemble with their own metrics."""
    if len(members) == 1:
        return {"checkpoint": members[0].name}
    each = [{"checkpoint": member.name} | metrics for member, metrics in zip(members, own, strict=True)]
    return {"members": each, "combine": ensemble.how.rule, "weights": ensemble.how.weights}


def _metrics(
    members: Sequence[Named], ensemble: Ensemble, images: Split, errors: Path | None, errors_sheet: Path | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the metrics of each member and of all together; write the mistakes if asked for."""
    found = evaluate_ensemble(ensemble, images, ThreadGroup(machine.usable_cores()))
    wrong, classes = mistakes(found.scores, images.labels), ensemble.spec.classes
    lists = {} if errors is None else {errors: _as_csv(wrong, classes)}
    sheets = {} if errors_sheet is None else {errors_sheet: mistake_sheet(wrong, classes, images)}
    write_files(lists | sheets)
    own, names = [{key: each[key] for key in HEADLINE} for each in found.members], [each.name for each in members]
    pairs = [{"first": names[i], "second": names[j]} | each._asdict() for i, j, each in compare_members(found)]
    return own, found.together | ({"pairs": pairs} if pairs else {})


def _picture_metrics(
    members: Sequence[Named], ensemble: Ensemble, images: Split
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the metrics of each member and of all together, on digits in pictures of each kind."""
    require_images(images)
    alone = [(Ensemble([each.model]), default_min_score([each.checkpoint])) for each in members if len(members) > 1]
    ensembles = [(ensemble, default_min_score([each.checkpoint for each in members])), *alone]
    threads = ThreadGroup(machine.usable_cores())
    with named_steps(len(KINDS) * len(images)) as begin:
        found = [evaluate_scenes(ensembles, images, kind, threads, begin) for kind in KINDS]
    together, *own = (_by_kind(each) for each in zip(*found, strict=True))
    return own, together


def _by_kind(found: Sequence[KindMetrics]) -> dict[str, Any]:
    return {
        "n": found[0].n,
        "kinds": {
            each.kind: {"accuracy": each.right / each.n, "errors": each.n - each.right, "refused": each.refused}
            for each in found
        },
    }


def _as_csv(wrong: Sequence[Mistake], classes: Sequence[str]) -> bytes:
    """Return the mistakes as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_ERRORS)
    writer.writerows([each.index, classes[each.label], classes[each.prediction], f"{each.score:.6f}"] for each in wrong)
    return text.getvalue().encode()


def _table(result: dict[str, Any], spec: DataSpec) -> str:
    """Return the metrics as text for people."""
    members = result.get("members", [])
    width = max((len(each["checkpoint"]) for each in members), default=0)
    return "\n".join(
        [
            *(f"{each['checkpoint']:{width}}  {_headline(each)}" for each in members),
            f"{_who(result)} on the {result['split']} split",
            _headline(result),
            "",
            *_pair_table(result.get("pairs", []), width),
            *_class_table(result, "digit" if spec.numerals else "class"),
            "",
            *(_matrix if len(spec.classes) <= _MATRIX else _confusions)(result["confusion"], spec.classes),
        ]
    )


def _class_table(result: dict[str, Any], heading: str) -> list[str]:
    """Return a line for each class: precision, recall, and how many images there are."""
    width = max(len(heading), *map(len, result["classes"]))
    columns = zip(result["classes"], result["precision"], result["recall"], result["confusion"], strict=True)
    return [
        f"{heading:{width}}  precision   recall  images",
        *(
            f"{name:>{width}}  {percent(precision):>9}  {percent(recall):>7}  {sum(row):6,}"
            for name, precision, recall, row in columns
        ),
    ]


def _pair_table(pairs: Sequence[dict[str, Any]], width: int) -> list[str]:
    """Return a line for each pair of networks, and an empty one; if there are many, only where they are."""
    if len(pairs) > _PAIRS:
        return [f"--json compares the {len(pairs):,} pairs of members", ""]
    rows = [
        f"{each['first']:{width}}  {each['second']:{width}}  {each['n01']:14,}  {each['n10']:14,}  {each['p']:11.2g}"
        for each in pairs
    ]
    heading = f"{'first':{width}}  {'second':{width}}  only 1st wrong  only 2nd wrong  McNemar's p"
    return [heading, *rows, ""] if rows else []


def _who(result: dict[str, Any]) -> str:
    if "checkpoint" in result:
        return str(result["checkpoint"])
    rule = " by the mean of logits" if result["combine"] == "logits" else ""
    return f"committee of {len(result['members'])}{rule}{', weighted,' if result['weights'] else ''}"


def _headline(metrics: dict[str, Any]) -> str:
    loss = "" if metrics["loss"] is None else f"   loss {metrics['loss']:.4f}"
    accuracy, (low, high) = percent(metrics["accuracy"]), metrics["accuracy_interval"]
    errors = f"errors {metrics['errors']:,} of {metrics['n']:,}"
    return f"accuracy {accuracy}   {errors}{loss}   95 % interval {100 * low:.2f} to {percent(high)}"


def _picture_table(result: dict[str, Any], images: int) -> str:
    """Return the metrics of each kind of picture as text; of an ensemble's members, those of all kinds.

    Args:
        result: the metrics.
        images: how many the split has, some of which were put into pictures.
    """
    some = f"the first {result['n']:,} of {images:,}" if result["n"] < images else f"{images:,}"
    members = result.get("members", [])
    width = max((len(each["checkpoint"]) for each in members), default=0)
    return "\n".join(
        [
            *(f"{each['checkpoint']:{width}}  {_picture_headline(each)}" for each in members),
            f"{_who(result)} on {some} digits of the {result['split']} split, in pictures",
            "",
            'kind        accuracy  errors  of them "no digit"',
            *(
                f"{kind:10}  {percent(metrics['accuracy']):>8}  {metrics['errors']:6,}  {metrics['refused']:6,}"
                for kind, metrics in result["kinds"].items()
            ),
        ]
    )


def _picture_headline(metrics: dict[str, Any]) -> str:
    kinds = metrics["kinds"].values()
    pictures, errors = metrics["n"] * len(kinds), sum(each["errors"] for each in kinds)
    return f"accuracy {percent(1 - errors / pictures)}   errors {errors:,} of {pictures:,} in pictures of all kinds"


def _matrix(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> list[str]:
    """Return the confusion matrix with its axes labelled; long names are cut in the columns."""
    width = max(len(str(max(map(max, confusion)))), min(max(map(len, classes)), _COLUMN), 2) + 1
    margin = max(6, *map(len, classes))
    return [
        "label ↓  answer →",
        f"{'':{margin}} " + "".join(f"{name[:_COLUMN]:>{width}}" for name in classes),
        *(
            f"{name:>{margin}} " + "".join(f"{n or '·':>{width}}" for n in row)
            for name, row in zip(classes, confusion, strict=True)
        ),
    ]


def _confusions(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> list[str]:
    """Return the most frequent mistakes, where a whole matrix would be too wide."""
    pairs = [
        (n, label, answer)
        for label, row in enumerate(confusion)
        for answer, n in enumerate(row)
        if n and label != answer
    ]
    most = sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))[:_MOST_FREQUENT]
    return ["most frequent mistakes", *(f"{n:6,}  {classes[label]} as {classes[answer]}" for n, label, answer in most)]
