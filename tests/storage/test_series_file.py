"""The file that keeps a series."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bpcli import config as configuration
from bpcli.errors import BpcliError, CheckpointError
from bpcli.storage.members import MAX_MEMBERS, of_grid, of_seeds
from bpcli.storage.series_file import NAME, is_series, read, write

LARGEST = 2**63 - 1
VARIED = """\
runs:
  one: {data.deslant: true, model.hidden: [5]}
  two: {data.deslant: false}
finished: [two]
config: {train: {epochs: 2}}
"""
GOOD = "seeds: [0, 1]\nfinished: [1]\nconfig: {train: {epochs: 2}}\n"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    config = configuration.load("default", ["model.hidden=[30, 20]", "model.activation=[tanh, relu]"])
    assert not is_series(tmp_path)
    varied: dict[str, Sequence[object]] = {
        "model.hidden": [[30, 20], [5, 4]],
        "data.deslant": [True, False],
        "seed": (3, 4),
    }
    for series in (
        of_seeds(config, (5, 0, LARGEST)).with_finished("seed-0"),
        of_seeds(config, tuple(range(MAX_MEMBERS))),
        of_grid(config, varied).with_finished("hidden-5-4-deslant-true-seed-3"),
        of_grid(config, {"train.patience": [None, 5]}),
    ):
        write(tmp_path, series)
        assert read(tmp_path) == series
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
    "seeds and runs": GOOD + "runs: {one: {seed: 3}}\n",
    "neither seeds nor runs": GOOD.replace("seeds: [0, 1]", "runs: {}"),
    "a run elsewhere": VARIED.replace("one:", "../one:"),
    "a hidden run": VARIED.replace("one:", ".one:"),
    "a run with two lines": VARIED.replace("one:", '"one\\n":'),
    "a run with a long name": VARIED.replace("one:", f"{'one' * 30}:"),
    "a run of an unknown key": VARIED.replace("data.deslant", "data.deslnt"),
    "a run of a bad value": VARIED.replace("[5]", "[-5]"),
    "a run of nothing": VARIED.replace("{data.deslant: false}", "false"),
    "a finished run that is none": VARIED.replace("[two]", "[three]"),
    "too many runs": VARIED.replace(
        "runs:\n", "runs:\n" + "".join(f"  r{n}: {{seed: {n}}}\n" for n in range(MAX_MEMBERS))
    ),
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
    assert [(member.name, member.settings, member.config.seed) for member in series.members] == [
        ("seed-0", {"seed": 0}, 0), ("seed-1", {"seed": 1}, 1),
    ]  # fmt: skip
    assert (series.finished, series.config.train.epochs) == (("seed-1",), 2)
    (tmp_path / NAME).write_text(VARIED)
    assert [(each.name, each.config.data.deslant, each.config.model.hidden) for each in read(tmp_path).members] == [
        ("one", True, (5,)), ("two", False, (1024,)),
    ]  # fmt: skip


def test_a_series_of_seeds_is_what_the_old_version_reads(tmp_path: Path) -> None:
    """Version 0.1 knows these three keys, and seeds as those finished."""
    write(tmp_path, of_seeds(configuration.load("default", ["seed=9"]), (3, 0)).with_finished("seed-0"))
    content = yaml.safe_load((tmp_path / NAME).read_text())
    assert (list(content), content["seeds"], content["finished"]) == (["seeds", "finished", "config"], [3, 0], [0])
    assert "seed" not in content["config"]
    assert (tmp_path / NAME).read_text().startswith("seeds: [3, 0]\nfinished: [0]\nconfig:\n")


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: (GOOD + text).encode()))
def test_any_bytes_are_a_series_or_one_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / NAME).write_bytes(content)
    try:
        assert read(folder).members
    except BpcliError as error:
        assert isinstance(error, CheckpointError)
