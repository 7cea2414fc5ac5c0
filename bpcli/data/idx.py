"""Reader and writer of IDX files, MNIST's format: a magic number, the dimensions, and bytes; with or without gzip."""

import struct
import zlib
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bpcli.errors import DataError

_UNSIGNED_BYTE = 0x08
_GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 1024 * 1024  # bytes of a gzip file that are read at a time
_SLACK = 64 * 1024  # bytes that a gzip file may have besides its data: name, header, trailer


def read_idx(
    path: Path, dimensions: int, *, longest: int, require: Callable[[Path, tuple[int, ...]], None] | None = None
) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes in an IDX file (http://yann.lecun.com/exdb/mnist, "file formats").

    Args:
        path: the file; its first bytes tell whether it is gzip, not its name.
        dimensions: the required number of dimensions (3 for images, 1 for labels).
        longest: the maximum bytes of data.
        require: called with the path and the shape before data are decompressed; raises if the shape is wrong.

    Returns:
        A read-only array of the shape in the header. At most one byte more than that is decompressed.

    Raises:
        DataError: the file can't be read, or its magic number, type, dimensions or length are wrong.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            source = _Packed(path, file) if packed else _Plain(path, file)
            return _read(path, source, dimensions, longest, require)
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}") from error


def idx_pieces(array: NDArray[np.uint8]) -> Iterator[bytes | memoryview]:
    """Yield the content of the IDX file of an array: its header, then its bytes."""
    header = bytes([0, 0, _UNSIGNED_BYTE, array.ndim])
    yield header + struct.pack(f">{array.ndim}I", *array.shape)
    yield np.ascontiguousarray(array).data.cast("B")


def _read(
    path: Path,
    source: "_Plain | _Packed",
    dimensions: int,
    longest: int,
    require: Callable[[Path, tuple[int, ...]], None] | None,
) -> NDArray[np.uint8]:
    header = source.read(4 * (dimensions + 1))
    shape = _shape(path, header, dimensions)
    if require is not None:
        require(path, shape)
    size = prod(shape)
    if size > longest:
        raise DataError(f"{path}: its header promises {size:,} bytes of data; at most {longest:,} are accepted")
    content = source.read(size + 1)
    if len(content) != size:
        found = "more" if len(content) > size else f"only {len(header) + len(content):,}"
        raise DataError(f"{path}: its header promises {len(header) + size:,} bytes in all, but it holds {found}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _shape(path: Path, header: bytes, dimensions: int) -> tuple[int, ...]:
    expected = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if header[:4] != expected:
        raise DataError(
            f"{path}: not an IDX file of unsigned bytes with {dimensions} dimension{'s' * (dimensions > 1)}: "
            f"it begins with {header[:4].hex() or 'nothing'}, not {expected.hex()}"
        )
    if len(header) < 4 * (dimensions + 1):
        raise DataError(f"{path}: ends in the middle of its header, after {len(header)} bytes")
    return struct.unpack_from(f">{dimensions}I", header, 4)


class _Plain:
    """A file without compression."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._file, self._length = file, path.stat().st_size

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end of the file; never allocate more than its length."""
        return self._file.read(min(size, self._length))


class _Packed:
    """A gzip file of one member, decompressed only as far as requested; its length and CRC are checked."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file, self._allowance = path, file, _SLACK
        self._unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end of the data."""
        parts, wanted = [], size
        self._allowance += size + size // 100  # incompressible bytes grow by less than 1 %
        while wanted and not self._unpacker.eof:
            parts.append(self._next(wanted))
            wanted -= len(parts[-1])
        if self._unpacker.eof and (self._unpacker.unused_data or self._file.read(1)):
            raise DataError(f"{self._path}: more bytes follow the end of its gzip data")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _next(self, most: int) -> bytes:
        packed = self._unpacker.unconsumed_tail
        if not packed:
            packed = self._file.read(min(_PIECE, self._allowance))
            self._allowance -= len(packed)
        if not packed:
            raise DataError(f"{self._path}: its gzip data are cut off, or longer than what they hold")
        try:
            return self._unpacker.decompress(packed, most)
        except zlib.error as error:
            raise DataError(f"{self._path}: its gzip data are damaged: {error}") from error
