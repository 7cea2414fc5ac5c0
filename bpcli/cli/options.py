"""Options and arguments that several commands share."""

import os
import re
from collections.abc import Callable, Sequence
from io import BytesIO
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

import click

from bpcli import machine
from bpcli.cli.output import one_line, say, shown, warn
from bpcli.core.threads import ThreadGroup
from bpcli.errors import OutputError
from bpcli.inference.doubts import mistrust
from bpcli.inference.ensemble import Ensemble, Rule, Weighting, combination, require_same_task
from bpcli.model import Model
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.files import cannot_write
from bpcli.storage.find import PRETRAINED, find_members, find_network, name_of

F = TypeVar("F", bound=Callable[..., Any])
_BETTER = f"trained without distortions; {PRETRAINED} reads photographs better"

_HEAD = 4096  # bytes of a file in which its mark stands


class Named(NamedTuple):
    """A network, its name and its file."""

    name: str
    checkpoint: Checkpoint
    path: Path

    @property
    def model(self) -> Model:
        """The network, ready to use."""
        return self.checkpoint.model


def configured(command: F) -> F:
    """Add the options -c and -s, from which `bpcli.config.load` makes a configuration."""
    source = click.option(
        "-c", "--config", "source", default="default", show_default=True, metavar="PRESET|FILE",
        help="A preset (see `bpcli config --list`) or a YAML file.",
    )  # fmt: skip
    override = click.option(
        "-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE",
        help="Override a key, such as train.epochs=3. Repeatable.",
    )  # fmt: skip
    return source(override(command))


def png_file(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Return the file that an option or argument names; refuse a name that promises another format than PNG."""
    return _file_of(".png", context, parameter, path)


def svg_file(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Return the file that an option names; refuse a name that promises another format than SVG."""
    return _file_of(".svg", context, parameter, path)


def _file_of(suffix: str, context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() != suffix:
        better = f"{path.stem.strip('.') or 'sheet'}{suffix}"
        raise click.BadParameter(
            f"{path}: is written as {suffix[1:].upper()}; its name should be {better}", context, parameter
        )
    return path


def chosen_network(source: str | None) -> Named:
    """Return the network that a command's argument names.

    Raises:
        CheckpointError: there is none, or it can't be read.
    """
    return _loaded(find_network(source))


def chosen_paths(sources: Sequence[str]) -> list[Path]:
    """Return the checkpoints that a command's arguments name; print notes about them on stderr.

    Raises:
        CheckpointError: there are none.
        ArgumentError: one is named twice.
    """
    found = find_members(sources)
    for note in found.notes:
        say(one_line(note))
    return found.paths


def chosen_members(sources: Sequence[str]) -> list[Named]:
    """Return the networks of the ensemble that a command's arguments name.

    Raises:
        CheckpointError: there are none, one can't be read, or they can't answer together.
        ArgumentError: one is named twice.
    """
    members = [_loaded(path) for path in chosen_paths(sources)]
    require_same_task([(member.name, member.model) for member in members])
    return members


class FiniteRange(click.FloatRange):
    """A number within limits. Click's own type lets NaN through, which is neither below nor above any."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value} is not a number in the range {self._describe_range()}.", param, ctx)
        return number


def combining(command: F) -> F:
    """Add the options --combine and --weights, for `ensemble_of`."""
    rule = click.option(
        "--combine", type=click.Choice(get_args(Rule)), default="scores", show_default=True,
        help="Whether several networks answer by the mean of their scores or of their logits.",
    )  # fmt: skip
    weights = click.option(
        "--weights", type=click.Choice(get_args(Weighting)), default="equal", show_default=True,
        help="The weights in that mean: all equal, or chosen on the networks' validation images.",
    )  # fmt: skip
    return rule(weights(command))


def ensemble_of(members: Sequence[Named], combine: Rule, weights: Weighting) -> Ensemble:
    """Return networks as one, as the options say; print weights that were chosen on stderr.

    Raises:
        CheckpointError: they can't answer together so.
        DataError: their validation images can't be read.
    """
    named = [(member.name, member.model) for member in members]
    how = combination(named, combine, weights, ThreadGroup(machine.usable_cores()))
    if how.weights is not None:
        chosen = (f"{weight:.3f} {member.name}" for weight, member in zip(how.weights, members, strict=True))
        say(f"weights by validation: {' + '.join(chosen)}")
    return Ensemble([member.model for member in members], how)


def _loaded(path: Path) -> Named:
    return Named(shown(Path(name_of(path))), checkpoint.load(path), path)


def introduce(members: Sequence[Named], *, by_default: bool) -> None:
    """Print on stderr which network answers, and whatever speaks against it.

    Args:
        members: the network, or those of a committee.
        by_default: whether the user named none.
    """
    say(f"network: {joined(members)}{_hint(members) if by_default else ''}")
    for member in members:
        if text := mistrust(member.checkpoint):
            warn(f"{member.name} {text}")


def _hint(members: Sequence[Named]) -> str:
    """Return why this network was taken, or which other would likely do better."""
    if [member.name for member in members] == [PRETRAINED]:
        return ", which comes with bpcli, as no run has ended here"
    return "" if any(map(_reads_photographs, members)) else f"; {_BETTER}"


def joined(members: Sequence[Named]) -> str:
    """Return the names of a network or a committee."""
    return " + ".join(member.name for member in members)


def _reads_photographs(member: Named) -> bool:
    """Return whether a network was trained on distorted images, or on other things than digits."""
    return member.checkpoint.config.augment.distorts or not member.model.spec.numerals


def forcible(command: F) -> F:
    """Add the option --force, for `require_free`."""
    help_text = "Replace any file; without it, only one that this command made."
    return click.option("--force", is_flag=True, help=help_text)(command)


def same_file(one: Path, other: Path) -> bool:
    """Return whether two paths are, or will be, one file."""
    try:
        return one.samefile(other)
    except OSError:  # one is not there yet
        return os.path.realpath(one) == os.path.realpath(other)


def require_free(path: Path, force: bool, mark: bytes) -> None:
    """Refuse to replace a file, unless `force` is set or its beginning matches `mark`: then bpcli made it.

    Args:
        path: the file to be written.
        force: whether to replace any file.
        mark: a regular expression for the first bytes of a file that may be replaced.

    Raises:
        OutputError: the file must not be replaced, is a folder, or can't even be looked at.
    """
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:  # such as a name that is too long
        raise cannot_write(path, error) from error
    if is_folder:
        raise OutputError(f"{path}: is a folder; -o names the file to write")
    if is_there and not force and not re.match(mark, _head(path), re.DOTALL):
        raise OutputError(f"{path}: exists; --force replaces it")


def _head(path: Path) -> bytes:
    """Return the first bytes of a file; none if it can't be read, or is no file but a device or a pipe."""
    try:
        with path.open("rb") if path.is_file() else BytesIO() as file:
            return file.read(_HEAD)
    except OSError:
        return b""
