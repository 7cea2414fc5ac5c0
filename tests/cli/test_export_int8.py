"""`bpcli export --quantize int8`: what it prints before it writes, and what it refuses."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result


def test_accuracy_is_printed_before_and_after(trained: Path, bpcli: Callable[..., Result]) -> None:
    result = bpcli("export", trained, "-o", "digits.h", "--quantize", "int8")
    assert result.exit_code == 0, result.output
    accuracies, written = result.stdout.splitlines()
    both = r"\d\d\.\d\d % right with float32, \d\d\.\d\d % with int8"
    assert re.fullmatch(rf"\S+default-1\Sbest.npz on 100 validation images: {both}", accuracies)
    assert written.startswith("the network is digits.h: C99, ")
    assert "static const int8_t bpcli_weight1[12544]" in Path("digits.h").read_text(encoding="utf-8")


def test_without_validation_images_no_accuracy_is_printed(small: list[str], bpcli: Callable[..., Result]) -> None:
    assert bpcli("train", "-q", *small, "-s", "data.validation=0", "-s", "train.epochs=1").exit_code == 0
    result = bpcli("export", "--format", "c", "--quantize", "int8")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("the network is default-1.h: C99, ")


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_other_formats_are_refused(kind: str, trained: Path, bpcli: Callable[..., Result]) -> None:
    result = bpcli("export", trained, "--format", kind, "--quantize", "int8")
    assert result.exit_code == 2
    assert f"a file of the format {kind} holds no quantized network; choose onnx or c" in result.stderr
    assert result.stdout == ""


def test_data_that_are_no_longer_there_take_one_line(
    small_mnist: Path, bpcli: Callable[..., Result], tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(small_mnist, moved)
    assert bpcli("train", "-q", "-s", f"data.folder={moved}", "-s", "data.validation=100", "-s", "model.hidden=[4]",
                 "-s", "train.epochs=1", "-o", "run").exit_code == 0  # fmt: skip
    shutil.rmtree(moved)
    result = bpcli("export", "run", "--format", "c", "--quantize", "int8")
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1
    assert f"{moved}: no such folder" in result.stderr
    assert not Path("run.h").exists()


def test_a_committee_is_refused_as_c(trained: Path, bpcli: Callable[..., Result]) -> None:
    result = bpcli("export", trained, "pretrained", "--format", "c", "--quantize", "int8")
    assert result.exit_code == 2
    assert "a file of the format c holds one network, not 2; choose onnx or safetensors" in result.stderr
    assert result.stdout == ""
