"""The zip files of checkpoints: written in one fixed way, and checked strictly when read.

`zipfile` finds members wherever a file's directory points, even twice or inside each other, and skips unknown bytes.
Here every byte of a file must be accounted for: the members follow one another from the first byte on, then comes
their directory, then its end record. The comment of that record is the SHA-256 of everything before it (PKWARE's
APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16).
"""

import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_STORED, _DEFLATED = 0, 8
_MARK = b"sha256:"
_DIGITS = 2 * hashlib.sha256().digest_size
_MAX_DIRECTORY = 128 * 1024  # bytes; that of a network with 32 hidden layers has 19,000
_PIECE = 1024 * 1024  # bytes hashed at a time


class Malformed(ValueError):  # noqa: N818 (says what the file is)
    """The file is not such an archive; the message says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """The position and size of a member's data.

    Attributes:
        start: offset from the file's first byte.
        packed: number of bytes in the file.
        size: number of bytes when unpacked.
        crc: the CRC-32 of the unpacked bytes.
        deflated: whether they are compressed.
    """

    start: int
    packed: int
    size: int
    crc: int
    deflated: bool


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the archive of some members, uncompressed, in their order and with a fixed date."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.comment = _MARK + b"0" * _DIGITS
    return seal(content.getbuffer()[:-_DIGITS])


def seal(content: bytes | memoryview) -> bytes:
    """Return the content followed by its SHA-256 in hexadecimal digits."""
    return b"".join((content, hashlib.sha256(content).hexdigest().encode()))


class Archive:
    """An archive, checked as a whole before anything in it is unpacked.

    Args:
        file: seekable, at any position.

    Attributes:
        members: by name, in the file's order.

    Raises:
        Malformed: the file is not exactly as this module describes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._length = file.seek(0, os.SEEK_END)
        count, start, end = self._ending()
        self.members = self._directory(count, start, end)
        self._require_digest()

    def read(self, name: str) -> bytes:
        """Return a member's data, unpacked and checked; their size is known beforehand.

        Raises:
            Malformed: the data don't match the directory.
        """
        member = self.members[name]
        data = self._bytes(member.start, member.packed)
        if member.deflated:
            data = _inflated(name, data, member.size)
        if zlib.crc32(data) != member.crc:
            raise Malformed(f"the check sum of {name} is wrong")
        return data

    def _ending(self) -> tuple[int, int, int]:
        """Return the number of members, and where their directory starts and ends."""
        comment = len(_MARK) + _DIGITS
        end = self._length - comment - _END.size
        if end < 0:
            raise Malformed("it is too short")
        content = self._bytes(end, _END.size + len(_MARK))
        mark, disk, first, here, count, size, start, length = _END.unpack_from(content)
        if mark != b"PK\x05\x06" or content[_END.size :] != _MARK:
            raise Malformed("it doesn't end as one")
        if (disk, first, here, length, start + size) != (0, 0, count, comment, end) or size > _MAX_DIRECTORY:
            raise Malformed("the end of its directory is wrong")
        return count, start, end

    def _directory(self, count: int, start: int, end: int) -> dict[str, Member]:
        """Return the members; each must begin where the one before ends."""
        content = self._bytes(start, end - start)
        members: dict[str, Member] = {}
        place = reached = 0
        for _ in range(count):
            name, member, place = self._entry(content, place, reached)
            if name in members:
                raise Malformed(f"{name} is there twice")
            members[name] = member
            reached = member.start + member.packed
        if place != len(content) or reached != start:
            raise Malformed("there are bytes that belong to no member")
        return members

    def _entry(self, content: bytes, place: int, reached: int) -> tuple[str, Member, int]:
        """Return an entry's name and member, checked against the member's header, and the next entry's place."""
        if len(content) < place + _CENTRAL.size:
            raise Malformed("its directory is too short")
        mark, _, *common, extra, comment, disk, _, _, start = _CENTRAL.unpack_from(content, place)
        _, flags, method, _, _, crc, packed, size, length = common
        name = content[place + _CENTRAL.size :][:length]
        shown = repr(name[:60].decode("ascii", "backslashreplace"))
        if mark != b"PK\x01\x02" or (extra, comment, disk) != (0, 0, 0) or not name.isascii() or len(name) != length:
            raise Malformed(f"the directory's entry {shown} is wrong")
        if flags or method not in (_STORED, _DEFLATED) or (method == _STORED and packed != size):
            raise Malformed(f"{shown} is encrypted, or neither stored nor deflated")
        if start != reached or self._bytes(start, _LOCAL.size + length) != _local(common, name):
            raise Malformed(f"{shown} is not where the directory says, or not what it says")
        member = Member(start + _LOCAL.size + length, packed, size, crc, method == _DEFLATED)
        return name.decode(), member, place + _CENTRAL.size + length

    def _require_digest(self) -> None:
        """Check the file against its SHA-256."""
        digest, rest = hashlib.sha256(), self._length - _DIGITS
        self._file.seek(0)
        while rest:
            piece = self._file.read(min(rest, _PIECE))
            if not piece:
                raise Malformed("it has become shorter meanwhile")
            digest.update(piece)
            rest -= len(piece)
        if self._file.read(_DIGITS + 1) != digest.hexdigest().encode():
            raise Malformed("its SHA-256 is wrong")

    def _bytes(self, start: int, length: int) -> bytes:
        """Return `length` bytes of the file from `start` on."""
        if start + length > self._length:
            raise Malformed("it is cut off")
        self._file.seek(start)
        return self._file.read(length)


def _local(common: list[int], name: bytes) -> bytes:
    """Return the header before a member's data, as the directory's entry implies it."""
    return _LOCAL.pack(b"PK\x03\x04", *common, 0) + name


def _inflated(name: str, packed: bytes, size: int) -> bytes:
    """Return the data of a deflated member; unpack at most one byte more than its size."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacker.decompress(packed, size + 1)
    except zlib.error as error:
        raise Malformed(f"{name} is damaged: {error}") from error
    if len(data) != size or not unpacker.eof or unpacker.unused_data:
        raise Malformed(f"{name} unpacks to something else than the directory says")
    return data
