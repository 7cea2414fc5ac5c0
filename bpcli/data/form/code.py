"""The code on a form's page: its layout and its classes in 162 black and white squares, with a checksum.

20 bytes, the highest bit of each first: version, number of the paper, rows, page, number of runs (one byte each); nine
bytes of classes; two of zeros; the CRC-32 of all these. Classes of single characters are written as up to three runs of
consecutive code points, each by its first (two bytes) and its length (one byte). Other classes have no runs but the
CRC-32 of their names and their number: whoever reads the form names them again. The bytes are combined with a fixed
mask by exclusive or, so that black and white alternate. Two more squares, black and white, end the code.
"""

import struct
import zlib
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.data.form.classes import flaw_in_folders
from bpcli.data.form.layout import CODE_COLUMNS, CODE_ROWS, MAX_CLASSES, MAX_ROWS, PAPERS, Page

Bits = NDArray[np.bool_]
Run = tuple[int, int]  # the first code point, and how many follow each other

VERSION = 1
MAX_RUNS = 3
_HEAD = struct.Struct(">5B9s2x")
_RUN = struct.Struct(">HB")
_LIST = struct.Struct(">IB")  # the sum of the names, and their number
_SUM = struct.Struct(">I")
_SIZE = _HEAD.size + _SUM.size
_MASK = sha256(b"a form of bpcli").digest()[:_SIZE]
_END = (True, False)


class Code(NamedTuple):
    """What a code says.

    Attributes:
        version: of the layout; the rest is only known for `VERSION`.
        paper: the name of the paper.
        rows: the cells of a class.
        page: its number.
        names: all classes of the form, if the code carries them.
        checksum: else of their names.
        number: else of them.
    """

    version: int
    paper: str = ""
    rows: int = 0
    page: int = 0
    names: tuple[str, ...] | None = None
    checksum: int = 0
    number: int = 0


def encode(page: Page) -> Bits:
    """Return the squares (rows, columns) of a page, true where they are black."""
    runs = runs_of(page.classes)
    body = b"".join(_RUN.pack(*run) for run in runs) if runs else _LIST.pack(_checksum(page.classes), len(page.classes))
    head = _HEAD.pack(VERSION, list(PAPERS).index(page.paper), page.rows, page.number, len(runs), body)
    content = head + _SUM.pack(zlib.crc32(head))
    bits = np.unpackbits(np.frombuffer(_masked(content), np.uint8)).astype(np.bool_)
    return np.append(bits, _END).reshape(CODE_ROWS, CODE_COLUMNS)


def decode(bits: Bits) -> Code | None:
    """Return what the squares (rows, columns) say; None if they are no code, or one of them is wrong."""
    flat = bits.ravel()
    content = _masked(np.packbits(flat[: 8 * _SIZE]).tobytes())
    head = content[: _HEAD.size]
    if tuple(flat[8 * _SIZE :]) != _END or zlib.crc32(head) != _SUM.unpack(content[_HEAD.size :])[0]:
        return None
    version, paper, rows, page, runs, body = _HEAD.unpack(head)
    if version != VERSION:
        return Code(version)
    if paper >= len(PAPERS) or not 1 <= rows <= MAX_ROWS or runs > MAX_RUNS:
        return None
    code = Code(version, list(PAPERS)[paper], rows, page)
    if runs:
        return code._replace(names=_names([_RUN.unpack_from(body, n * _RUN.size) for n in range(runs)]))
    checksum, number = _LIST.unpack_from(body)
    return code._replace(checksum=checksum, number=number)


def page_of(code: Code, classes: Sequence[str] | None) -> Page | str:
    """Return the page that a code describes, or why it can't be read.

    Args:
        code: of the page.
        classes: those that the user named, if any.
    """
    if code.version != VERSION:
        return "is a sheet of another version of bpcli"
    if code.names is None and classes is None:
        return f"the sheet doesn't name its {code.number} classes; give the --classes that it was made for"
    if classes is not None and not _is_of(code, classes):
        return "the sheet was made for other classes than --classes names"
    names = code.names or tuple(classes or ())
    page = Page(names, code.rows, code.paper, code.page)
    wrong = not 1 <= len(names) <= MAX_CLASSES or flaw_in_folders(names) or not 1 <= code.page <= page.pages
    return "the sheet's code makes no sense" if wrong else page


def _is_of(code: Code, classes: Sequence[str]) -> bool:
    """Return whether a code is of a form with these classes."""
    if code.names is not None:
        return code.names == tuple(classes)
    return (code.checksum, code.number) == (_checksum(classes), len(classes))


def runs_of(names: Sequence[str]) -> list[Run]:
    """Return names of single characters as runs of code points; none if that takes too many."""
    if any(len(name) != 1 or ord(name) > 0xFFFF for name in names):
        return []
    starts = [n for n, name in enumerate(names) if n == 0 or ord(name) != ord(names[n - 1]) + 1]
    ends = [*starts[1:], len(names)]
    runs = [(ord(names[start]), end - start) for start, end in zip(starts, ends, strict=True)]
    return runs if len(runs) <= MAX_RUNS else []


def _names(runs: Sequence[Run]) -> tuple[str, ...]:
    return tuple(chr(first + n) for first, count in runs for n in range(count))


def _checksum(names: Sequence[str]) -> int:
    return zlib.crc32("\n".join(names).encode())


def _masked(content: bytes) -> bytes:
    return bytes(byte ^ mask for byte, mask in zip(content, _MASK, strict=True))
