"""The formats of `bpcli export`. To add one, add a row to `FORMATS`: the command finds it there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bpcli.errors import ArgumentError
from bpcli.export.c import c
from bpcli.export.member import Member
from bpcli.export.npz import npz
from bpcli.export.onnx import onnx
from bpcli.export.safetensors import safetensors
from bpcli.inference.ensemble import MEAN, Combination


class Format(NamedTuple):
    """A format of files with networks.

    Attributes:
        title: what people call it.
        suffix: the end of its files' names.
        write: returns the content of the file of one network, or of a committee that answers together in some way. The
            same networks give the same bytes.
        committees: whether a file may hold several networks.
        int8: whether a file may hold quantized networks.
    """

    title: str
    suffix: str
    write: Callable[[Sequence[Member], Combination], bytes]
    committees: bool
    int8: bool = False


FORMATS: dict[str, Format] = {
    "onnx": Format("ONNX", ".onnx", onnx, committees=True, int8=True),
    "safetensors": Format("safetensors", ".safetensors", safetensors, committees=True),
    "npz": Format("npz", ".npz", lambda members, how: npz(members), committees=False),
    "c": Format("C99", ".h", lambda members, how: c(members), committees=False, int8=True),
}
DEFAULT = "onnx"


def chosen(kind: str | None, path: Path | None) -> str:
    """Return the name of the format to write: `kind`, or else the one that the file's name ends in, or the default.

    Raises:
        ArgumentError: the file's name promises another format than `kind`.
    """
    promised = next((name for name, each in FORMATS.items() if path and path.suffix.lower() == each.suffix), None)
    if kind and promised not in (None, kind):
        raise ArgumentError(f"{path}: is written as {kind}; its name should end in {FORMATS[kind].suffix}")
    return kind or promised or DEFAULT


def require_suited(kind: str, networks: int, int8: bool) -> None:
    """Refuse a format whose files can't hold so many networks, or none that are quantized.

    Raises:
        ArgumentError: they can't.
    """
    own = FORMATS[kind]
    if networks > 1 and not own.committees:
        others = " or ".join(name for name, each in FORMATS.items() if each.committees)
        raise ArgumentError(f"a file of the format {kind} holds one network, not {networks}; choose {others}")
    if int8 and not own.int8:
        others = " or ".join(name for name, each in FORMATS.items() if each.int8)
        raise ArgumentError(f"a file of the format {kind} holds no quantized network; choose {others}")


def content(kind: str, members: Sequence[Member], how: Combination = MEAN) -> bytes:
    """Return the content of a file in the format `kind`.

    Args:
        kind: the name of the format.
        members: one network or several.
        how: how several answer together.

    Raises:
        ArgumentError: the format can't hold these networks.
    """
    require_suited(kind, len(members), any(member.quantized for member in members))
    return FORMATS[kind].write(members, how)
