"""Kill -9 at every call that changes the disk: the run goes on from what was saved, to the same bytes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.data.spec import MNIST
from bpcli.errors import BpcliError
from bpcli.inference.evaluation import Score
from bpcli.storage import checkpoint, metrics_csv
from bpcli.storage.files import SYSTEM, FileSystem, remove_temporaries
from bpcli.storage.find import newest
from bpcli.storage.members import of_seeds
from bpcli.storage.run_writer import RunWriter
from bpcli.storage.series_file import is_series
from bpcli.training.events import EpochEnd
from bpcli.training.run import recorded_training, resumed_training
from bpcli.training.series import recorded_series, resumed_series
from tests.children import HANGS
from tests.reliability.conftest import ROOT
from tests.reliability.disks import QUICK, names
from tests.reliability.test_power import CONFIG, found, state
from tests.reliability.victim import SEEDS

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def whole(tiny: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a run that was never interrupted."""
    (tmp_path / "whole").mkdir()
    monkeypatch.chdir(tmp_path / "whole")
    list(recorded_training(tiny, "x", Path("run"), fs=QUICK))
    return contents(Path("run"))


def contents(run: Path) -> dict[str, bytes]:
    """What must come out the same; metrics.csv without its last column, the seconds."""
    rows = (run / "metrics.csv").read_bytes().splitlines()
    whole = [run / name for name in ("best.npz", "last.npz", "config.yaml")] + sorted((run / "snapshots").iterdir())
    return {str(path.relative_to(run)): path.read_bytes() for path in whole} | {
        "metrics.csv": b"\n".join(row.rpartition(b",")[0] for row in rows)
    }


def victims(python: Start, *arguments: str | Path) -> int:
    """Has a run killed at every point; how many there were. The last child came to its end."""
    process = python("tests.reliability.victim", *arguments)
    told, complaints = process.communicate(timeout=HANGS)
    reports: list[dict[str, Any]] = [json.loads(line) for line in told.splitlines()]
    assert process.returncode == 0, complaints
    assert all(report["killed"] for report in reports[:-1])
    assert reports[-1]["exit"] == 0, complaints
    return len(reports) - 1


def noted(folder: Path) -> tuple[int, int]:
    """Epoch and step of the last checkpoint that was saved for certain."""
    lines = (folder / "noted").read_text().splitlines() if (folder / "noted").exists() else []
    return max((tuple(map(int, line.split())) for line in lines), default=(0, 0))  # type: ignore[return-value]


