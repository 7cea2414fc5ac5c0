"""A reader of TensorBoard's event files, written from the formats' descriptions."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Logged(NamedTuple):
    """A value in a log: its tag and step, and the fields of its message by number."""

    tag: str
    step: int
    fields: dict[int, Any]


def bitwise_crc32c(data: bytes) -> int:
    """The remainder of a division by the polynomial, bit by bit (RFC 3720)."""
    rest = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            odd = (rest ^ byte >> bit) & 1
            rest = rest >> 1 ^ 0x82F63B78 * odd
    return rest ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = bitwise_crc32c(data)
    return ((crc >> 15 | crc << 17) % 2**32 + 0xA282EAD8) % 2**32


def messages(content: bytes) -> Iterator[bytes]:
    """The data of each record; every checksum is right, and nothing is left over."""
    while content:
        length, check = struct.unpack("<QI", content[:12])
        data, end, content = content[12 : 12 + length], content[12 + length : 16 + length], content[16 + length :]
        assert check == masked(struct.pack("<Q", length))
        assert struct.unpack("<I", end) == (masked(data),)
        yield data


def decoded(message: bytes) -> list[tuple[int, Any]]:
    """The fields of a message, by number."""
    found: list[tuple[int, Any]] = []
    rest = iter(message)

    def varint() -> int:
        byte = next(rest)
        return byte if byte < 128 else byte - 128 + 128 * varint()

    while (key := next(rest, None)) is not None:
        wire = key & 7
        if wire == 0:
            found.append((key >> 3, varint()))
        else:
            length, number = {1: (8, "<d"), 2: (varint() if wire == 2 else 0, ""), 5: (4, "<f")}[wire]
            data = bytes(next(rest) for _ in range(length))
            found.append((key >> 3, struct.unpack(number, data)[0] if number else data))
    return found


def logged(folder: Path) -> list[Logged]:
    """The values in the event files of a folder."""
    found = []
    for path in sorted(folder.glob("*tfevents*")):
        for message in messages(path.read_bytes()):
            event = dict(decoded(message))
            for _, value in decoded(event.get(5, b"")):
                fields = dict(decoded(value))
                found.append(Logged(fields[1].decode(), event.get(2, 0), fields))
    return found


def scalars(folder: Path, group: str) -> dict[tuple[str, int], float]:
    """The scalars of a group by name and step; none is there twice."""
    found = [each for each in logged(folder) if each.tag.startswith(f"{group}/")]
    assert len({(each.tag, each.step) for each in found}) == len(found)
    return {(each.tag.removeprefix(f"{group}/"), each.step): each.fields[2] for each in found}
