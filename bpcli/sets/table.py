"""The tables of the data sets that are known by name: where their files are, what they must be, how they are read."""

import msgspec
from msgspec import Struct

from bpcli import hints, resources
from bpcli.errors import ArgumentError
from bpcli.strict_yaml import parse_yaml


class Content(Struct, frozen=True, forbid_unknown_fields=True):
    """What a file must hold; its size in bytes is None where nobody has published it."""

    sha256: str
    size: int | None = None


class Source(Content, frozen=True, kw_only=True):
    """A file as its authors offer it, and what it is once it is unpacked, where that is known."""

    name: str
    unpacked: Content | None = None


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """The training or the test images: how many there are, and the files, or an archive's members, that hold them."""

    count: int
    files: tuple[str, ...]


class NamedSet(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A data set that is known by name.

    Attributes:
        name: as in `data.name`.
        title, shows, licence, home: for people.
        classes: the name of each class, in the order of the labels.
        mirrors: addresses; a file's name at the end makes its address.
        layout: how the files are read, a key of `layouts.LAYOUTS`.
        train, test: the two parts.
        sources: the files to fetch.
        system: the folder of a package of the system, in `share/datasets`.
        transposed: whether rows and columns are exchanged.
        first_label: the label of the first class.
    """

    name: str
    title: str
    shows: str
    licence: str
    home: str
    classes: tuple[str, ...]
    mirrors: tuple[str, ...]
    layout: str
    train: Part
    test: Part
    sources: tuple[Source, ...]
    system: str | None = None
    transposed: bool = False
    first_label: int = 0

    @property
    def size(self) -> int | None:
        """The bytes to fetch; None where they are not known."""
        sizes = [source.size for source in self.sources if source.size is not None]
        return sum(sizes) if len(sizes) == len(self.sources) else None


def known() -> list[NamedSet]:
    """Return all of them, by name."""
    return [_load(name) for name in resources.set_names()]


def load(name: str) -> NamedSet:
    """Return a data set by its name; - may stand for _.

    Raises:
        ArgumentError: there is none of that name.
    """
    names = resources.set_names()
    ours = name.replace("-", "_")
    if ours not in names:
        hint = hints.question(hints.nearest(ours, names)) or "; `bpcli data list` lists those that are known"
        raise ArgumentError(f"no data set is called {name}{hint}")
    return _load(ours)


def _load(name: str) -> NamedSet:
    path = resources.set_tables() / f"{name}.yaml"
    tree = parse_yaml(path.read_bytes(), str(path))
    return msgspec.convert({"name": name, **(tree if isinstance(tree, dict) else {})}, NamedSet)
