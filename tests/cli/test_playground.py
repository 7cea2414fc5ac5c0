"""`bpcli playground` from the outside."""

import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bpcli.errors import DataError, OutputError


def test_the_page_is_written_and_written_again(
    bpcli: Callable[..., Result], small_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    result = bpcli("playground", "--data", small_mnist)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the page is playground.html\n", "")
    made = Path("playground.html").read_bytes()
    assert b"Train a small network" in made
    Path("playground.html").write_bytes(made + b"<!-- before -->")
    assert bpcli("playground", "--data", small_mnist, "--open").exit_code == 0
    assert Path("playground.html").read_bytes() == made
    assert opened == [Path("playground.html").resolve().as_uri()]


def test_another_page_is_replaced_only_by_force(bpcli: Callable[..., Result], small_mnist: Path) -> None:
    other = b'<!DOCTYPE html>\n<meta name="generator" content="bpcli draw">'
    Path("mine.html").write_bytes(other)
    result = bpcli("playground", "--data", small_mnist, "-o", "mine.html")
    assert (result.exit_code, result.stderr) == (8, "Error: mine.html: exists; --force replaces it\n")
    assert Path("mine.html").read_bytes() == other
    assert bpcli("playground", "--data", small_mnist, "-o", "mine.html", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--data", "nowhere"], DataError.exit_code, "nowhere: no such folder"),
        (["-o", "nowhere/page.html"], OutputError.exit_code, "nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    bpcli: Callable[..., Result], small_mnist: Path, arguments: list[str], code: int, complaint: str
) -> None:
    result = bpcli("playground", *(["--data", small_mnist] if "--data" not in arguments else []), *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not Path("playground.html").exists()
