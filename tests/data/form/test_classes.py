"""Classes as people write them."""

import string

import pytest

from bpcli.data.form.classes import parse_classes
from bpcli.errors import ArgumentError


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0-9", string.digits),
        ("A-Z", string.ascii_uppercase),
        ("a,b,c", "abc"),
        ("0-9,A-F", "0123456789ABCDEF"),
        ("-,+", "-+"),
        ("plus,minus", ["plus", "minus"]),
        ("а-в", "абв"),
    ],
)
def test_ranges_and_names_are_understood(text: str, names: str | list[str]) -> None:
    assert parse_classes(text) == tuple(names)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a class's name has 0 characters"),
        ("a,,b", "a class's name has 0 characters"),
        ("9-0", "9-0 runs backwards; did you mean 0-9?"),
        ("a,b,a", "two classes are called a"),
        ("a-z,A-Z", "a and A differ by case only"),
        ("straße,STRASSE", "straße and STRASSE differ by case only"),
        (".", "the class . can't be a folder's name"),
        ("..", "the class .. can't be a folder's name"),
        ("a/b", "the class 'a/b' can't be a folder's name on every system; name it otherwise, such as slash"),
        ("!-~", "can't be a folder's name"),
        ("a, b", "the class ' b' can't"),
        ("con,x", "the class con can't"),
        ("a\nb", r"the class 'a\nb' can't"),
        ("x" * 101, "a class's name has 101 characters; expected 1 to 100"),
        ("一-龥", "20,902 classes; at most 100 are possible"),
    ],
)
def test_what_can_be_no_folder_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_classes(text)
    assert complaint in str(error.value)