def survives(folder: Path, config: Config, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Sees that the run in a folder goes on from what was saved, or begins anew, and comes to the same end."""
    monkeypatch.chdir(folder)
    if not (folder / "run/config.yaml").exists():
        assert noted(folder) == (0, 0)
        list(recorded_training(config, "x", Path("run"), fs=QUICK))
        assert contents(Path("run")) == whole
        return
    found, warning = newest(Path("run"))
    state = found.state() if found else None
    assert ((state.epoch, state.step) if state else (0, 0)) >= noted(folder)
    assert warning == ""
    list(resumed_training("run", fs=QUICK))
    assert contents(Path("run")) == whole
    assert not list(Path("run").glob(".*.tmp"))


def test_a_run_killed_at_any_point_goes_on(
    python: Start,
    tmp_path: Path,
    tiny: Config,
    tiny_file: Path,
    whole: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "template").mkdir()
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file)
    assert points >= 60
    for point in range(1, points + 1):
        survives(tmp_path / "out" / str(point), tiny, whole, monkeypatch)


def test_a_resumed_run_killed_at_any_point_goes_on(
    python: Start, tmp_path: Path, tiny: Config, tiny_file: Path, whole: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "template").mkdir()
    monkeypatch.chdir(tmp_path / "template")
    events = recorded_training(tiny, "x", Path("run"), fs=QUICK)
    for _ in range(4):
        next(events)
    events.close()
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file)
    assert points >= 40
    for point in range(1, points + 1):
        survives(tmp_path / "out" / str(point), tiny, whole, monkeypatch)


@pytest.mark.torture
def test_a_series_killed_at_any_point_goes_on(
    python: Start, tmp_path: Path, tiny: Config, tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "template").mkdir()
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file, "series")
    assert points >= 150
    whole = [contents(tmp_path / f"out/{points + 1}/run/seed-{seed}") for seed in SEEDS]
    for point in range(1, points + 1):
        monkeypatch.chdir(tmp_path / "out" / str(point))
        if is_series(Path("run")):
            list(resumed_series("run", fs=QUICK))
        else:
            list(recorded_series(of_seeds(tiny, SEEDS), "x", Path("run"), fs=QUICK))
        assert [contents(Path(f"run/seed-{seed}")) for seed in SEEDS] == whole
        assert not list(Path("run").rglob(".*.tmp"))


def test_a_change_that_was_killed_while_it_was_recorded_goes_on(
    python: Start, tmp_path: Path, tiny: Config, tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    list(recorded_training(tiny, "x", tmp_path / "template/run", fs=QUICK))
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file, "train.epochs=3")
    finished = contents(tmp_path / "out" / str(points + 1) / "run")
    assert finished["config.yaml"].startswith(b"# from epoch 3, step 1: train.epochs = 3 from here on, 2 before\n")
    extended = 0
    for point in range(1, points + 1):
        folder = tmp_path / "out" / str(point)
        monkeypatch.chdir(folder)
        list(resumed_training("run", fs=QUICK))  # as the user may say it, without the setting
        extended += checkpoint.load(Path("run/last.npz")).epoch == 3
        list(resumed_training("run", overrides=["train.epochs=3"], fs=QUICK))
        found = contents(Path("run"))
        assert (found["last.npz"], found["best.npz"]) == (finished["last.npz"], finished["best.npz"])
    assert points > extended > 20


def test_a_naive_writer_fails_the_same_test(
    python: Start,
    tmp_path: Path,
    tiny: Config,
    tiny_file: Path,
    whole: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "template").mkdir()
    points = victims(python, tmp_path / "template", tmp_path / "out", tiny_file, "naive")
    lost = 0
    for point in range(1, points + 1):
        try:
            survives(tmp_path / "out" / str(point), tiny, whole, monkeypatch)
        except (AssertionError, BpcliError):
            lost += 1
    assert lost >= 5


LONG = ["train.epochs=300", "train.checkpoint_minutes=null", "schedule.kind=constant", "train.patience=null"]


def life(python: Start, folder: Path, config: Path, seconds: float) -> bool:
    """Trains, or goes on, in a process that is killed after so many seconds; whether the kill fired."""
    arguments: list[str | Path] = ["--resume", "run"]
    if not (folder / "run/config.yaml").exists():
        arguments = ["-c", config, "-o", "run"]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = python("bpcli", "train", "-q", *arguments, cwd=folder, env=paths)
    try:
        _, complaints = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=HANGS)
        return process.returncode == -signal.SIGKILL
    assert process.returncode == 0, complaints
    return False


def reached(run: Path) -> int:
    """The epochs of the last checkpoint, which must be readable, and at most one behind the rows of metrics.csv."""
    if not (run / "config.yaml").exists():
        return 0
    found, warning = newest(run)
    epochs = found.epoch if found else 0
    assert warning == ""
    lines = (run / "metrics.csv").read_bytes().count(b"\n") if (run / "metrics.csv").exists() else 1
    assert epochs <= lines - 1 <= epochs + 1
    return epochs


@pytest.mark.torture
def test_500_kills_at_random_times(
    python: Start, tmp_path: Path, tiny: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configuration.override(tiny, LONG)
    (tmp_path / "long.yaml").write_text(configuration.to_yaml(config))
    monkeypatch.chdir(tmp_path)
    list(recorded_training(config, "x", Path("whole"), fs=QUICK))
    whole, rng = contents(Path("whole")), random.Random(6)
    kills = finished = 0
    while kills < 500:
        folder = tmp_path / f"life{finished}"
        folder.mkdir(exist_ok=True)
        before = reached(folder / "run")
        if life(python, folder, tmp_path / "long.yaml", rng.uniform(0.1, 0.9)):
            kills += 1
            assert reached(folder / "run") >= before
        else:
            assert contents(folder / "run") == whole
            finished += 1
    with capsys.disabled():
        sys.stdout.write(f"{kills} kills, {finished} runs that came to their end in spite of them\n")
    assert finished >= 10


SAVER = """
import os, sys
from pathlib import Path
from bpcli.storage.find import newest
from tests.reliability.test_kill import keep
folder, epoch = Path(sys.argv[1]), int(sys.argv[2])
newest(folder)  # as a run that goes on does
os.write(2, b"begin")
keep(folder, epoch)
os.write(2, b"end")
"""
SYSTEM_CALLS = ("openat", "write", "fsync", "close", "rename", "link", "linkat", "unlink")


def keep(folder: Path, epoch: int, fs: FileSystem = SYSTEM) -> None:
    """Saves what the end of an epoch saves: a row of metrics.csv, best.npz and last.npz; their number is the step."""
    score = Score(0.5, 0.5)
    end = EpochEnd(epoch - 1, 9, 0.1, score, score, 1.0, best_epoch=epoch - 1)
    RunWriter(folder, CONFIG, MNIST, {}, fs).save_epoch(state(epoch), end.row, is_best=end.is_best)


def traced(tmp_path: Path, saves: int, *options: str) -> tuple[int, Path]:
    """Ends an epoch under strace, in a new process after `saves` - 1 others; the exit code, and the folder."""
    folder = tmp_path / "folder"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    metrics_csv.begin(folder, QUICK)
    for epoch in range(1, saves):
        keep(folder, epoch, QUICK)
    command = ["strace", "-o", str(tmp_path / "log"), *options, sys.executable, "-c", SAVER, str(folder), str(saves)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT, timeout=HANGS
    )
    return done.returncode, folder


def calls_of_a_save(log: str) -> list[tuple[str, int]]:
    """The system's calls of the save itself, each with its number among all calls of its name."""
    counts: dict[str, int] = {}
    fs: list[tuple[str, int]] = []
    inside = False
    for line in log.splitlines():
        name = line.partition("(")[0]
        if name not in SYSTEM_CALLS:
            continue
        counts[name] = counts.get(name, 0) + 1
        if '"end"' in line:
            return fs
        if inside:
            fs.append((name, counts[name]))
        inside = inside or '"begin"' in line
    raise AssertionError("the log has no end")


@pytest.mark.torture
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_strace_kills_at_every_system_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    total = 0
    for saves in (1, 2, 3, 4):
        code, _ = traced(tmp_path, saves, "-e", f"trace={','.join(SYSTEM_CALLS)}")
        assert code == 0
        fs = calls_of_a_save((tmp_path / "log").read_text())
        assert {"openat", "write", "fsync", "rename"} <= {name for name, _ in fs}
        for name, number in fs:
            code, folder = traced(
                tmp_path, saves, "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}"
            )
            assert code in (-signal.SIGKILL, 128 + signal.SIGKILL)
            assert_kept(folder, saves)
            total += 1
    with capsys.disabled():
        sys.stdout.write(f"killed at {total} system calls\n")
    assert total >= 60


def assert_kept(folder: Path, saves: int) -> None:
    """Sees that there is the last epoch or the one before, whole, and after the sweep nothing else."""
    epoch = found(folder)
    assert epoch in ((saves - 1) or None, saves)
    if (folder / "best.npz").exists():
        assert np.isfinite(checkpoint.load(folder / "best.npz").parameters).all()
    else:
        assert saves == 1
    remove_temporaries(folder)
    assert names(folder) <= {"last.npz", "previous.npz", "best.npz", "metrics.csv", "snapshots"}
    metrics_csv.repair(folder, saves, QUICK)
    rows = (folder / "metrics.csv").read_text().splitlines()[1:]
    assert [int(row.partition(",")[0]) for row in rows] in ([*range(1, saves)], [*range(1, saves + 1)])
    assert len(rows) >= (epoch or 0)
