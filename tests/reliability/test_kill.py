"""Kill -9 at every call that changes the disk: the run goes on from what was saved, to the same bytes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bpcli.config import Config
from bpcli.errors import BpcliError
from bpcli.training import checkpoint
from bpcli.training.folder import newest
from bpcli.training.run import recorded_training, resumed_training
from tests.reliability.disks import QUICK

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def whole(tiny: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a run that was never interrupted."""
    (tmp_path / "whole").mkdir()
    monkeypatch.chdir(tmp_path / "whole")
    list(recorded_training(tiny, "x", Path("run"), calls=QUICK))
    return contents(Path("run"))


def contents(run: Path) -> dict[str, bytes]:
    """What must come out the same; metrics.csv without its last column, the seconds."""
    rows = (run / "metrics.csv").read_bytes().splitlines()
    return {name: (run / name).read_bytes() for name in ("best.npz", "last.npz", "config.yaml")} | {
        "metrics.csv": b"\n".join(row.rpartition(b",")[0] for row in rows)
    }


def victims(python: Start, *arguments: str | Path) -> int:
    """Has a run killed at every point; how many there were. The last child came to its end."""
    process = python("tests.reliability.victim", *arguments)
    told, complaints = process.communicate(timeout=300)
    reports: list[dict[str, Any]] = [json.loads(line) for line in told.splitlines()]
    assert process.returncode == 0, complaints
    assert all(report["killed"] for report in reports[:-1])
    assert reports[-1]["exit"] == 0, complaints
    return len(reports) - 1


def noted(folder: Path) -> tuple[int, int]:
    """Epoch and step of the last checkpoint that was saved for certain."""
    lines = (folder / "noted").read_text().splitlines() if (folder / "noted").exists() else []
    return max((tuple(map(int, line.split())) for line in lines), default=(0, 0))  # type: ignore[return-value]


def survives(folder: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Sees that the run in a folder goes on from what was saved and ends as if nothing had happened."""
    monkeypatch.chdir(folder)
    if not (folder / "run/config.yaml").exists():
        assert noted(folder) == (0, 0)
        return
    found, warning = newest(Path("run"))
    state = found.state() if found else None
    assert ((state.epoch, state.step) if state else (0, 0)) >= noted(folder)
    assert warning == ""
    list(resumed_training("run", calls=QUICK))
    assert contents(Path("run")) == whole
    assert not list(Path("run").glob(".*.tmp"))


def test_a_run_killed_at_any_point_goes_on(
    python: Start, tmp_path: Path, tiny_file: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "template").mkdir()
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file)
    assert points >= 60
    for point in range(1, points + 1):
        survives(tmp_path / "out" / str(point), whole, monkeypatch)


def test_a_resumed_run_killed_at_any_point_goes_on(
    python: Start, tmp_path: Path, tiny: Config, tiny_file: Path, whole: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "template").mkdir()
    monkeypatch.chdir(tmp_path / "template")
    events = recorded_training(tiny, "x", Path("run"), calls=QUICK)
    for _ in range(4):
        next(events)
    events.close()
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file)
    assert points >= 40
    for point in range(1, points + 1):
        survives(tmp_path / "out" / str(point), whole, monkeypatch)


def test_a_change_that_was_killed_while_it_was_recorded_goes_on(
    python: Start, tmp_path: Path, tiny: Config, tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    list(recorded_training(tiny, "x", tmp_path / "template/run", calls=QUICK))
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file, "train.epochs=3")
    finished = contents(tmp_path / "out" / str(points + 1) / "run")
    assert finished["config.yaml"].startswith(b"# from epoch 3, step 1: train.epochs = 3 from here on, 2 before\n")
    extended = 0
    for point in range(1, points + 1):
        folder = tmp_path / "out" / str(point)
        monkeypatch.chdir(folder)
        list(resumed_training("run", calls=QUICK))  # as the user may say it, without the setting
        extended += checkpoint.load(Path("run/last.npz")).epoch == 3
        list(resumed_training("run", overrides=["train.epochs=3"], calls=QUICK))
        found = contents(Path("run"))
        assert (found["last.npz"], found["best.npz"]) == (finished["last.npz"], finished["best.npz"])
    assert points > extended > 20


def test_a_naive_writer_fails_the_same_test(
    python: Start, tmp_path: Path, tiny_file: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "template").mkdir()
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file, "naive")
    lost = 0
    for point in range(1, points + 1):
        try:
            survives(tmp_path / "out" / str(point), whole, monkeypatch)
        except (AssertionError, BpcliError):
            lost += 1
    assert lost >= 5
