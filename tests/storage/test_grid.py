"""The grid of a series as people write it: seeds, and keys with several values."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bpcli import config as configuration
from bpcli.errors import ArgumentError, BpcliError, ConfigError
from bpcli.storage.grid import parse_grid, parse_seeds
from bpcli.storage.members import MAX_MEMBERS

LARGEST = 2**63 - 1


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


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("data.deslant=true,false", "data.deslant", [True, False]),
        ("model.hidden=[1024,1024],[800, 800,800]", "model.hidden", [[1024, 1024], [800, 800, 800]]),
        ("model.hidden=[],[30]", "model.hidden", [[], [30]]),
        (" optimizer.weight_decay = 0, 5, 1e-1", "optimizer.weight_decay", [0, 5, 0.1]),
        ("train.patience=null,3", "train.patience", [None, 3]),
        ("model.activation=relu,[tanh],'sigmoid'", "model.activation", ["relu", ["tanh"], "sigmoid"]),
        ("model.init=kaiming,he", "model.init", ["glorot_relu", "he"]),
    ],
)
def test_a_key_and_its_values(text: str, key: str, values: list[object]) -> None:
    assert parse_grid(None, [text]) == {key: values}


def test_the_seed_varies_fastest() -> None:
    grid = parse_grid("1,0", ["optimizer.kind=adam,momentum", "data.deslant=false"])
    assert list(grid) == ["optimizer.kind", "data.deslant", "seed"]
    assert grid["seed"] == (1, 0)
    assert parse_grid(None, []) == {}


@pytest.mark.parametrize(
    ("texts", "error", "complaint"),
    [
        (["data.deslant"], ArgumentError, "data.deslant: expected KEY=VALUE,VALUE,..., such as data.deslant=true,"),
        (["=1,2"], ArgumentError, "expected KEY=VALUE"),
        (["data.deslant="], ArgumentError, "expected KEY=VALUE"),
        (["data.deslant=true,,false"], ConfigError, "--vary data.deslant=true,,false, line 1, column 7: not valid"),
        (["model.hidden=[1,2"], ConfigError, "not valid here"),
        (["model.hidden=[1]],[2"], ConfigError, "not valid here"),
        (["data.deslant=true,1"], ConfigError, "data.deslant = 1: expected true or false, got int"),
        (["model.hidden=100,200"], ConfigError, "model.hidden = 100: expected list, got int; did you mean [100]?"),
        (["optimizer.kind=adam,sgd"], ConfigError, "expected one of momentum, adam, adamw; did you mean momentum?"),
        (["data.deslnt=true,false"], ConfigError, "unknown key data.deslnt; did you mean data.deslant?"),
        (["lr=1,2"], ConfigError, "unknown key lr; did you mean optimizer.learning_rate?"),
        (["model={hidden: [3]},{hidden: [4]}"], ConfigError, "unknown key model"),
        (["seed=0,1"], ArgumentError, "seed can't be varied: --seeds says which seeds"),
        (["data.side=20,28"], ArgumentError, "can't be varied: a committee's members take the same pictures"),
        (["data.folder=a,b"], ArgumentError, "can't be varied: a committee is tested on one data set"),
        (["train.start=a,b"], ArgumentError, "can't be varied: the runs of a series start from one network"),
        (["data.deslant=true,false,yes"], ArgumentError, "names true twice; both would be the same run"),
        (["optimizer.weight_decay=0.1,1e-1"], ArgumentError, "names 0.1 twice"),
        (["loss=cross_entropy", "loss=quadratic"], ArgumentError, "loss is varied twice; one --vary takes all"),
        ([f"train.epochs={','.join(map(str, range(1, 13)))}"], ArgumentError, "--vary: 12 × 9 = 108 runs; a series"),
    ],
)
def test_what_is_no_grid(texts: list[str], error: type[BpcliError], complaint: str) -> None:
    with pytest.raises(error) as caught:
        parse_grid("0..8", texts)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.lists(st.lists(st.integers(1, 99), max_size=3), min_size=1, max_size=5, unique_by=tuple))
def test_commas_in_brackets_do_not_divide(layers: list[list[int]]) -> None:
    text = yaml.safe_dump(layers, default_flow_style=True, width=1000).strip()[1:-1]
    assert parse_grid(None, [f"model.hidden={text}"]) == {"model.hidden": layers}


@given(st.sampled_from(configuration.keys()), st.text(max_size=20) | st.text("0123456789.,[]{}'# ae-", max_size=12))
def test_any_text_gives_different_values_or_one_error(key: str, text: str) -> None:
    try:
        grid = parse_grid(None, [f"{key}={text}"])
    except BpcliError as error:
        assert error.exit_code in (2, 3)
        return
    values = [str(value) for value in grid[key]]
    assert 1 <= len(values) == len(set(values)) <= MAX_MEMBERS
