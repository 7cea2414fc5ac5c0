import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from bpcli import resources
from bpcli.data.mnist import read_split
from bpcli.data.scenes.kinds import KINDS
from bpcli.errors import CheckpointError, OutputError


def test_json_is_the_count_of_what_the_network_answers(
    bpcli: Callable[..., Result], trained: Path, small_mnist: Path
) -> None:
    figures = json.loads(bpcli("evaluate", "--json").stdout)
    with np.load(trained / "best.npz") as arrays:
        w1, b1, w2, b2 = (arrays[f"layer{n}.{kind}"].astype(float) for n in (1, 2) for kind in ("weight", "bias"))
    test = read_split(small_mnist, "test", 0)
    hidden = np.maximum((test.images / 255 - 0.1307) / 0.3081 @ w1 + b1, 0)
    answers = (hidden @ w2 + b2).argmax(axis=1)
    assert figures["checkpoint"] == "runs/default-1/best.npz"
    assert (figures["split"], figures["n"]) == ("test", 200)
    assert figures["errors"] == (answers != test.labels).sum()
    assert figures["accuracy"] == pytest.approx((answers == test.labels).mean())
    for label in range(10):
        assert figures["confusion"][label] == np.bincount(answers[test.labels == label], minlength=10).tolist()


@pytest.mark.parametrize(("split", "n"), [("test", 200), ("validation", 100), ("train", 500)])
def test_every_split_of_a_run_or_a_checkpoint(bpcli: Callable[..., Result], trained: Path, split: str, n: int) -> None:
    for source in (trained, trained / "best.npz", "runs/latest"):
        assert json.loads(bpcli("evaluate", source, "--split", split, "--json").stdout)["n"] == n


def test_the_table_for_people(bpcli: Callable[..., Result], trained: Path) -> None:
    lines = bpcli("evaluate").stdout.splitlines()
    assert lines[0] == "runs/default-1/best.npz on the test split"
    assert lines[1].startswith("accuracy ")
    assert "digit  precision   recall  images" in lines
    assert "label ↓  answer →" in lines
    assert sum(int(line.rsplit(maxsplit=1)[1]) for line in lines[4:14]) == 200


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere.npz"], "nowhere.npz: can't be read: No such file"),
        (["."], "holds no best.npz"),
        (["file.npz"], "file.npz: not a checkpoint of bpcli"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(bpcli: Callable[..., Result], arguments: list[str], complaint: str) -> None:
    Path("file.npz").write_bytes(b"something else")
    result = bpcli("evaluate", *arguments)
    assert result.exit_code == CheckpointError.exit_code
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_split_that_was_not_kept(bpcli: Callable[..., Result], small_settings: list[str]) -> None:
    settings = [part for setting in [*small_settings, "data.validation=0"] for part in ("-s", setting)]
    bpcli("train", "-q", *settings)
    result = bpcli("evaluate", "--split", "validation")
    assert result.exit_code == CheckpointError.exit_code
    assert "kept no validation images" in result.stderr


def test_the_mistakes_are_written(bpcli: Callable[..., Result], trained: Path) -> None:
    figures = json.loads(bpcli("evaluate", "--json", "--errors", "e.csv", "--errors-sheet", "e.png").stdout)
    header, *rows = Path("e.csv").read_text().splitlines()
    assert header == "index,label,prediction,score"
    assert len(rows) == figures["errors"]
    scores = [float(row.split(",")[3]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    counted = [[0] * 10 for _ in range(10)]
    for row in rows:
        _, label, prediction, _ = row.split(",")
        counted[int(label)][int(prediction)] += 1
    assert all(figures["confusion"][a][b] == counted[a][b] for a in range(10) for b in range(10) if a != b)
    with Image.open("e.png") as sheet:
        assert sheet.width > 1000


def test_a_list_of_mistakes_that_cant_be_written(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("evaluate", "--errors", "nowhere/e.csv")
    assert result.exit_code == OutputError.exit_code
    assert "nowhere/e.csv: can't be written: No such file or directory" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_digits_in_pictures_kind_by_kind(bpcli: Callable[..., Result], trained: Path) -> None:
    result = json.loads(bpcli("evaluate", "--pictures", "--limit", "3", "--split", "validation", "--json").stdout)
    assert (result["checkpoint"], result["split"], result["n"]) == ("runs/default-1/best.npz", "validation", 3)
    assert list(result["kinds"]) == list(KINDS)
    for figures in result["kinds"].values():
        assert figures["accuracy"] == 1 - figures["errors"] / 3
        assert 0 <= figures["refused"] <= figures["errors"]


def test_the_network_that_comes_with_bpcli_reads_pictures(bpcli: Callable[..., Result]) -> None:
    result = bpcli("evaluate", "--pictures", "--limit", "4")
    assert result.stderr == "no run here yet: this is the network that comes with bpcli\n"
    rows = [line.split() for line in result.stdout.splitlines()[3:]]
    assert [row[0] for row in rows] == list(KINDS)
    assert sum(int(row[3]) for row in rows) <= 4
    first = result.stdout.splitlines()[0]
    assert first.endswith("pretrained.npz on 4 digits of the test split, in pictures")


def test_the_network_that_comes_with_bpcli_is_as_good_as_its_docs_say(bpcli: Callable[..., Result]) -> None:
    figures = json.loads(bpcli("evaluate", "--json").stdout)
    assert figures["accuracy"] >= 0.993
    assert resources.pretrained().stat().st_size <= 2_000_000
    shown = f"{100 * figures['accuracy']:.2f} %"
    assert shown in (Path(__file__).parents[2] / "docs/pictures.md").read_text()


@pytest.mark.parametrize("arguments", [["--limit", "3"], ["--pictures", "--errors", "e.csv"]])
def test_options_that_dont_go_together(bpcli: Callable[..., Result], arguments: list[str]) -> None:
    result = bpcli("evaluate", *arguments)
    assert result.exit_code == 2
    assert "--pictures" in result.stderr
