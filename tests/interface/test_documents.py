"""The document and the notebook about Python: what they show is what happens."""

import doctest
from pathlib import Path
from typing import Any

import pytest

from tests.interface.notebook import code_cells, execute, read

ROOT = Path(__file__).parents[2]


def test_the_document_shows_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(ROOT / "docs/python.md"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
    assert found.attempted > 25


def test_the_notebook_shows_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells, here = code_cells(read(ROOT / "examples/digits.ipynb")), dict[str, Any]()
    outputs = [*execute(cells, here)]
    assert [kinds(each) for each in outputs] == [kinds(cell["outputs"]) for cell in cells]
    assert here["run"].metrics["test_accuracy"] > 0.96
    assert (here["answers"][here["wrong"]] != here["test"].labels[here["wrong"]]).all()
    assert len(here["wrong"]) == here["model"].evaluate()["errors"]
    assert (here["model"].predict(here["picture"]), here["model"].predict(here["blank"])) == (7, None)
    assert here["gradient"] @ here["d"] == pytest.approx(here["slope"], rel=1e-5)
    assert here["report"].passed


def kinds(outputs: list[dict[str, Any]]) -> list[list[str]]:
    return [sorted(output.get("data", ["stdout"])) for output in outputs]
