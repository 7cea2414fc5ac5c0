"""The wire format of Protocol Buffers, against the bytes that its documentation shows and numbers decoded by hand."""

import pytest

from bpcli.storage import protobuf


@pytest.mark.parametrize(
    ("field", "expected"),
    [  # https://protobuf.dev/programming-guides/encoding: "A Simple Message", strings, submessages, packed fields
        (protobuf.integer(1, 150), "089601"),
        (protobuf.data(2, "testing"), "120774657374696e67"),
        (protobuf.data(3, protobuf.integer(1, 150)), "1a03089601"),
        (protobuf.packed_integers(6, [3, 270, 86942]), "3206038e029ea705"),
    ],
)
def test_the_examples_of_the_documentation_come_out(field: bytes, expected: str) -> None:
    assert field == bytes.fromhex(expected)


def decoded(groups: bytes) -> int:
    """A varint's value: the sum of its 7-bit groups, of which all but the last are marked."""
    assert all(group >= 128 for group in groups[:-1])
    assert groups[-1] < 128
    return sum((group % 128) * 128**place for place, group in enumerate(groups))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 16383, 16384, 2**32, 2**63 - 1, 2**64 - 1])
def test_a_varint_holds_its_value_in_as_few_bytes_as_possible(value: int) -> None:
    groups = protobuf.varint(value)
    assert decoded(groups) == value
    assert len(groups) == max(1, -(-value.bit_length() // 7))


@pytest.mark.parametrize("value", [-1, -2, -(2**31), -(2**63)])
def test_a_negative_integer_takes_ten_bytes(value: int) -> None:
    groups = protobuf.varint(value)
    assert len(groups) == 10
    assert decoded(groups) == 2**64 + value


def test_floats_are_little_endian_after_a_key_of_their_width() -> None:
    assert protobuf.float32(1, 1.0) == bytes([1 << 3 | 5, 0, 0, 0x80, 0x3F])
    assert protobuf.float64(2, -2.0) == bytes([2 << 3 | 1, 0, 0, 0, 0, 0, 0, 0, 0xC0])
    assert protobuf.packed_float64(6, [1.0, 0.0]) == bytes([6 << 3 | 2, 16, *[0] * 6, 0xF0, 0x3F, *[0] * 8])


def test_a_field_above_15_has_a_key_of_two_bytes() -> None:
    assert protobuf.integer(16, 1) == bytes([0x80, 0x01, 0x01])


def test_text_is_utf_8_and_its_length_counts_bytes() -> None:
    assert protobuf.data(1, "é") == b"\x0a\x02\xc3\xa9"
