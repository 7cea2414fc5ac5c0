"""Preparation of files: what predict sees, by one process or several."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bpcli import machine
from bpcli.data.folder import preparing
from bpcli.data.folder.preparing import Way, ready, ready_all
from bpcli.data.picture.prepare import prepare
from bpcli.data.picture.read import read_picture
from bpcli.errors import DataError
from tests.data.folder.made import picture, write

WAY = Way(14, False)


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Seven pictures, one of them damaged, and one missing."""
    write(tmp_path, {"a": 6})
    (tmp_path / "a" / "2.png").write_bytes(b"no picture")
    return [str(tmp_path / "a" / f"{number}.png") for number in range(7)]


@pytest.mark.parametrize("digits", [True, False])
def test_a_picture_is_prepared_as_predict_prepares_it(tmp_path: Path, digits: bool) -> None:
    path = tmp_path / "one.png"
    drawn = np.full((60, 50), 255, np.uint8)
    drawn[10:50, 22:28] = 0
    Image.fromarray(drawn).save(path)
    expected = prepare(read_picture(path), side=20, digits=digits).pixels
    found = ready(str(path), Way(20, digits))
    assert expected is not None
    assert found.pixels is not None
    assert np.array_equal(found.pixels.reshape(20, 20), expected)
    assert found.digest == sha256(path.read_bytes()).digest()


def test_what_is_not_seen_has_a_reason_without_the_files_name(paths: list[str]) -> None:
    assert ready(paths[2], WAY).reason.startswith("not a picture of a known format")
    assert ready(paths[6], WAY).reason == "can't be read: No such file or directory"
    Image.new("L", (9, 9), 70).save(paths[6])
    assert ready(paths[6], WAY).reason == "blank: the picture is of one grey all over"


def test_copies_in_other_files_have_the_same_place(tmp_path: Path) -> None:
    names = ["1.png", "2.bmp", "3.tif"]
    for name in names:
        picture(5).save(tmp_path / name)
    picture(5).convert("RGB").save(tmp_path / "4.png")
    picture(6).save(tmp_path / "5.png")
    places = [ready(str(path), WAY).place for path in sorted(tmp_path.iterdir())]
    assert places[:4] == 4 * [places[0]]
    assert places[4] != places[0]
    picture(5).transpose(Image.Transpose.TRANSPOSE).save(tmp_path / "6.png")
    assert ready(str(tmp_path / "6.png"), WAY).place != places[0]


def test_several_processes_make_the_same_as_one_and_end(paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [ready(path, WAY) for path in paths]
    started = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **more: object) -> None:
            super().__init__(*arguments, **more)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    monkeypatch.setattr(machine, "usable_cores", lambda: 2)
    monkeypatch.setattr(preparing, "WORTH_A_PROCESS", 2)
    made = ready_all(paths, WAY)
    found = [next(made) for _ in paths]
    made.close()
    assert [process.returncode is None for process in started] == [False, False]
    for one, other in zip(found, expected, strict=True):
        assert (one.digest, one.place, one.reason) == (other.digest, other.place, other.reason)
        assert (one.pixels is None) == (other.pixels is None)
        assert one.pixels is None or np.array_equal(one.pixels, np.asarray(other.pixels))
    monkeypatch.setattr(preparing, "_START", "raise SystemExit")
    for many in (paths, 50_000 * paths):  # more than a pipe holds
        with pytest.raises(DataError, match="the process that prepared it ended"):
            next(ready_all(many, WAY))


def test_a_process_whose_parent_has_ended_says_nothing(paths: list[str]) -> None:
    command = [sys.executable, "-c", preparing._START, json.dumps(sys.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(json.dumps([WAY, paths]).encode())
        process.stdin.close()
        assert process.stderr.read() == b""
