"""`bpcli draw` from the outside."""

import webbrowser
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from bpcli.cli import draw
from bpcli.data.datasets import Split
from bpcli.errors import CheckpointError, DataError, OutputError


def test_the_page_of_the_latest_run_or_of_any_checkpoint(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("draw")
    assert (result.exit_code, result.stdout) == (0, "the page is digit.html\n")
    assert bpcli("draw", trained / "best.npz", "-o", "other.html").exit_code == 0
    assert Path("other.html").read_bytes() == Path("digit.html").read_bytes()
    assert Path("digit.html").read_text().startswith("<!DOCTYPE html>")


def test_without_its_data_a_network_gets_a_page_without_samples(
    bpcli: Callable[..., Result], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bpcli("draw").exit_code == 0
    assert '"samples": {"sheet": "data:image/png;base64,' in Path("digit.html").read_text()

    def gone(model: object, name: str) -> None:
        raise DataError("mine: no such folder")

    empty = Split(np.zeros((0, 784), np.uint8), np.zeros(0, np.uint8))
    monkeypatch.setattr(draw, "read_split_of", lambda model, name: empty)
    assert bpcli("draw").exit_code == 0
    assert '"samples": null' in Path("digit.html").read_text()
    monkeypatch.setattr(draw, "read_split_of", gone)
    result = bpcli("draw")
    assert result.exit_code == 0
    assert "the page has no sample images: mine: no such folder\n" in result.stderr
    assert '"samples": null' in Path("digit.html").read_text()


def test_what_exists_is_replaced_only_by_force(bpcli: Callable[..., Result], trained: Path) -> None:
    Path("digit.html").write_text("mine")
    result = bpcli("draw")
    assert (result.exit_code, result.stderr) == (8, "Error: digit.html: exists; --force replaces it\n")
    assert Path("digit.html").read_text() == "mine"
    assert bpcli("draw", "--force").exit_code == 0


def test_the_page_is_made_again_without_asking(bpcli: Callable[..., Result], trained: Path) -> None:
    assert bpcli("draw").exit_code == 0
    made = Path("digit.html").read_bytes()
    old = made.replace(b'<meta name="generator" content="bpcli draw">\n', b"")  # as version 0.1 wrote it
    for before in (made, old):
        Path("digit.html").write_bytes(before + b"<!-- before -->")
        assert bpcli("draw").exit_code == 0
        assert Path("digit.html").read_bytes() == made


@pytest.mark.parametrize(
    "content", ["", "<!DOCTYPE html>\n<title>Mine – bpcli report</title>", "look: – bpcli</title>"]
)
def test_another_page_is_not_taken_for_its_own(bpcli: Callable[..., Result], trained: Path, content: str) -> None:
    Path("digit.html").write_text(content)
    assert bpcli("draw").exit_code == OutputError.exit_code
    assert Path("digit.html").read_text() == content


def test_the_browser_is_shown_the_page(
    bpcli: Callable[..., Result], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    bpcli("draw", "--open")
    assert opened == [Path("digit.html").resolve().as_uri()]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["file.npz"], CheckpointError.exit_code, "file.npz: not a checkpoint of bpcli"),
        (["nowhere.npz"], CheckpointError.exit_code, "nowhere.npz: no such file, nor a run of that name"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    bpcli: Callable[..., Result], arguments: list[str], code: int, complaint: str
) -> None:
    Path("file.npz").write_bytes(b"something")
    result = bpcli("draw", *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not Path("digit.html").exists()


def test_without_a_run_the_page_has_the_network_that_comes_with_bpcli(bpcli: Callable[..., Result]) -> None:
    result = bpcli("draw")
    assert result.exit_code == 0
    assert result.stderr == "network: pretrained, which comes with bpcli, as no run has ended here\n"
    assert Path("digit.html").stat().st_size < 3_000_000


def test_a_page_that_cant_be_written(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("draw", "-o", "nowhere/digit.html")
    assert result.exit_code == OutputError.exit_code
    assert len(result.stderr.splitlines()) == 1
