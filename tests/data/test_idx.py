"""IDX files: a round trip, and one line for each way of being wrong."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpcli.data.idx import read_idx
from bpcli.errors import DataError
from tests.conftest import idx_bytes

GOOD = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@FIXTURES
@given(shape=st.lists(st.integers(0, 6), min_size=1, max_size=3), packed=st.booleans(), seed=st.integers(0, 99))
def test_what_was_written_is_read(tmp_path: Path, shape: list[int], packed: bool, seed: int) -> None:
    array = np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)
    content = idx_bytes(array)
    (tmp_path / "file").write_bytes(gzip.compress(content) if packed else content)
    read = read_idx(tmp_path / "file", len(shape), longest=1000)
    assert read.dtype == np.uint8
    assert np.array_equal(read, array)


@FIXTURES
@given(content=st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"\x1f\x8b\x08\0" + tail))
def test_any_bytes_are_an_array_or_one_line_of_refusal(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    try:
        read_idx(tmp_path / "file", 3, longest=1000)
    except DataError as error:
        assert str(error).startswith(str(tmp_path / "file"))
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "begins with nothing, not 00000803"),
        (b"\0\0\x08", "not an IDX file"),
        (b"\0\0\x0d\x03" + GOOD[4:], "begins with 00000d03, not 00000803"),
        (b"\0\0\x08\x01" + GOOD[4:], "not an IDX file of unsigned bytes with 3 dimensions"),
        (GOOD[:10], "ends in the middle of its header"),
        (GOOD[:-1], "promises 40 bytes in all, but it holds only 39"),
        (GOOD + b"x", "promises 40 bytes in all, but it holds more"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "at most 1,000 are accepted"),
        (gzip.compress(GOOD)[:-4], "cut off"),
        (gzip.compress(GOOD) + b"more", "more bytes follow the end of its gzip data"),
        (gzip.compress(GOOD)[:12] + b"\xff\xff\xff\xff" + gzip.compress(GOOD)[16:], "gzip data"),
        (gzip.compress(GOOD)[:-8] + b"\0\0\0\0" + gzip.compress(GOOD)[-4:], "gzip data are damaged"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_idx(tmp_path / "file", 3, longest=1000)
    assert complaint in str(caught.value)
    assert str(tmp_path / "file") in str(caught.value)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(gzip.compress(GOOD + bytes(50_000_000)))
    with pytest.raises(DataError, match="holds more"):
        read_idx(tmp_path / "file", 3, longest=1000)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: can't be read: No such file"):
        read_idx(tmp_path / "nowhere", 3, longest=1000)
