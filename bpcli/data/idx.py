"""IDX files, the format of MNIST: a magic number, the dimensions, and bytes; packed with gzip or not."""

import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bpcli.errors import DataError

_UNSIGNED_BYTE = 0x08
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: Path, dimensions: int, *, longest: int) -> NDArray[np.uint8]:
    """The array of unsigned bytes in an IDX file (http://yann.lecun.com/exdb/mnist, "file formats").

    Args:
        path: the file; packed with gzip if it begins as gzip does, whatever its name.
        dimensions: how many dimensions it must have (3 for images, 1 for labels).
        longest: the most bytes of data to accept; never more is unpacked than that, the header and one byte.

    Returns:
        A read-only array of the shape that the header promises.

    Raises:
        DataError: the file can't be read, or its magic number, type, dimensions or length are wrong.
    """
    content = _read(path, limit=longest + 4 * (dimensions + 1) + 1)
    shape = _shape(path, content, dimensions)
    header = 4 * (dimensions + 1)
    size = prod(shape)
    if size > longest:
        raise DataError(f"{path}: its header promises {size:,} bytes of data; at most {longest:,} are accepted")
    if len(content) != header + size:
        found = "more" if len(content) > header + size else f"only {len(content):,}"
        raise DataError(f"{path}: its header promises {header + size:,} bytes in all, but it holds {found}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _shape(path: Path, content: bytes, dimensions: int) -> tuple[int, ...]:
    expected = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if len(content) < 4 or content[:4] != expected:
        raise DataError(
            f"{path}: not an IDX file of unsigned bytes with {dimensions} dimension{'s' * (dimensions > 1)}: "
            f"it begins with {content[:4].hex() or 'nothing'}, not {expected.hex()}"
        )
    if len(content) < 4 * (dimensions + 1):
        raise DataError(f"{path}: ends in the middle of its header, after {len(content)} bytes")
    return struct.unpack_from(f">{dimensions}I", content, 4)


def _read(path: Path, limit: int) -> bytes:
    """At most `limit` bytes of the file's content, unpacked."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            if not packed:
                return file.read(limit)
            # bytes that don't compress grow by less than a hundredth
            return _unpack(path, file.read(limit + limit // 100 + 1024), limit)
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}") from error


def _unpack(path: Path, packed: bytes, limit: int) -> bytes:
    """The content of a gzip file of one member, whose length and CRC are checked; at most `limit` bytes of it."""
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(packed, limit)
    except zlib.error as error:
        raise DataError(f"{path}: its gzip data are damaged: {error}") from error
    if len(content) < limit and not unpacker.eof:
        raise DataError(f"{path}: its gzip data are cut off after {len(packed):,} bytes")
    if unpacker.unused_data:
        raise DataError(f"{path}: {len(unpacker.unused_data):,} bytes follow the end of its gzip data")
    return content
