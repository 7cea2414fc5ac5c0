"""Records and their checksums, against published vectors and a bitwise computation."""

import pytest

from bpcli.storage.tfrecord import crc32c, framed, records
from tests.storage.events import bitwise_crc32c, messages


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # RFC 3720, appendix B.4, as numbers
        (bytes(32), 0x8A9136AA),
        (bytes([0xFF] * 32), 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (bytes.fromhex("01c0") + bytes(14) + bytes.fromhex("14000000000004000000001400000018280000000000000002000000")
         + bytes(4), 0xD9963A56),
    ],
)  # fmt: skip
def test_the_checksums_of_the_standard_come_out(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected == bitwise_crc32c(data)


def test_records_are_read_back_up_to_one_that_is_torn_or_damaged() -> None:
    first, second = b"one", bytes(range(256))
    content = framed(first) + framed(second)
    assert list(messages(content)) == [first, second] == list(records(content))
    assert [list(records(content[:end])) for end in (len(content) - 1, 25, 19, 5)] == [[first], [first], [first], []]
    assert list(records(framed(first) + bytes(100))) == [first]  # what a power failure may leave
