"""`bpcli export` from the outside."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from bpcli.errors import ArgumentError, CheckpointError, OutputError
from bpcli.storage import checkpoint
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


def test_a_network_that_learned_nothing_is_exported_with_a_warning(bpcli: Bpcli, trained: Path) -> None:
    loaded = checkpoint.load(trained / "best.npz")
    poor = checkpoint.Checkpoint(
        loaded.config, loaded.spec, 1, {"validation_accuracy": 0.1}, np.zeros_like(loaded.parameters)
    )
    checkpoint.save(poor, Path("poor.npz"))
    result = bpcli("export", "poor.npz")
    assert result.exit_code == 0
    assert "Warning: poor.npz learned nothing" in result.stderr


def test_a_model_card_says_what_evaluate_does(bpcli: Bpcli, trained: Path) -> None:
    result = bpcli("export", "--card", "README.md", "--license", "mit")
    assert (result.exit_code, result.stdout) == (0, "the model card is README.md\n")
    text = Path("README.md").read_text(encoding="utf-8")
    metrics = json.loads(bpcli("evaluate", "--json").stdout)
    assert f"value: {metrics['accuracy']}" in text
    assert f"| test | {100 * metrics['accuracy']:.2f} % | {metrics['errors']} | {metrics['loss']:.4f} |\n" in text
    assert text.startswith("---\nlicense: mit\n")
    assert "the network after epoch 2 of 2" in text
    assert not Path("default-1.onnx").exists()
    again = bpcli("export", "--card", "README.md", "-o", "mine.npz")
    assert (again.exit_code, again.stderr) == (8, "Error: README.md: exists; --force replaces it\n")
    assert not Path("mine.npz").exists()
    assert bpcli("export", "--card", "README.md", "-o", "mine.npz", "--force").exit_code == 0
    assert "bpcli predict -m mine.npz photo.png" in Path("README.md").read_text(encoding="utf-8")
    assert Path("mine.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--license", "mit"], "--license goes with --card"),
        (["--card", "a.md", "-o", "a.md"], "-o and --card name the same file"),
    ],
)
def test_options_of_a_card_that_make_no_sense_are_refused(bpcli: Bpcli, arguments: list[str], complaint: str) -> None:
    result = bpcli("export", *arguments)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (2, f"Error: {complaint}")


def test_the_network_and_its_card_are_two_files_or_none(bpcli: Bpcli, trained: Path) -> None:
    one = bpcli("export", "--card", Path.cwd() / "default-1.onnx", "--format", "onnx")
    assert one.exit_code == 2
    assert one.stderr.startswith("Error: the network and the card would be one file, ")
    Path("x.npz").write_bytes(b"mine")
    failed = bpcli("export", "-o", "x.npz", "--force", "--card", "nowhere/c.md")
    assert (failed.exit_code, Path("x.npz").read_bytes()) == (8, b"mine")


def test_a_link_to_itself_is_replaced(bpcli: Bpcli, trained: Path) -> None:
    Path("loop.onnx").symlink_to("loop.onnx")
    assert bpcli("export", "-o", "loop.onnx", "--card", "c.md", "--force").exit_code == 0
