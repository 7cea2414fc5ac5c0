import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpcli.errors import OutputError
from bpcli.storage import files
from bpcli.storage.files import FileSystem, append, duplicate, make_folder, remove_temporaries, write_file, write_files


def test_a_file_is_written_and_nothing_else(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def write(descriptor: int, content: memoryview) -> int:
        if len(content) < 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, content[:5])

    with pytest.raises(OutputError, match="a: can't be written: No space left on device"):
        write_file(tmp_path / "a", b"much longer than what fits", fs=FileSystem(write=write))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written: No such file or directory"):
        write_file(tmp_path / "nowhere" / "a", b"")


def test_what_was_there_before_is_kept(tmp_path: Path) -> None:
    for content in (b"first", b"second", b"third"):
        write_file(tmp_path / "a", content, previous="before")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"third", "before": b"second"}


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.ENOTSUP, errno.EINVAL])
def test_it_is_kept_where_there_are_no_links(tmp_path: Path, refusal: int) -> None:
    def link(source: Path, target: Path) -> None:
        raise OSError(refusal, os.strerror(refusal))

    for content in (b"first", b"second", b"third"):
        write_file(tmp_path / "a", content, previous="before", fs=FileSystem(link=link))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"third", "before": b"second"}


def test_on_windows_a_file_is_replaced_once_nobody_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = 3

    def replace(source: Path, target: Path) -> None:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        source.replace(target)

    monkeypatch.setattr(files, "_PAUSE", 0)
    monkeypatch.setattr(files, "_ATTEMPTS", 3)
    with pytest.raises(OutputError, match="a: can't be written: Permission denied"):
        write_file(tmp_path / "a", b"new", fs=FileSystem(replace=replace))
    assert not list(tmp_path.iterdir())
    refusals = 2
    write_file(tmp_path / "a", b"new", fs=FileSystem(replace=replace))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}


def test_two_names_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    for _ in range(2):
        duplicate(tmp_path / "a", tmp_path / "b")
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"content", "b": b"content"}


def test_a_file_is_readable_for_whom_the_user_lets_read(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_lines_are_added_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\n")
    append(tmp_path / "a", b"two\n")
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"
    with pytest.raises(OutputError, match="b: can't be written: No such file"):
        append(tmp_path / "b", b"x")


def test_the_names_of_new_folders_are_forced_to_the_disk(tmp_path: Path) -> None:
    opened, synced = {}, []

    def open_(path: Path, flags: int, mode: int) -> int:
        descriptor = os.open(path, flags, mode)
        opened[descriptor] = path
        return descriptor

    fs = FileSystem(open=open_, fsync=lambda descriptor: synced.append(opened[descriptor]))
    make_folder(tmp_path / "a/b", fs)
    assert set(synced) == {tmp_path, tmp_path / "a"}
    synced.clear()
    make_folder(tmp_path / "a/b", fs)
    assert synced == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file/c: can't be made: Not a directory"):
        make_folder(tmp_path / "file/c", fs)


def test_only_temporary_files_are_swept(tmp_path: Path) -> None:
    for name in ("a", ".a.tmp", ".a.12.tmp", "a.tmp", ".lock"):
        (tmp_path / name).touch()
    remove_temporaries(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "a.tmp", ".lock"}


def test_pieces_that_end_in_an_error_leave_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_pieces(path, [b"one ", b"two"])

    def broken() -> Iterator[bytes]:
        yield b"three"
        raise KeyError("the end")

    with pytest.raises(KeyError):
        files.write_pieces(path, broken())
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"one two")]
    with pytest.raises(OutputError, match="there is no folder"):
        files.write_pieces(tmp_path / "nowhere" / "file", [b""])


def test_several_files_are_written_or_none(tmp_path: Path) -> None:
    write_files({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    with pytest.raises(OutputError, match=r"nowhere.c: can't be written: No such file or directory"):
        write_files({tmp_path / "a": b"3", tmp_path / "nowhere/c": b"4"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}
