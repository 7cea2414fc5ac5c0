"""What is told of a folder of pictures while it is read, and afterwards."""

from typing import NamedTuple


class Preparing(NamedTuple):
    """So many of so many pictures are prepared."""

    done: int
    total: int


class Refused(NamedTuple):
    """A picture that can't be used: its path from the folder, with slashes, and why."""

    file: str
    reason: str


class Remarks(NamedTuple):
    """What the user should know of a folder of pictures.

    Attributes:
        refused: the pictures that can't be used.
        hidden: how many files and folders were skipped because they are hidden.
        others: how many files were skipped because their names are not those of pictures.
        warnings: what speaks against the data, in a line each.
    """

    refused: tuple[Refused, ...]
    hidden: int
    others: int
    warnings: tuple[str, ...]
