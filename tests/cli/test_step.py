"""`bpcli step` in the terminal."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from bpcli.data.datasets import read_split
from bpcli.gradcheck.one_step import loss_after, one_step
from bpcli.report import packing
from bpcli.storage import checkpoint


def test_the_overview_of_a_step(bpcli: Callable[..., Result], trained: Path, small_mnist: Path) -> None:
    result = bpcli("step", "test:5")
    assert result.exit_code == 0, result.stderr
    assert "network: " in result.stderr
    split = read_split(small_mnist, "test", 0)
    step = one_step(checkpoint.load(trained / "best.npz").model, split.images[5], int(split.labels[5]))
    assert f"loss C = {step.loss:.8g}" in result.stdout
    assert f"C after the step                    {loss_after(step, 0.1):.8g}" in result.stdout
    assert f"{loss_after(step, 0.5):.8g}" in bpcli("step", "test:5", "--rate", "0.5").stdout


def test_the_page_is_written_and_replaced_only_if_it_is_a_page_of_a_step(
    bpcli: Callable[..., Result], trained: Path
) -> None:
    first = bpcli("step", "test:5")
    assert first.stdout.endswith("\n\nthe page is step.html\n")
    made = Path("step.html").read_bytes()
    assert b"test:5 shows the class" in made and b'"unit": null' in made
    assert bpcli("step", "test:6").exit_code == 0
    assert Path("step.html").read_bytes() != made
    Path("step.html").write_text("mine")
    refused = bpcli("step", "test:5")
    assert (refused.exit_code, refused.stdout) == (8, "")
    assert refused.stderr == "Error: step.html: exists; --force replaces it\n"
    assert Path("step.html").read_text() == "mine"
    assert bpcli("step", "test:5", "--force").exit_code == 0
    assert Path("step.html").read_bytes() == made


def test_a_unit_has_a_page_only_where_one_is_wanted(
    bpcli: Callable[..., Result], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert "the page is" not in bpcli("step", "test:5", "--unit", "1:7").stdout
    assert not Path("step.html").exists()
    assert bpcli("step", "test:5", "--unit", "1:7", "-o", "own.html").stdout.endswith("the page is own.html\n")
    assert '"unit": [1, 7]' in Path("own.html").read_text(encoding="utf-8")
    assert bpcli("step", "test:5", "--unit", "1:7", "--open").exit_code == 0
    assert opened == [Path("step.html").resolve().as_uri()]


def test_a_network_too_large_for_a_page_is_still_shown_in_the_terminal(
    bpcli: Callable[..., Result], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MAX_PARAMETERS", 20_000)
    shown = bpcli("step", "test:5")
    assert (shown.exit_code, Path("step.html").exists()) == (0, False)
    assert "loss C = " in shown.stdout and "the page is" not in shown.stdout
    assert "no page is written: the network has 12,730 parameters; a page takes at most 10,000 (11 MB)" in shown.stderr
    refused = bpcli("step", "test:5", "-o", "step.html")
    assert (refused.exit_code, refused.stdout, Path("step.html").exists()) == (8, "", False)


def test_a_unit_is_opened(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("step", trained / "best.npz", "test:5", "--unit", "1:7")
    assert result.stdout.startswith("unit 1:7\n")
    assert "Σ w·x" in result.stdout and "BP2" in result.stdout
    assert "the output of class 3" in bpcli("step", "test:5", "--unit", "2:3").stdout


def test_a_picture_of_ones_own_needs_its_class(bpcli: Callable[..., Result], trained: Path, small_mnist: Path) -> None:
    split = read_split(small_mnist, "test", 0)
    Image.fromarray(split.images[5].reshape(28, 28)).save("mine.png")
    refused = bpcli("step", "mine.png")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "mine.png: what does it show? Add --label, such as --label 9" in refused.stderr
    assert bpcli("step", "mine.png", "--label", str(split.labels[5])).stdout == bpcli("step", "test:5").stdout
    Image.fromarray(np.full((28, 28), 255, np.uint8)).save("blank.png")
    blank = bpcli("step", "blank.png", "--label", "1")
    assert (blank.exit_code, blank.stdout) == (5, "")


def test_units_are_still_shown_where_the_data_are_gone(
    bpcli: Callable[..., Result], trained: Path, small_mnist: Path, tmp_path: Path
) -> None:
    loaded = checkpoint.load(trained / "best.npz")
    Image.fromarray(read_split(small_mnist, "test", 0).images[5].reshape(28, 28)).save("mine.png")
    lost = tmp_path / "lost.npz"
    gone = checkpoint.load(trained / "best.npz").config
    data = msgspec.structs.replace(gone.data, folder=str(tmp_path / "gone"))
    checkpoint.save(replace(loaded, config=msgspec.structs.replace(gone, data=data)), lost)
    result = bpcli("step", lost, "mine.png", "--label", "1")
    assert result.exit_code == 0
    assert "which units are dead is not known" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["test:5", "--unit", "3:1"], 2, "--unit 3:1: the network has the layers 1 to 2"),
        (["test:5", "--unit", "1:16"], 2, "--unit 1:16: layer 1 has the units 0 to 15"),
        (["test:5", "--unit", "first"], 2, "--unit first: expected LAYER:UNIT, such as 1:7"),
        (["test:5", "--label", "11"], 2, "--label 11: the network's classes are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (["test:200"], 2, "test:200: the test split has 200 images, numbered from 0"),
        (["a", "b", "c"], 2, "one network and one picture are enough; a b c names 3"),
        (["no.png", "--label", "1"], 5, "no.png: can't be read"),
        (["no.npz", "test:5"], 6, "no.npz"),
    ],
)
def test_what_can_not_be_shown(
    bpcli: Callable[..., Result], trained: Path, arguments: list[str], code: int, message: str
) -> None:
    result = bpcli("step", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert result.stderr.count("Error:") == 1


def test_a_rate_is_a_number(bpcli: Callable[..., Result]) -> None:
    for command in (["step", "test:5"], ["explain", "x**2", "x=1", "--minimize", "x"]):
        result = bpcli(*command, "--rate", "nan")
        assert result.exit_code == 2
        assert "Error: Invalid value for '--rate': nan is not a number in the range 0<x<=1000000.0." in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_unicode_is_escaped(bpcli: Callable[..., Result], trained: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.png")
    picture = Image.new("L", (60, 60), 255)
    picture.paste(0, (28, 10, 32, 50))
    picture.save("a.png")
    Path("a.png").rename(odd)
    assert bpcli("step", "default-1", odd, "--label", "1").exit_code == 0
    assert rb"caf\udce9.png" in Path("step.html").read_bytes()
