"""Write messages in the wire format of Protocol Buffers, which ONNX files and TensorBoard's events are made of.

A message is the concatenation of its fields; a field that is a message itself is written by `data`. Whoever writes the
fields by rising number gets the bytes that Google's library writes. Format: https://protobuf.dev/programming-guides/encoding
"""

import struct
from collections.abc import Iterable

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5  # wire types
_64_BITS = (1 << 64) - 1
_MORE = 0x80  # in a byte of a varint: others follow


def varint(value: int) -> bytes:
    """Return an integer in 7-bit groups, lowest first; a negative one as its 64-bit two's complement."""
    rest = value & _64_BITS
    groups = bytearray()
    while rest >= _MORE:
        groups.append(rest & (_MORE - 1) | _MORE)
        rest >>= 7
    groups.append(rest)
    return bytes(groups)


def integer(number: int, value: int) -> bytes:
    """Return a field of type int32, int64, uint32, uint64, bool or enum."""
    return _key(number, _VARINT) + varint(value)


def float32(number: int, value: float) -> bytes:
    """Return a field of type float."""
    return _key(number, _FIXED32) + struct.pack("<f", value)


def float64(number: int, value: float) -> bytes:
    """Return a field of type double."""
    return _key(number, _FIXED64) + struct.pack("<d", value)


def data(number: int, value: bytes | str) -> bytes:
    """Return a field of type bytes, string (as UTF-8) or message."""
    content = value.encode() if isinstance(value, str) else value
    return _key(number, _LENGTH) + varint(len(content)) + content


def packed_float64(number: int, values: Iterable[float]) -> bytes:
    """Return a repeated field of type double that is declared as packed."""
    return data(number, b"".join(struct.pack("<d", value) for value in values))


def packed_integers(number: int, values: Iterable[int]) -> bytes:
    """Return a repeated field of integers that is declared as packed."""
    return data(number, b"".join(map(varint, values)))


def _key(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)
