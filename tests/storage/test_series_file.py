"""The seeds of a series as people write them, and the file that keeps them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli import config as configuration
from bpcli.errors import ArgumentError, BpcliError, CheckpointError
from bpcli.storage.series_file import MAX_MEMBERS, NAME, Series, is_series, parse_seeds, read, write

LARGEST = 2**63 - 1
GOOD = "seeds: [0, 1]\nfinished: [1]\nconfig: {train: {epochs: 2}}\n"


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0..6", (0, 1, 2, 3, 4, 5, 6)),
        ("0,3,5", (0, 3, 5)),
        ("4", (4,)),
        ("5, 1 .. 2", (5, 1, 2)),
        ("7..7", (7,)),
        (f"{LARGEST}", (LARGEST,)),
        (f"1..{MAX_MEMBERS}", tuple(range(1, MAX_MEMBERS + 1))),
    ],
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("6..0", "--seeds 6..0: 6..0 ends before it begins; 0..6 has seeds"),
        ("a..b", "--seeds a..b: expected seeds such as 0..6, 0,3,5 or 4"),
        ("", "expected seeds such as"),
        ("1,", "expected seeds such as"),
        ("-1", "expected seeds such as"),
        ("1..2..3", "expected seeds such as"),
        ("1.5", "expected seeds such as"),
        ("٣", "expected seeds such as"),
        ("0..99999", f"more than {MAX_MEMBERS} seeds; a series has at most so many"),
        ("0.." + "9" * 19, "a seed is at most 9223372036854775807"),
        ("9" * 5000, "expected seeds such as"),
        (f"0..{LARGEST}", f"more than {MAX_MEMBERS} seeds"),
        (",".join(map(str, range(MAX_MEMBERS + 1))), f"more than {MAX_MEMBERS} seeds"),
        ("0..3,2", "names 2 twice"),
    ],
)
def test_what_are_no_seeds(text: str, complaint: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse_seeds(text)
    assert complaint in str(caught.value)
    assert caught.value.exit_code == 2


@given(st.lists(st.tuples(st.integers(0, LARGEST), st.integers(0, 20)), min_size=1, max_size=6))
def test_seeds_are_what_their_parts_are(parts: list[tuple[int, int]]) -> None:
    ranges = [range(first, min(first + more, LARGEST) + 1) for first, more in parts]
    expected = [seed for each in ranges for seed in each]
    text = ",".join(f"{each[0]}..{each[-1]}" if len(each) > 1 else str(each[0]) for each in ranges)
    if len(set(expected)) == len(expected) <= MAX_MEMBERS:
        assert parse_seeds(text) == tuple(expected)
    else:
        with pytest.raises(ArgumentError):
            parse_seeds(text)


@given(st.text(max_size=30) | st.text("0123456789., ", max_size=12))
def test_any_text_gives_different_seeds_or_one_error(text: str) -> None:
    try:
        seeds = parse_seeds(text)
    except ArgumentError:
        return
    assert 1 <= len(seeds) == len(set(seeds)) <= MAX_MEMBERS
    assert all(0 <= seed <= LARGEST for seed in seeds)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    config = configuration.load("default", ["model.hidden=[30, 20]", "model.activation=[tanh, relu]"])
    assert not is_series(tmp_path)
    for series in (Series(config, (5, 0, LARGEST), (0,)), Series(config, tuple(range(MAX_MEMBERS)))):
        write(tmp_path, series)
        assert read(tmp_path) == series
        assert read(tmp_path).member(7) == configuration.override(config, ["seed=7"])
    assert is_series(tmp_path)
    assert not is_series(tmp_path / ("long" * 100))


HOSTILE: dict[str, str | bytes] = {
    "nothing": "",
    "no YAML": "{seeds: [",
    "a list": "[1, 2]",
    "no bytes of text": b"\xff\xfe\x00",
    "no seeds": GOOD.replace("[0, 1]", "[]"),
    "too many seeds": GOOD.replace("[0, 1]", str(list(range(MAX_MEMBERS + 1)))),
    "a negative seed": GOOD.replace("[0, 1]", "[-1, 1]"),
    "a large seed": GOOD.replace("[0, 1]", f"[1, {LARGEST + 1}]"),
    "a long seed": GOOD.replace("[0, 1]", f"[1, {'9' * 5000}]"),
    "a path": GOOD.replace("[0, 1]", "['../../etc', 1]"),
    "a fraction": GOOD.replace("[0, 1]", "[0.5, 1]"),
    "a truth": GOOD.replace("[0, 1]", "[true, 1]"),
    "a seed twice": GOOD.replace("[0, 1]", "[1, 1]"),
    "another finished": GOOD.replace("[1]", "[2]"),
    "a seed finished twice, another never": GOOD.replace("[0, 1]", "[0, 1, 1]"),
    "an unknown key": GOOD + "more: 1\n",
    "a missing key": GOOD.replace("finished: [1]\n", ""),
    "a key twice": GOOD + "seeds: [3]\n",
    "an alias": GOOD + "x: &a [1]\ny: *a\n",
    "a tag": "!!python/object/apply:os.system ['touch pwned']",
    "no configuration": GOOD.replace("{train: {epochs: 2}}", "3"),
    "an unknown setting": GOOD.replace("epochs", "epoch\x1b[31m".encode("unicode_escape").decode()),
    "a setting without limits": GOOD.replace("epochs: 2", "epochs: 1000000000"),
    "numbers as keys": GOOD.replace("{train: {epochs: 2}}", "{1: 2}"),
    "too long": GOOD + "#" * 70_000,
    "deep": GOOD.replace("{train: {epochs: 2}}", "[" * 500 + "]" * 500),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path: Path, name: str) -> None:
    content = HOSTILE[name]
    (tmp_path / NAME).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CheckpointError, match=r"series\.yaml"):
        read(tmp_path)


def test_what_they_are_made_from_is_accepted(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(GOOD)
    series = read(tmp_path)
    assert (series.seeds, series.finished, series.config.train.epochs) == ((0, 1), (1,), 2)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: (GOOD + text).encode()))
def test_any_bytes_are_a_series_or_one_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / NAME).write_bytes(content)
    try:
        assert read(folder).seeds
    except BpcliError as error:
        assert isinstance(error, CheckpointError)
