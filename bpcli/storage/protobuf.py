"""Messages in the wire format of Protocol Buffers, which ONNX files and TensorBoard's events are made of.

A message is the concatenation of its fields; a field that is a message itself is written by `data`. Whoever writes the
fields by rising number gets the bytes that Google's library writes. Format: https://protobuf.dev/programming-guides/encoding
"""

import struct
from collections.abc import Iterable, Iterator

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5  # wire types
_TYPE_BITS = 7  # of a field's key
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}  # bytes
_LONGEST = -(-64 // 7)  # bytes of a varint
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


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number of each field of a message with its value: bytes, or an integer, if it is a varint.

    Raises:
        ValueError: the message is not in this format.
    """
    at = 0
    while at < len(message):
        key, at = _varint_at(message, at)
        if key & _TYPE_BITS == _VARINT:
            value, at = _varint_at(message, at)
            yield key >> 3, value
            continue
        length, at = _length_at(message, at, key & _TYPE_BITS)
        if at + length > len(message):
            raise ValueError("a field goes on beyond its message")
        yield key >> 3, message[at : at + length]
        at += length


def _varint_at(message: bytes, at: int) -> tuple[int, int]:
    """Return the varint that begins at a byte, and where the next field begins."""
    value = 0
    for place, group in enumerate(message[at : at + _LONGEST]):
        value |= (group & (_MORE - 1)) << 7 * place
        if group < _MORE:
            return value, at + place + 1
    raise ValueError("a varint without an end")


def _length_at(message: bytes, at: int, wire_type: int) -> tuple[int, int]:
    """Return the length of the field that begins after its key, and where its content begins."""
    if wire_type == _LENGTH:
        return _varint_at(message, at)
    if wire_type in _WIDTHS:
        return _WIDTHS[wire_type], at
    raise ValueError(f"wire type {wire_type}")
