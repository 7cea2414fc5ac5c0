"""TFRecords: records framed by their lengths and checksums, as TensorBoard's event files hold them.

A record is its length (uint64), the length's checksum, the data, and the data's checksum, all little-endian. The
checksums are masked CRC-32Cs. Format: https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

import struct
from collections.abc import Iterator

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed (RFC 3720, section 12.1)
_32_BITS = 0xFFFFFFFF
_MASK = 0xA282EAD8  # added, so that the checksum of data that hold checksums stays a good one
_HEAD = struct.Struct("<QI")  # length and its checksum
_CHECK = struct.Struct("<I")


def _remainder(byte: int) -> int:
    """Return the CRC of one byte, before the inversions at the beginning and the end."""
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(map(_remainder, range(256)))


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of some bytes (RFC 3720, appendix B.4)."""
    crc = _32_BITS
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ _32_BITS


def framed(data: bytes) -> bytes:
    """Return some data as a record."""
    length = struct.pack("<Q", len(data))
    return length + _CHECK.pack(_masked(length)) + data + _CHECK.pack(_masked(data))


def records(content: bytes) -> Iterator[bytes]:
    """Yield the data of the records in a file's content, up to the first without an end or with a damaged length."""
    at = 0
    while at + _HEAD.size <= len(content):
        length, check = _HEAD.unpack_from(content, at)
        start, end = at + _HEAD.size, at + _HEAD.size + length
        if check != _masked(content[at : at + 8]) or end + _CHECK.size > len(content):
            return
        yield content[start:end]
        at = end + _CHECK.size


def _masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK) & _32_BITS
