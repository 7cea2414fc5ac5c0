import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bpcli.errors import ConfigError
from bpcli.strict_yaml import MAX_LENGTH, _flat, _place, parse_yaml, to_text

KEYS = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | KEYS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_plain_data_come_back_as_they_went(value: object) -> None:
    class NoAliases(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    assert parse_yaml(yaml.dump(value, Dumper=NoAliases).encode(), "x") == value


@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_data_or_one_line_of_refusal(content: bytes) -> None:
    try:
        parse_yaml(content, "file.yaml")
    except ConfigError as error:
        assert str(error).startswith("file.yaml")
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: 2\na: 3", "file.yaml, line 3, column 1: not valid here: duplicate key 'a'"),
        ("a: &x 1\nb: *x", "aliases"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "aliases"),
        ("a: {<<: {b: 1}}", "merge keys"),
        ("a: [1, 2", "not valid here: expected ',' or ']'"),
        ("a: !!python/object/apply:os.system [ls]", "tags (!name) are not allowed"),
        ("[" * 20 + "]" * 20, "deeper than 16"),
        ("? [1, 2]\n: 3", "plain word"),
        ("a: 2026-13-45", "value that can't be read"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: \x01", "special characters are not allowed"),
        ("a: !!int ''", "tags (!name) are not allowed"),
        ("a: !local 3", "tags (!name) are not allowed"),
        ("a: " + "9" * 5000, "a number of more than 100 characters"),
        ("a: 0x" + "f" * 5000, "a number of more than 100 characters"),
        ("a: 1." + "9" * 5000, "a number of more than 100 characters"),
        ("a: 1" + ":59" * 300 + ".5", "a number of more than 100 characters"),
        ("[" + "1," * 5000 + "]", "more than 5,000 keys and values"),
    ],
)
def test_what_configurations_dont_need_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text.encode(), "file.yaml")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_occurs_twice_is_written_twice() -> None:
    once = [30, 10]
    assert parse_yaml(to_text({"a": once, "b": [once, once]}).encode(), "x") == {"a": once, "b": [once, once]}


def test_a_long_file_is_refused_unread() -> None:
    with pytest.raises(ConfigError, match="longer than 64 KiB"):
        parse_yaml(b"#" * (MAX_LENGTH + 1), "file.yaml")


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ConfigError, match="not UTF-8 text, at byte 3"):
        parse_yaml(b"a: \xff", "file.yaml")


@pytest.mark.parametrize(
    ("fits", "too_much", "complaint"),
    [
        (b"a: 1\n" + b"#" * (MAX_LENGTH - 5), b"a: 1\n" + b"#" * (MAX_LENGTH - 4), "longer than 64 KiB"),
        (b"[" * 16 + b"]" * 16, b"[" * 17 + b"]" * 17, "nested deeper than 16 levels"),
        (b"[" + b"1," * 4999 + b"]", b"[" + b"1," * 5000 + b"]", "more than 5,000 keys and values"),
        (b"a: " + b"9" * 100, b"a: " + b"9" * 101, "a number of more than 100 characters"),
    ],
)
def test_the_limits_themselves_are_allowed(fits: bytes, too_much: bytes, complaint: str) -> None:
    assert parse_yaml(fits, "file.yaml") == yaml.safe_load(fits)
    with pytest.raises(ConfigError, match=complaint):
        parse_yaml(too_much, "file.yaml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: &x 1\nb: *x", ", line 2, column 4: not valid here: aliases (*name) are not allowed"),
        ("a: !local 3", ", line 1, column 4: not valid here: tags (!name) are not allowed"),
        ("a: {<<: {b: 1}}", ", line 1, column 5: not valid here: merge keys (<<) are not allowed"),
        ("? [1, 2]\n: 3", ", line 1, column 3: not valid here: a key must be a plain word"),
        ("a: 2026-13-45", ": holds a value that can't be read: month must be in 1..12"),
        ("\ufeffa: [", ", line 1, column 5: not valid here: expected the node content, but found '<stream end>'"),
    ],
)
def test_a_refusal_is_one_message(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text.encode(), "file.yaml")
    assert str(caught.value) == f"file.yaml{complaint}"


def test_what_pyyaml_says_is_made_one_line() -> None:
    assert _flat("a \n b\x07c") == "a b c"
    assert _flat(None) == ""
    assert _place(yaml.MarkedYAMLError(problem="somewhere")) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_editors_and_powershell_write_marks_and_line_ends_of_their_own(encoding: str) -> None:
    text = "# μ\r\ndata:\r\n  folder: 'C:\\ü'\r\n"
    assert parse_yaml(text.encode(encoding), "file.yaml") == {"data": {"folder": "C:\\ü"}}
