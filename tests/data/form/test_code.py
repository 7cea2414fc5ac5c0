"""The code says what the page is, or nothing."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcli.data.form.code import VERSION, Code, decode, encode, page_of
from bpcli.data.form.layout import MAX_ROWS, PAPERS, Page, form
from tests.data.form.bits import bits_of

CHARACTERS = st.sampled_from(string.ascii_lowercase + string.digits + "+-=()éßжяαω∑")
SINGLE = st.lists(CHARACTERS, min_size=1, max_size=40, unique=True)
WORDS = st.lists(st.text("abcdefg", min_size=1, max_size=9), min_size=1, max_size=40, unique=True)


@settings(max_examples=40)
@given(SINGLE | WORDS, st.integers(1, MAX_ROWS), st.sampled_from(list(PAPERS)))
def test_a_page_comes_back(classes: list[str], rows: int, paper: str) -> None:
    for page in form(tuple(classes), rows, paper):
        code = decode(encode(page))
        assert code is not None
        assert page_of(code, classes) == page
        assert page_of(code, [*classes, "z9"]) == "the sheet was made for other classes than --classes names"
        if code.names is not None:
            assert page_of(code, None) == page


@pytest.mark.parametrize("text", ["0123456789", "ABCXYZ", "0123456789ABCabc"[:13], "+-="])
def test_up_to_three_runs_of_characters_need_no_names(text: str) -> None:
    code = decode(encode(Page(tuple(text), 10, "a4", 1)))
    assert code is not None
    assert code.names == tuple(text)


def test_other_names_must_be_given_again() -> None:
    code = decode(encode(Page(("plus", "minus"), 10, "a4", 1)))
    assert code is not None
    assert page_of(code, None) == "the sheet doesn't name its 2 classes; give the --classes that it was made for"


@settings(max_examples=40)
@given(st.sets(st.integers(0, 161), min_size=1, max_size=31))
def test_a_damaged_code_says_nothing(flipped: set[int]) -> None:
    bits = encode(Page(tuple("0123456789"), 10, "letter", 1))
    bits.ravel()[list(flipped)] ^= True
    assert decode(bits) is None


def test_neither_noise_nor_a_turned_code_says_anything() -> None:
    bits = encode(Page(tuple("0123456789"), 10, "a4", 1))
    noise = np.random.default_rng(0).random((200, *bits.shape)) < 0.5
    for other in (bits[::-1, ::-1], bits[:, ::-1], bits[::-1], ~bits, np.zeros_like(bits), np.ones_like(bits), *noise):
        assert decode(other) is None


def test_the_code_is_as_its_description_says() -> None:
    """Written down from the module's docstring, without its code."""
    page = Page(("a", "b", "c", "x"), 7, "letter", 1)
    assert np.array_equal(encode(page), bits_of(bytes([1, 1, 7, 1, 2, 0, 97, 3, 0, 120, 1, 0, 0, 0, 0, 0])))


def test_a_later_version_is_named() -> None:
    code = decode(bits_of(bytes([VERSION + 1, *range(15)])))
    assert code == Code(VERSION + 1)
    assert page_of(code, None) == "is a sheet of another version of bpcli"


@pytest.mark.parametrize(
    "content",
    [
        [1, 0, 10, 2, 1, 0, 48, 10, 0, 0, 0, 0, 0, 0, 0, 0],  # the second page of one
        [1, 0, 10, 1, 2, 0, 97, 3, 0, 65, 1, 0, 0, 0, 0, 0],  # a and A
        [1, 0, 10, 1, 1, 0, 46, 10, 0, 0, 0, 0, 0, 0, 0, 0],  # a dot
        [1, 0, 10, 1, 1, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0],  # no class
        [1, 9, 10, 1, 1, 0, 48, 10, 0, 0, 0, 0, 0, 0, 0, 0],  # no such paper
    ],
)
def test_what_makes_no_sense_is_no_page(content: list[int]) -> None:
    code = decode(bits_of(bytes(content)))
    assert code is None or page_of(code, None) == "the sheet's code makes no sense"
