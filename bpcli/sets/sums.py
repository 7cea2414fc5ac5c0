"""Recognise files by their SHA-256 sums, whatever they are called and however they are packed."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from bpcli.errors import DataError
from bpcli.sets.table import Content, Source

PIECE = 1024 * 1024  # bytes that are read at a time


def recognised(path: Path, sources: Iterable[Source]) -> Source | None:
    """Return which of the sources a file is: byte for byte, unpacked, or packed by somebody else.

    Raises:
        DataError: it can't be read.
    """
    whole = sum_of(path)
    sources = tuple(sources)
    for source in sources:
        if whole in (source.sha256, source.unpacked and source.unpacked.sha256):
            return source
    inside = _sum_inside(path, [source.unpacked for source in sources if source.unpacked])
    return next((source for source in sources if source.unpacked and source.unpacked.sha256 == inside), None)


def sum_of(path: Path) -> str:
    """Return the SHA-256 sum of a file.

    Raises:
        DataError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}") from error


def checked(pieces: Iterable[bytes], wanted: Content, most: int, wrong: Callable[[str], Exception]) -> Iterator[bytes]:
    """Yield the pieces of a file; raise once they are too many, or at the end if they are not what is wanted.

    Args:
        pieces: of the file.
        wanted: what they must be together.
        most: bytes that they may be where the size is not known.
        wrong: makes the exception of a text that says what is wrong.
    """
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > (wanted.size or most):
            raise wrong(f"sends more than {wanted.size or most:,} bytes")
        digest.update(piece)
        yield piece
    if wanted.size not in (None, size):
        raise wrong(f"ends after {size:,} bytes of {wanted.size:,}")
    if digest.hexdigest() != wanted.sha256:
        raise wrong(f"sends something else: its SHA-256 is {digest.hexdigest()}, not {wanted.sha256}")


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of an open file."""
    return iter(lambda: file.read(PIECE), b"")


def _sum_inside(path: Path, possible: Iterable[Content]) -> str | None:
    """Return the sum of what a gzip file holds; None if it is none, or holds more than any that is possible."""
    most = max((content.size or 0 for content in possible), default=0)
    digest, size = hashlib.sha256(), 0
    try:
        with gzip.open(path) as file:
            while size <= most and (piece := file.read(PIECE)):
                size += len(piece)
                digest.update(piece)
    except (OSError, EOFError, zlib.error):
        return None
    return digest.hexdigest() if size <= most else None
