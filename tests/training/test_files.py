from pathlib import Path
from typing import BinaryIO

import pytest

from bpcli.errors import OutputError
from bpcli.training.files import write_file


def test_a_file_is_written_and_nothing_else(tmp_path: Path) -> None:
    write_file(tmp_path / "a", lambda file: file.write(b"new"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def write(file: BinaryIO) -> None:
        file.write(b"half of the n")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="a: can't be written: No space left on device"):
        write_file(tmp_path / "a", write)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written: No such file or directory"):
        write_file(tmp_path / "nowhere" / "a", lambda file: file.write(b""))
