"""Damaged files by the thousand: nothing but bpcli's own errors, and nothing slow."""

import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpcli.errors import BpcliError
from tests.reliability.fuzz import MAX_LENGTH, fuzz, parser

PARSERS = ["checkpoint", "member", "idx", "yaml", "setting", "picture"]
ANYTHING = settings(
    max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, database=None
)  # fmt: skip


@pytest.mark.parametrize("name", PARSERS)
def test_a_few(tmp_path: Path, name: str) -> None:
    result = fuzz(*parser(name, tmp_path), 300, 1)
    assert result.refused > (0 if name == "picture" else 100)


@pytest.mark.torture
@pytest.mark.parametrize("name", PARSERS)
def test_20_000(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = fuzz(*parser(name, tmp_path), 20_000, 2)
    with capsys.disabled():
        sys.stdout.write(f"{name}: {result}\n")
    assert result.refused > 1000


@pytest.mark.torture
@pytest.mark.parametrize("name", PARSERS)
@ANYTHING
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_20_000_of_hypothesis(tmp_path: Path, name: str, content: bytes) -> None:
    parse, seeds = parser_of(tmp_path, name)
    for data in (content, seeds[0][: len(content)] + content, seeds[-1][:-2] + content):
        start = time.process_time()
        try:
            parse(data)
        except BpcliError as error:
            assert str(error)
        assert time.process_time() - start < MAX_LENGTH


@cache
def parser_of(folder: Path, name: str) -> tuple[Callable[[bytes], object], list[bytes]]:
    return parser(name, folder)
