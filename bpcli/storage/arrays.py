"""Arrays in our archives: .npy members, written in one way and read without NumPy's parser."""

import io
import re
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpcli.storage.archive import Archive, Malformed

MAX_HEADER = 1000  # bytes before an array's data; NumPy writes 128

# The header before an array's data: numpy.lib.format, version 1.0, rows in order. NumPy parses it with Python's own
# parser, which a crafted file can make raise unexpected errors. Our files need no more than this pattern.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\0(..)"
    rb"\{'descr': '([<>|=]?[A-Za-z]\d{0,6})', 'fortran_order': False, 'shape': (\([\d, ]{0,40}\)), \} *\n",
    re.DOTALL,
)


def npy(array: NDArray[Any]) -> bytes:
    """Return an array as the content of a member, row after row."""
    content = io.BytesIO()
    np.lib.format.write_array(content, np.array(array, order="C"), version=(1, 0), allow_pickle=False)
    return content.getvalue()


def read(archive: Archive, name: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return one array.

    Raises:
        Malformed: it is missing, or of any other shape or type.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    require_size(archive, name, size)
    descr, found, data = opened(archive, name)
    if (descr, found) != (dtype, str(shape)):
        raise Malformed(f"{name} is {descr} {found}, not {dtype} {shape}")
    if len(data) != size:
        raise Malformed(f"{name} has {len(data)} bytes of data, not {size}")
    return np.frombuffer(data, dtype).reshape(shape)


def require_size(archive: Archive, name: str, size: int) -> None:
    """Check that a member declares `size` bytes and a header, before any of it is unpacked.

    Raises:
        Malformed: it is missing, or declares anything else.
    """
    member = archive.members.get(f"{name}.npy")
    if member is None:
        raise Malformed(f"missing or unknown member '{name}.npy'")
    if not size < member.size <= size + MAX_HEADER:
        raise Malformed(f"{name} has {member.size} bytes, not {size} and a header")


def opened(archive: Archive, name: str) -> tuple[str, str, memoryview]:
    """Return the type and the shape that a member declares, and its data.

    Raises:
        Malformed: it is not an array.
    """
    content = archive.read(f"{name}.npy")
    header = _HEADER.match(content[:MAX_HEADER])
    if header is None or int.from_bytes(header[1], "little") != header.end() - header.end(1):
        raise Malformed(f"{name} is not an array of numbers, row after row")
    return header[2].decode(), header[3].decode(), memoryview(content)[header.end() :]
