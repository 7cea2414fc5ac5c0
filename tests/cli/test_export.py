"""`bpcli export` from the outside."""

import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from bpcli.errors import ArgumentError, CheckpointError, OutputError
from bpcli.storage import checkpoint
from tests.children import HANGS
from tests.export.onnx_reader import read

Bpcli = Callable[..., Result]


def test_the_latest_run_becomes_an_onnx_file(bpcli: Bpcli, trained: Path) -> None:
    result = bpcli("export")
    made, best = Path("default-1.onnx").read_bytes(), trained / "best.npz"
    right = 100 * checkpoint.load(best).metrics["validation_accuracy"]
    assert (result.exit_code, result.stdout) == (
        0, f"the network is default-1.onnx: ONNX, {len(made):,} bytes, validation accuracy {right:.2f} %\n",
    )  # fmt: skip
    assert result.stderr.startswith("network: runs/default-1/best.npz")
    assert read(made).metadata["sha256"] == hashlib.sha256(best.read_bytes()).hexdigest()
    assert bpcli("export", best, "-o", "other").exit_code == 0
    assert Path("other").read_bytes() == made


def test_the_format_follows_from_the_files_name_or_its_option(bpcli: Bpcli, trained: Path) -> None:
    assert bpcli("export", trained / "last.npz", "-o", "a.NPZ").stdout.startswith("the network is a.NPZ: npz, ")
    assert bpcli("export", "--format", "npz").stdout.startswith("the network is default-1.npz: npz, ")
    Path("mine.npz").write_bytes((trained / "best.npz").read_bytes())
    assert "mine.safetensors" in bpcli("export", "mine.npz", "--format", "safetensors").stdout
    for name in ("a.NPZ", "default-1.npz"):
        assert bpcli("predict", "-m", name, "test:0").exit_code == 0


def test_several_networks_become_one(bpcli: Bpcli, trained: Path) -> None:
    shutil.copytree(trained, "runs/default-2")
    result = bpcli("export", "default-1", "default-2")
    assert result.stdout.startswith("the network is committee.onnx: ONNX, ")
    assert result.stdout.endswith(" bytes, a committee of 2\n")
    assert "member2.layer1.weight" in read(Path("committee.onnx").read_bytes()).tensors


def test_a_series_gives_its_name(bpcli: Bpcli, small: list[str]) -> None:
    assert bpcli("train", "-q", "--seeds", "0..1", "-s", "train.epochs=1", *small).exit_code == 0
    assert bpcli("export").stdout.startswith("the network is default-1.onnx: ")
    result = bpcli("export", "--format", "npz")
    assert result.exit_code == ArgumentError.exit_code
    assert result.stderr == "Error: a file of the format npz holds one network, not 2; choose onnx or safetensors\n"


def test_a_file_that_exists_is_replaced_only_by_force(bpcli: Bpcli, trained: Path) -> None:
    assert bpcli("export").exit_code == 0
    made = Path("default-1.onnx").read_bytes()
    result = bpcli("export")  # not even its own: it may have been changed since
    assert (result.exit_code, result.stderr) == (8, "Error: default-1.onnx: exists; --force replaces it\n")
    Path("default-1.onnx").write_text("mine")
    assert bpcli("export", "--force").exit_code == 0
    assert Path("default-1.onnx").read_bytes() == made


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["-o", "folder"], OutputError.exit_code, "folder: is a folder; -o names the file to write"),
        (["-o", "nowhere/x.onnx"], OutputError.exit_code, "nowhere/x.onnx: can't be written: No such file"),
        (["nothing"], CheckpointError.exit_code, "nothing: no such file, nor a run of that name"),
        (["-o", "x.npz", "--format", "onnx"], 2, "x.npz: is written as onnx; its name should end in .onnx"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(
    bpcli: Bpcli, trained: Path, arguments: list[str], code: int, complaint: str
) -> None:
    Path("folder").mkdir()
    before = sorted(Path().rglob("*"))
    result = bpcli("export", *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert sorted(Path().rglob("*")) == before


def test_a_full_disk_leaves_what_was_there(trained: Path, tmp_path: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # bytes of a file

    Path("x.onnx").write_text("before")
    command = [sys.executable, "-m", "bpcli", "export", "-o", "x.onnx", "--force"]
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    result = subprocess.run(
        command, cwd=tmp_path, env=unmeasured, preexec_fn=limit, capture_output=True, text=True, check=False,
        timeout=HANGS,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (OutputError.exit_code, "")
    assert result.stderr.splitlines()[-1] == "Error: x.onnx: can't be written: File too large"
    assert {path.name for path in tmp_path.iterdir()} == {"x.onnx", "runs"}
    assert Path("x.onnx").read_text() == "before"


def test_a_network_that_learned_nothing_is_exported_with_a_warning(bpcli: Bpcli, trained: Path) -> None:
    loaded = checkpoint.load(trained / "best.npz")
    poor = checkpoint.Checkpoint(
        loaded.config, loaded.spec, 1, {"validation_accuracy": 0.1}, np.zeros_like(loaded.parameters)
    )
    checkpoint.save(poor, Path("poor.npz"))
    result = bpcli("export", "poor.npz")
    assert result.exit_code == 0
    assert "Warning: poor.npz learned nothing" in result.stderr
