"""`bpcli train` from the outside: what it prints where, its exit codes, and stopping it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import Result

from bpcli.errors import ConfigError, DataError, OutputError, TrainingError
from bpcli.storage import checkpoint
from tests.children import child


def test_a_line_an_epoch_and_a_last_line(bpcli: Callable[..., Result], small: list[str]) -> None:
    result = bpcli("train", *small)
    assert result.exit_code == 0
    told = result.stderr.splitlines()
    assert told[0] == "training on 500 images, validating on 100; 12,730 parameters"
    assert [line.split()[0] for line in told[1:5]] == ["training", "epoch", "1/2", "2/2"]
    dead = re.match(r"(\d+) of 16 hidden units are dead: ", told[5])
    assert dead
    assert json.loads(Path("runs/default-1/result.json").read_text())["dead_units"] == int(dead[1])
    assert result.stdout.startswith("validation accuracy ")
    assert result.stdout.endswith("; the run is in runs/default-1; see it with: bpcli report runs/default-1\n")


def test_the_network_to_start_from_is_named_with_its_sum(bpcli: Callable[..., Result], small: list[str]) -> None:
    bpcli("train", "-q", "-o", "first", *small)
    data = small[:4]  # without the layers, which the network brings along
    result = bpcli("train", "--from", "first", "--epochs", "1", "--json", "-o", "second", *data, "-s", "train.freeze=1")
    digest = sha256(Path("first/best.npz").read_bytes()).hexdigest()
    assert result.stderr.splitlines()[0] == f"starting from first/best.npz, SHA-256 {digest}"
    assert json.loads(result.stdout)["start"] == {"name": "first/best.npz", "sha256": digest}
    loaded = checkpoint.load(Path("second/best.npz"))
    assert (loaded.config.model.hidden, loaded.config.train.start) == ((16,), "first/best.npz")
    assert loaded.environment["start SHA-256"] == digest


def test_a_run_that_goes_on_has_its_start_already(bpcli: Callable[..., Result]) -> None:
    result = bpcli("train", "--resume", "--from", "pretrained")
    assert result.exit_code == 2
    assert "Error: --resume goes on with the network of the run; --from is for a new run" in result.stderr


@pytest.mark.parametrize("option", ["-q", "--progress=none"])
def test_quiet_leaves_the_result(bpcli: Callable[..., Result], small: list[str], option: str) -> None:
    result = bpcli("train", option, *small)
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 1


def test_json_is_one_object(bpcli: Callable[..., Result], small: list[str]) -> None:
    result = bpcli("train", "--json", "-o", "out", *small)
    metrics = json.loads(result.stdout)
    accuracies = {f"{split}_{kind}" for split in ("train", "validation", "test") for kind in ("accuracy", "loss")}
    assert metrics.keys() == {"run", "epochs", "best_epoch", "seconds", "warning", "dead_units"} | accuracies
    assert (metrics["run"], metrics["epochs"]) == ("out", 2)
    assert checkpoint.load(Path("out/best.npz")).metrics["validation_accuracy"] == metrics["validation_accuracy"]


def test_without_validation_there_is_none_to_tell(bpcli: Callable[..., Result], small: list[str]) -> None:
    result = bpcli("train", "--json", *small, "-s", "data.validation=0")
    metrics = json.loads(result.stdout)
    assert metrics["validation_accuracy"] is None
    assert metrics["test_accuracy"] > 0
    assert [line.split()[4:6] for line in result.stderr.splitlines()[-3:-1]] == [["-", "-"]] * 2
    assert bpcli("train", *small, "-s", "data.validation=0").stdout.startswith("test accuracy ")


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["-c", "nosuch"], ConfigError.exit_code, "'nosuch' is neither a file nor a preset"),
        (["-s", "train.epochs=0"], ConfigError.exit_code, "train.epochs = 0: expected int >= 1"),
        (["-s", "data.folder=nowhere"], DataError.exit_code, "nowhere: no such folder"),
        (["-s", "model.hidden=[100000,100000,100000]"], ConfigError.exit_code, "GiB of memory"),
        (["-o", "full"], OutputError.exit_code, "full: exists and is not an empty folder"),
        (
            ["-s", "optimizer.learning_rate=1000", "-s", "model.output=identity", "-s", "loss=quadratic"],
            TrainingError.exit_code,
            "no longer finite at epoch 1, step",
        ),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    bpcli: Callable[..., Result], small: list[str], arguments: list[str], code: int, complaint: str
) -> None:
    Path("full").mkdir()
    Path("full/file").touch()
    result = bpcli("train", "-q", *small, *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert [path.name for path in Path("full").iterdir()] == ["file"]


def test_a_mistake_is_told_where_the_bar_was(bpcli: Callable[..., Result], small: list[str]) -> None:
    wild = ["-s", "optimizer.learning_rate=1000", "-s", "model.output=identity", "-s", "loss=quadratic"]
    result = bpcli("train", "--progress", "bar", *small, *wild)
    assert result.exit_code == TrainingError.exit_code
    *_, bar, wiped, last = result.stderr.split("\r")
    assert "to go" in bar
    assert wiped.strip() == ""
    assert last.startswith("Error: ")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_run_after_the_batch_and_keeps_it(tmp_path: Path, small: list[str], name: str) -> None:
    command = [sys.executable, "-m", "bpcli", "train", *small, "-s", "train.epochs=100000"]
    with child(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("/100000 " in line for line in process.stderr)
        process.send_signal(getattr(signal, name))
        _, told = process.communicate(timeout=20)
    assert process.returncode == 128 + getattr(signal, name)
    assert told.splitlines()[-1] == f"stopped by {name}; go on with: bpcli train --resume runs/default-1"
    assert "Traceback" not in told
    loaded = checkpoint.load(tmp_path / "runs/default-1/last.npz")
    assert loaded.epoch >= 1
    assert checkpoint.load(tmp_path / "runs/default-1/best.npz").epoch >= 1


def test_a_bar_on_a_terminal(tmp_path: Path, small: list[str]) -> None:
    parent, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    command = [sys.executable, "-m", "bpcli", "train", *small]
    with child(command, cwd=tmp_path, stderr=terminal, stdout=subprocess.DEVNULL) as process:
        os.close(terminal)
        seen = b""
        while True:
            try:
                part = os.read(parent, 4096)
            except OSError:  # how Linux says that the other side is closed
                break
            if not part:
                break
            seen += part
    os.close(parent)
    assert process.returncode == 0
    assert b"to go, " in seen
    assert b"epoch 2/2 " in seen
    assert b"\r  2/2 " in seen
