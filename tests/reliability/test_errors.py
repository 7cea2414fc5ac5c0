"""Full and bad disks: each call of a save fails, and the last good checkpoint stays."""

import errno
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bpcli.config import Config
from bpcli.errors import OutputError, TrainingError
from bpcli.storage import checkpoint, files
from bpcli.storage.find import newest
from bpcli.training.events import CheckpointDue, EpochEnd
from bpcli.training.run import recorded_training, resumed_training
from bpcli.training.trainer import Order, Trainer, _Shard
from tests.children import HANGS
from tests.reliability.disks import QUICK, Failing, names
from tests.reliability.test_power import found, save

ERRORS = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES]
MOST_CALLS = 20


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("saves", [1, 2, 3])
def test_any_call_of_a_save_may_fail(tmp_path: Path, error: int, for_ever: bool, saves: int) -> None:
    fired = []
    for at in range(1, MOST_CALLS):
        folder = tmp_path / str(at)
        folder.mkdir()
        for step in range(1, saves):
            save(folder, step, QUICK)
        disk = Failing(at, error, for_ever=for_ever)
        old, new = (saves - 1 or None), saves
        try:
            save(folder, saves, disk.fs)
            assert found(folder) == new
        except OutputError as complaint:
            assert str(complaint).startswith(f"{folder}/last.npz: can't be written: ")
            assert found(folder) in (old, new)
        if disk.fired != "unlink" or not for_ever:
            assert names(folder) <= {"last.npz", "previous.npz"}
        files.remove_temporaries(folder)
        assert names(folder) <= {"last.npz", "previous.npz"}
        fired.append(disk.fired)
    assert {"open", "write", "fsync", "close", "replace"} <= set(fired)
    assert fired[-1] == ""  # no call is left out


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.__getitem__)
def test_any_call_of_a_run_may_fail(tiny: Config, tmp_path: Path, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    at, fired = 1, "open"
    while fired:
        disk, saved, run = Failing(at, error, for_ever=False), (0, 0), Path(f"run{at}")
        try:
            for event in recorded_training(tiny, "x", run, fs=disk.fs):
                if isinstance(event, EpochEnd):
                    saved = (event.epoch + 1, 0)
                elif isinstance(event, CheckpointDue):
                    saved = (event.epoch, event.step)
        except OutputError as complaint:
            assert f"{run}/" in str(complaint)
            assert re.search("can't be (written|removed)", str(complaint))
        last, warning = newest(run)
        state = last.state() if last else None
        assert ((state.epoch, state.step) if state else (0, 0)) >= saved
        assert warning == ""
        assert not list(run.glob(".*.tmp"))
        fired, at = disk.fired, at + 1
    assert at > 60


def test_a_run_goes_on_when_the_disk_is_well_again(
    tiny: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    list(recorded_training(tiny, "x", Path("whole"), fs=QUICK))
    for at in (30, 45, 60):
        run = Path(f"run{at}")
        with pytest.raises(OutputError):
            list(recorded_training(tiny, "x", run, fs=Failing(at, errno.ENOSPC, for_ever=True).fs))
        list(resumed_training(str(run), fs=QUICK))
        for name in ("best.npz", "last.npz"):
            assert (run / name).read_bytes() == Path("whole", name).read_bytes()


def on_a_full_disk(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command, run where no file can have more than 5,000 bytes."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it writes too
    return subprocess.run(
        [sys.executable, "-m", "bpcli", *arguments], cwd=folder, env=unmeasured, preexec_fn=limit, capture_output=True,
        text=True, check=False, timeout=HANGS,
    )  # fmt: skip


def test_a_full_disk_is_one_line_and_a_code(tiny_file: Path, tmp_path: Path) -> None:
    result = on_a_full_disk(tmp_path, "train", "-q", "-c", str(tiny_file), "-o", "run")
    assert result.returncode == OutputError.exit_code
    assert result.stderr == "Error: run/last.npz: can't be written: File too large\n"
    assert names(tmp_path / "run") == {".lock", "config.yaml", "metrics.csv"}


def test_a_full_disk_leaves_what_an_export_would_replace(trained: Path, tmp_path: Path) -> None:
    Path("x.onnx").write_text("before")
    result = on_a_full_disk(tmp_path, "export", "-o", "x.onnx", "--force")
    assert (result.returncode, result.stdout) == (OutputError.exit_code, "")
    assert result.stderr == "Error: x.onnx: can't be written: File too large\n"
    assert names(tmp_path) == {"x.onnx", "runs"}
    assert Path("x.onnx").read_text() == "before"


def test_a_folder_that_can_only_be_read(bpcli: Callable[..., Result], trained: Path, tmp_path: Path) -> None:
    for name in (".lock", "best.npz"):
        (trained / name).unlink()
    (trained / ".lock").mkdir()  # what root can't write to either
    result = bpcli("train", "--resume")
    assert result.exit_code == OutputError.exit_code
    assert result.stderr == f"Error: {tmp_path}/runs/default-1/.lock: can't be written: Is a directory\n"


@pytest.mark.parametrize("poison", ["parameters", "velocity"])
def test_what_is_not_finite_is_not_saved(
    tiny: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poison: str
) -> None:
    advance = Trainer._step

    def diverge(trainer: Trainer, shard: _Shard, epoch: int, step: int, order: Order) -> None:
        advance(trainer, shard, epoch, step, order)
        if (epoch, step) == (1, 0):
            block = shard.blocks[-1]
            (block.w if poison == "parameters" else block.state[0])[...] = float("inf")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Trainer, "_step", diverge)
    good = b""
    with pytest.raises(TrainingError, match="no longer finite at epoch 2, step 1, with the learning rate"):
        for event in recorded_training(tiny, "x", Path("run"), fs=QUICK):
            if isinstance(event, EpochEnd):
                good = Path("run/last.npz").read_bytes()
    assert Path("run/last.npz").read_bytes() == good
    assert checkpoint.load(Path("run/last.npz")).epoch == 1
