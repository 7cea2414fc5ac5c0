"""Tests of the page's code are never left out unnoticed."""

import shutil
from pathlib import Path

import pytest

from tests.report.node import may_skip, needs_node


@pytest.mark.parametrize(("ci", "skipped"), [({}, True), ({"CI": "true"}, False)], ids=["at home", "in CI"])
def test_without_node_tests_are_skipped_but_for_ci(tmp_path: Path, ci: dict[str, str], skipped: bool) -> None:
    assert may_skip({"PATH": str(tmp_path)} | ci) is skipped


@needs_node
@pytest.mark.parametrize("ci", [{}, {"CI": "true"}], ids=["at home", "in CI"])
def test_with_node_tests_are_run(ci: dict[str, str]) -> None:
    assert not may_skip({"PATH": str(Path(shutil.which("node") or "").parent)} | ci)
