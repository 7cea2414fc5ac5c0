"""The zip files of checkpoints: what is packed is read, and each thing that is wrong has its message."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from bpcli.storage import archive
from bpcli.storage.archive import Archive, Malformed, pack, seal
from tests.reliability.hostile import deflated, flagged, patched, places, resealed

MEMBERS = {"a": b"first", "b.npy": bytes(1000), "c": b"", "d": b"last" * 100}


def opened(content: bytes) -> Archive:
    return Archive(io.BytesIO(content))


def complaint(content: bytes) -> str:
    """What is wrong with an archive, or with the first of its members that can't be read."""
    with pytest.raises(Malformed) as caught:
        found = opened(content)
        for name in found.members:
            found.read(name)
    return str(caught.value)


@pytest.mark.parametrize("content", [pack(MEMBERS), deflated(MEMBERS)], ids=["stored", "deflated"])
def test_what_was_packed_is_read(content: bytes) -> None:
    found = opened(content)
    assert {name: found.read(name) for name in found.members} == MEMBERS
    assert list(found.members) == list(MEMBERS)
    assert {name: member.size for name, member in found.members.items()} == {n: len(d) for n, d in MEMBERS.items()}


def test_python_reads_what_is_packed() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(MEMBERS))) as zip_:
        assert zip_.testzip() is None
        assert {name: zip_.read(name) for name in zip_.namelist()} == MEMBERS
        assert {info.compress_type for info in zip_.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in zip_.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_file_is_hashed_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    content = pack(MEMBERS)
    for piece in (7, 1000, len(content) - 64, 10**6):
        monkeypatch.setattr(archive, "_PIECE", piece)
        assert opened(content).read("a") == b"first"


def test_the_file_may_stand_anywhere_when_it_is_given() -> None:
    file = io.BytesIO(pack(MEMBERS))
    file.seek(5)
    assert Archive(file).read("d") == b"last" * 100


def ending(content: bytes, offset: int, value: bytes) -> bytes:
    return patched(content, (places(content)[2] + offset, value))


def entry(content: bytes, number: int, offset: int, value: bytes) -> bytes:
    return patched(content, (places(content)[1][number] + offset, value))


WHOLE, PACKED = pack(MEMBERS), deflated(MEMBERS)
COUNT = len(MEMBERS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is too short"),
        (WHOLE[-92:], "it is too short"),
        (resealed(WHOLE[-93:]), "the end of its directory is wrong"),
        (ending(WHOLE, 0, b"PK\x05\x07"), "it doesn't end as one"),
        (resealed(WHOLE[:-71] + b"sha255:" + WHOLE[-64:]), "it doesn't end as one"),
        (ending(WHOLE, 4, b"\x01"), "the end of its directory is wrong"),
        (ending(WHOLE, 6, b"\x01"), "the end of its directory is wrong"),
        (ending(WHOLE, 8, b"\x03"), "the end of its directory is wrong"),
        (ending(WHOLE, 20, b"\x46"), "the end of its directory is wrong"),
        (ending(WHOLE, 12, b"\x00"), "the end of its directory is wrong"),
        (ending(WHOLE, 8, struct.pack("<HH", COUNT - 1, COUNT - 1)), "there are bytes that belong to no member"),
        (ending(WHOLE, 8, struct.pack("<HH", COUNT + 1, COUNT + 1)), "its directory is too short"),
        (entry(WHOLE, 0, 0, b"PK\x01\x03"), "the directory's entry 'a' is wrong"),
        (entry(WHOLE, 0, 30, b"\x01"), "the directory's entry 'a' is wrong"),
        (entry(WHOLE, 0, 32, b"\x01"), "the directory's entry 'a' is wrong"),
        (entry(WHOLE, 0, 34, b"\x01"), "the directory's entry 'a' is wrong"),
        (entry(WHOLE, 0, 46, b"\xe9"), "the directory's entry '\\\\xe9' is wrong"),
        (entry(WHOLE, 3, 28, b"\x09"), "the directory's entry 'd' is wrong"),
        (entry(WHOLE, 1, 42, b"\x01"), "'b.npy' is not where the directory says, or not what it says"),
        (entry(WHOLE, 2, 46, b"x"), "'x' is not where the directory says, or not what it says"),
        (entry(WHOLE, 0, 42, b"\xff\xff\xff\x7f"), "'a' is not where the directory says, or not what it says"),
        (flagged(WHOLE, 6, b"\x01"), "'c' is encrypted, or neither stored nor deflated"),
        (flagged(WHOLE, 8, b"\x0c"), "'c' is encrypted, or neither stored nor deflated"),
        (flagged(WHOLE, 22, b"\x01"), "'c' is encrypted, or neither stored nor deflated"),
        (flagged(WHOLE, 14, b"\x01"), "the check sum of c is wrong"),
        (flagged(PACKED, 22, b"\x01"), "c unpacks to something else than the directory says"),
        (WHOLE[:-1] + (b"1" if WHOLE[-1:] == b"0" else b"0"), "its SHA-256 is wrong"),
    ],
)
def test_each_fault_is_named(content: bytes, message: str) -> None:
    assert complaint(content) == message


