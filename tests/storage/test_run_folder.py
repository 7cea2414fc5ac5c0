"""`runs/latest`: a link, or a file with the path where links can't be made; both are understood."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from bpcli.errors import CheckpointError, OutputError
from bpcli.storage import run_folder
from bpcli.storage.run_folder import latest_folder, point_latest


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["links", "no right to links", "no links in Python", "Windows"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether links can be made; a right for them is missing as on Windows, or on a file system such as FAT."""

    def refuse(*arguments: Any, **options: Any) -> None:
        raise error

    error: Exception = OSError(errno.EPERM, os.strerror(errno.EPERM))
    if request.param == "no links in Python":
        error = NotImplementedError("symlink_to")
    if request.param.startswith("no "):
        monkeypatch.setattr(Path, "symlink_to", refuse)
    if request.param == "Windows":
        monkeypatch.setattr(run_folder, "_LINKS", False)
    return bool(request.param == "links" and os.name != "nt")


def test_the_latest_run_is_found_with_and_without_links(tmp_path: Path, links: bool) -> None:
    assert latest_folder() is None
    for name in ("runs/a-1", "runs/b-1", "elsewhere/ü and blanks"):
        (tmp_path / name).mkdir(parents=True)
        point_latest(Path(name))
        assert latest_folder() == tmp_path / name
    assert Path("runs/latest").is_symlink() is links
    assert sorted(path.name for path in Path("runs").iterdir()) == ["a-1", "b-1", "latest"]
    (tmp_path / "elsewhere/ü and blanks").rmdir()
    assert latest_folder() is None


def test_runs_can_be_moved_together(tmp_path: Path, links: bool) -> None:
    Path("runs/a-1").mkdir(parents=True)
    point_latest(Path("runs/a-1"))
    Path("runs").rename("before")
    Path("there").mkdir()
    Path("before").rename("there/runs")
    os.chdir("there")
    assert latest_folder() == tmp_path / "there/runs/a-1"


@pytest.mark.skipif(os.name == "nt", reason="a link may not be made, nor replaced")
def test_a_link_takes_the_place_of_a_file_and_a_file_that_of_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, links in enumerate((True, False, True)):
        monkeypatch.setattr(run_folder, "_LINKS", links)
        Path(f"runs/a-{number}").mkdir(parents=True)
        point_latest(Path(f"runs/a-{number}"))
        assert latest_folder() == Path(f"runs/a-{number}").resolve()
        assert Path("runs/latest").is_symlink() is links


@pytest.mark.parametrize("content", [b"", b"\n", b"gone\n", b"\0", b"\xff\xfe", b"x" * 100_000])
def test_a_file_that_names_no_folder_is_none(content: bytes) -> None:
    Path("runs").mkdir()
    Path("runs/latest").write_bytes(content)
    if len(content) > 4096:
        with pytest.raises(CheckpointError, match=r"^runs/latest: can't be read: File name too long$"):
            latest_folder()
    else:
        assert latest_folder() is None


def test_a_path_that_somebody_wrote_with_an_editor() -> None:
    Path("runs/a-1").mkdir(parents=True)
    Path("runs/latest").write_bytes(b"a-1\r\n")
    assert latest_folder() == Path("runs/a-1").resolve()


def test_another_drive_is_named_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, start: Path) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    Path("other").mkdir()
    monkeypatch.setattr(os.path, "relpath", refuse)
    monkeypatch.setattr(run_folder, "_LINKS", False)
    point_latest(Path("other"))
    assert Path("runs/latest").read_text() == f"{tmp_path.as_posix()}/other\n"
    assert latest_folder() == tmp_path / "other"


def test_where_neither_can_be_made_it_is_said() -> None:
    Path("runs/latest").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"^runs/latest: can't be made: "):
        point_latest(Path("runs"))
    assert sorted(path.name for path in Path("runs").iterdir()) == ["latest"]
