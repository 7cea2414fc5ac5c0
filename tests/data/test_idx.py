"""IDX files: a round trip, and one line for each way of being wrong."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpcli.data import idx
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
    (tmp_path / "file").write_bytes(gzip.compress(content, mtime=0) if packed else content)
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
        (gzip.compress(GOOD, mtime=0)[:-4], "cut off"),
        (gzip.compress(GOOD, mtime=0) + b"more", "more bytes follow the end of its gzip data"),
        (gzip.compress(GOOD, mtime=0)[:12] + b"\xff\xff\xff\xff" + gzip.compress(GOOD)[16:], "gzip data"),
        (gzip.compress(GOOD, mtime=0)[:-8] + b"\0\0\0\0" + gzip.compress(GOOD)[-4:], "gzip data are damaged"),
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


@pytest.mark.parametrize("piece", [11, 30, 1000])
def test_a_packed_file_is_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(idx, "_PIECE", piece)
    for size in (1, 7, 50, 300):
        array = np.random.default_rng(size).integers(256, size=size, dtype=np.uint8)
        (tmp_path / "file").write_bytes(gzip.compress(idx_bytes(array)))
        assert np.array_equal(read_idx(tmp_path / "file", 1, longest=size), array)


def test_what_does_not_compress_is_read_too(tmp_path: Path) -> None:
    array = np.random.default_rng(1).integers(256, size=(1, 2000, 4000), dtype=np.uint8)
    (tmp_path / "file").write_bytes(gzip.compress(idx_bytes(array), 1))
    assert np.array_equal(read_idx(tmp_path / "file", 3, longest=array.size), array)
    with pytest.raises(DataError, match="promises 8,000,000 bytes of data; at most 7,999,999 are accepted"):
        read_idx(tmp_path / "file", 3, longest=array.size - 1)


@pytest.mark.parametrize(
    "endless",
    [b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 3_000_000, gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * 600_000],
)
def test_no_more_of_a_packed_file_is_read_than_its_data_can_take(
    monkeypatch: pytest.MonkeyPatch, endless: bytes
) -> None:
    monkeypatch.setattr(idx, "_PIECE", 1000)
    file = io.BytesIO(endless)
    with pytest.raises(DataError, match="cut off, or longer than what they hold"):
        idx._Packed(Path("file"), file).read(100)
    assert file.tell() <= 101 + 65536


def test_no_more_is_read_behind_the_end_than_shows_that_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(GOOD, mtime=0)
    monkeypatch.setattr(idx, "_PIECE", len(packed))
    file = io.BytesIO(packed + bytes(100))
    with pytest.raises(DataError, match="more bytes follow"):
        idx._Packed(Path("file"), file).read(len(GOOD) + 1)
    assert file.tell() == len(packed) + 1


@pytest.mark.parametrize(
    ("dimensions", "wording"), [(1, "1 dimension: "), (2, "2 dimensions: "), (3, "3 dimensions: ")]
)
def test_the_dimensions_are_named(tmp_path: Path, dimensions: int, wording: str) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    with pytest.raises(
        DataError, match=f"not an IDX file of unsigned bytes with {wording}it begins with 68656c6c, not"
    ):
        read_idx(tmp_path / "file", dimensions, longest=1000)
