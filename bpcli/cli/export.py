"""`bpcli export`: a network as a file for other programs."""

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path

import click

from bpcli.cli.card import measured_card
from bpcli.cli.options import Named, chosen_members, combining, ensemble_of, introduce, require_free, same_file
from bpcli.cli.output import one_line, percent, print_text, shown
from bpcli.export import quantize as quantization
from bpcli.export.formats import DEFAULT, FORMATS, chosen, content, require_suited
from bpcli.export.member import Member
from bpcli.inference.ensemble import Rule, Weighting
from bpcli.inference.evaluation import read_split_of
from bpcli.storage.files import write_files
from bpcli.storage.run_folder import BEST, LAST, PREVIOUS
from bpcli.storage.series_file import is_series

_NEVER = b"(?!)"  # matches nothing: what another program trained or changed may have the same beginning


@click.command()
@click.argument("sources", nargs=-1, metavar="[CHECKPOINT|RUN|SERIES]...")
@click.option("--format", "kind", type=click.Choice(list(FORMATS)),
              help=f"By default the one that FILE's name ends in, or {DEFAULT}.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE",
              help="The file; by default the network's name in the current folder.")  # fmt: skip
@combining
@click.option("--quantize", type=click.Choice(["int8"]),
              help="Round the weights to a byte each, by means of training images.")  # fmt: skip
@click.option("--card", type=click.Path(path_type=Path), metavar="FILE.md",
              help="Write a model card, with metrics on test images; without --format and -o only that.")  # fmt: skip
@click.option("--license", "license_id", metavar="ID", help="With --card: the network's license, such as mit.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def export(
    sources: tuple[str, ...],
    kind: str | None,
    out: Path | None,
    combine: Rule,
    weights: Weighting,
    quantize: str | None,
    card: Path | None,
    license_id: str | None,
    force: bool,
) -> None:
    """Write a network as a file for other programs.

    Without an argument: the run in the folder runs that ended last, or, where none has, the network that comes with
    bpcli. Several networks, or a series of runs, become one that answers by the mean of their scores or logits.
    """
    _require_sensible(card, license_id, out)
    alone = card is not None and not (kind or out or quantize)
    kind = chosen(kind, out)
    named = chosen_members(sources)
    require_suited(kind, len(named), quantize is not None)
    name = _name(named)
    target = None if alone else out or Path(f"{name}{FORMATS[kind].suffix}")
    if target is not None and card is not None and same_file(target, card):
        raise click.UsageError(f"the network and the card would be one file, {card}")
    for path in filter(None, (target, card)):
        require_free(path, force, _NEVER)
    ensemble = ensemble_of(named, combine, weights)
    members = [_member(each, quantize is not None) for each in named]
    files = {} if target is None else {target: content(kind, members, ensemble.how)}
    if card:
        exported = None if target is None else (kind, one_line(target.name))
        files[card] = measured_card(one_line(name), named, ensemble, members, exported, license_id).encode()
    write_files(files)
    introduce(named, by_default=not sources)
    if target:
        print_text(f"the network is {shown(target)}: {_about(kind, files[target], members)}")
    if card:
        print_text(f"the model card is {shown(card)}")


def _require_sensible(card: Path | None, license_id: str | None, out: Path | None) -> None:
    """Refuse options that contradict each other."""
    if license_id is not None and card is None:
        raise click.UsageError("--license goes with --card")
    if card is not None and card == out:
        raise click.UsageError("-o and --card name the same file")


def _name(members: Sequence[Named]) -> str:
    """Return the name of a run, a series or a file, without its folder."""
    folders = {member.path.parent.resolve() for member in members}
    if len(members) > 1:
        series = {folder.parent for folder in folders}
        return series.pop().name if len(series) == 1 and is_series(min(series)) else "committee"
    path = members[0].path
    return folders.pop().name if path.name in (BEST, LAST, PREVIOUS) else path.stem


def _member(named: Named, int8: bool) -> Member:
    """Return a network with the SHA-256 of its file, quantized if wanted."""
    with named.path.open("rb") as file:
        member = Member(named.checkpoint, file_digest(file, "sha256").hexdigest())
    return _quantized(named.name, member) if int8 else member


def _quantized(name: str, member: Member) -> Member:
    """Return a network quantized to int8; print its accuracy before and after."""
    images = read_split_of(member.model, "train").images
    quantized = quantization.quantize(member.model, quantization.calibration(images))
    kept = read_split_of(member.model, "validation")
    if len(kept):
        before, after = (
            percent(float((scores.argmax(axis=1) == kept.labels).mean()))
            for scores in (member.model.scores(kept.images), quantization.scores(quantized, kept.images))
        )
        print_text(f"{name} on {len(kept):,} validation images: {before} right with float32, {after} with int8")
    return member._replace(quantized=quantized)


def _about(kind: str, made: bytes, members: Sequence[Member]) -> str:
    """Return the format and the size of a file, and how many networks it holds, or how often its one was right."""
    about = f"{FORMATS[kind].title}, {len(made):,} bytes"
    if len(members) > 1:
        return f"{about}, a committee of {len(members)}"
    (member,) = members
    accuracy = member.checkpoint.metrics.get("validation_accuracy")
    return about if accuracy is None or member.quantized else f"{about}, validation accuracy {percent(accuracy)}"
