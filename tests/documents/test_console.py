"""The comparison of a document with what is printed must be able to fail."""

import doctest
from pathlib import Path

import pytest

from tests.documents.console import Step, difference, same, steps

TEXT = """
```console
$ one --two   # says what
first
second
$ three
```
```python
$ no
```
```console
$ four
```
"""


def test_commands_are_found_with_what_they_print() -> None:
    assert list(steps(TEXT)) == [Step("one --two", 3, ["first", "second"]), Step("three", 6), Step("four", 12)]


@pytest.mark.parametrize(
    ("shown", "printed", "alike"),
    [
        ("accuracy 98.40 %", "accuracy   97.95 %", True),
        ("accuracy 98.40 %", "accuracy 97.80 %", False),
        ("accuracy 98.40 %", "accuracy 98.40", False),
        ("7 (score 0.99)", "7 (score 0.81)", True),
        ("7 (score 0.99)", "1 (score 0.99)", False),
        ("7 (score 0.99)", "7 (score 0.5)", False),
        ("took 1.5 s", "took 30.2 s", True),
        ("runs/default-1", "runs/default-2", False),
        ("784-1024-10", "784-30-10", False),
        ("814,090 parameters", "814,091 parameters", False),
        ("errors 169 of 10,000", "errors 195 of 10,000", True),
        ("errors 169 of 10,000", "errors 269 of 10,000", False),
        ("errors 169 of 10,000", "errors 169 of 10,001", False),
        ("on 2026-11-21 18:50", "on 2027-01-02 03:04", True),
        ("one", "other", False),
    ],
)
def test_numbers_may_differ_a_little_and_nothing_else(shown: str, printed: str, alike: bool) -> None:
    assert same(shown, printed) is alike


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ([], ""),
        (["a", "b", "c"], ""),
        (["...", "c"], ""),
        (["a", "..."], ""),
        (["a", "...", "c"], ""),
        (["..."], ""),
        (["a", "b"], "printed, but not shown: c"),
        (["a", "x"], "shown: x\nprinted: b"),
        (["a", "b", "c", "d"], "shown, but not printed: d"),
        (["...", "d"], "shown: d\nprinted: a"),
    ],
)
def test_dots_stand_for_any_lines(shown: list[str], found: str) -> None:
    assert difference(shown, ["a", "b", "c"]) == found


def test_the_products_of_the_first_station_are_numpys() -> None:
    text = (Path(__file__).parents[2] / "docs" / "learn.md").read_text(encoding="utf-8").replace("```", "")
    tried = doctest.DocTestRunner().run(doctest.DocTestParser().get_doctest(text, {}, "learn.md", None, 0))
    assert (tried.failed, tried.attempted > 10) == (0, True)