def test_a_name_comes_once() -> None:
    twice = deflated({"a": b"1", "b": b"2", "c": b"3"})
    locals_, entries, _ = places(twice)
    assert complaint(patched(twice, (locals_[2] + 30, b"a"), (entries[2] + 46, b"a"))) == "a is there twice"


def test_a_long_name_is_shown_in_part() -> None:
    content = pack({"x" * 100: b""})
    assert complaint(entry(content, 0, 30, b"\x01")) == f"the directory's entry '{'x' * 60}' is wrong"


def test_bytes_between_the_members_and_the_directory_belong_to_nobody() -> None:
    _, entries, end = places(WHOLE)
    padded = WHOLE[: entries[0]] + b"x" + WHOLE[entries[0] : end + 16]
    padded += struct.pack("<IH", entries[0] + 1, 71) + WHOLE[end + 22 :]
    assert complaint(resealed(padded)) == "there are bytes that belong to no member"


def test_a_member_behind_the_end_is_cut_off() -> None:
    """The first member says that it takes almost the whole file, and the second begins where it ends."""
    content = pack({"a": b"", "b": b""})
    locals_, entries, _ = places(content)
    start = len(content) - 10
    sizes = struct.pack("<2I", *[start - 31] * 2)
    lying = patched(
        content, (locals_[0] + 18, sizes), (entries[0] + 20, sizes), (entries[1] + 42, struct.pack("<I", start))
    )
    assert complaint(lying) == "it is cut off"


def test_a_long_directory_is_not_read() -> None:
    fits, too_long = ({f"{n:050}": b"" for n in range(count)} for count in (1365, 1366))
    assert len(opened(pack(fits)).members) == 1365
    assert complaint(pack(too_long)) == "the end of its directory is wrong"


def stream(name: str, unpacked: bytes, packed: bytes) -> bytes:
    """An archive of one deflated member whose stream is what is given."""
    common = (20, 0, 8, 0, 33, zlib.crc32(unpacked), len(packed), len(unpacked), len(name))
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", *common, 0) + name.encode() + packed
    central = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *common, 0, 0, 0, 0, 0, 0) + name.encode()
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 71)
    return seal(local + central + end + b"sha256:")


def squeezed(content: bytes) -> bytes:
    return zlib.compress(content)[2:-4]


def test_deflated_data_are_unpacked_to_their_size_and_no_further() -> None:
    data = b"some data " * 50
    assert opened(stream("a", data, squeezed(data))).read("a") == data
    wrong = "a unpacks to something else than the directory says"
    assert complaint(stream("a", data, squeezed(data + b"x"))) == wrong
    assert complaint(stream("a", data, squeezed(data[:-1]))) == wrong
    assert complaint(stream("a", data, squeezed(data) + b"x")) == wrong
    assert complaint(stream("a", data, squeezed(data)[:-1])) == wrong
    assert complaint(stream("a", data, zlib.compress(data))).startswith("a is damaged: Error -3 while decompressing")


def test_a_bomb_is_not_unpacked() -> None:
    bomb = opened(stream("a", b"small", squeezed(bytes(50_000_000))))
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match=r"^a unpacks to something else than the directory says$"):
            bomb.read("a")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_becomes_shorter_is_noticed(tmp_path: Path) -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return b"" if size == len(WHOLE) - 64 else super().read(size)

    with pytest.raises(Malformed, match=r"^it has become shorter meanwhile$"):
        Archive(Shrinking(WHOLE))
