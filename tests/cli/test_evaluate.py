import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from bpcli import resources
from bpcli.cli import evaluate as command
from bpcli.data.datasets import read_split
from bpcli.data.scenes.kinds import KINDS
from bpcli.errors import CheckpointError, OutputError


def test_json_is_the_count_of_what_the_network_answers(
    bpcli: Callable[..., Result], trained: Path, small_mnist: Path
) -> None:
    metrics = json.loads(bpcli("evaluate", "--json").stdout)
    with np.load(trained / "best.npz") as arrays:
        w1, b1, w2, b2 = (arrays[f"layer{n}.{kind}"].astype(float) for n in (1, 2) for kind in ("weight", "bias"))
        pixels = json.loads(str(arrays["meta"]))["input"]
    test = read_split(small_mnist, "test", 0)
    hidden = np.maximum((test.images / 255 - pixels["mean"]) / pixels["deviation"] @ w1 + b1, 0)
    answers = (hidden @ w2 + b2).argmax(axis=1)
    assert metrics["checkpoint"] == "runs/default-1/best.npz"
    assert (metrics["split"], metrics["n"]) == ("test", 200)
    assert metrics["classes"] == [*"0123456789"]
    assert metrics["errors"] == (answers != test.labels).sum()
    assert metrics["accuracy"] == pytest.approx((answers == test.labels).mean())
    for label in range(10):
        assert metrics["confusion"][label] == np.bincount(answers[test.labels == label], minlength=10).tolist()


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
        (["nowhere.npz"], "nowhere.npz: no such file, nor a run of that name"),
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
    metrics = json.loads(bpcli("evaluate", "--json", "--errors", "e.csv", "--errors-sheet", "e.png").stdout)
    header, *rows = Path("e.csv").read_text().splitlines()
    assert header == "index,label,prediction,score"
    assert len(rows) == metrics["errors"]
    scores = [float(row.split(",")[3]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    counted = [[0] * 10 for _ in range(10)]
    for row in rows:
        _, label, prediction, _ = row.split(",")
        counted[int(label)][int(prediction)] += 1
    assert all(metrics["confusion"][a][b] == counted[a][b] for a in range(10) for b in range(10) if a != b)
    with Image.open("e.png") as sheet:
        assert sheet.width > 1000


def test_a_sheet_of_mistakes_is_a_png(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("evaluate", "--errors-sheet", "e.jpg")
    assert result.exit_code == 2
    assert "'--errors-sheet': e.jpg: is written as PNG; its name should be e.png" in result.stderr
    assert not Path("e.jpg").exists()


def test_a_list_of_mistakes_that_cant_be_written(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("evaluate", "--errors", "nowhere/e.csv")
    assert result.exit_code == OutputError.exit_code
    assert "nowhere/e.csv: can't be written: No such file or directory" in result.stderr
    assert len(result.stderr.splitlines()) == 1


OTHERS = {
    "--errors": ("e.csv", b"index,label,prediction,score,note\n"),
    "--errors-sheet": ("e.png", b"\x89PNG\r\n\x1a\nbpcli sheet"),
}


@pytest.mark.parametrize("option", OTHERS)
def test_mistakes_replace_what_exists_only_by_force(bpcli: Callable[..., Result], trained: Path, option: str) -> None:
    name, content = OTHERS[option]
    Path(name).write_bytes(content)
    result = bpcli("evaluate", option, name)
    assert (result.exit_code, result.stdout, result.stderr) == (8, "", f"Error: {name}: exists; --force replaces it\n")
    assert Path(name).read_bytes() == content
    assert bpcli("evaluate", option, name, "--force").exit_code == 0
    made = Path(name).read_bytes()
    assert bpcli("evaluate", option, name, "--split", "train").exit_code == 0  # it replaces its own files
    assert Path(name).read_bytes() != made


def test_digits_in_pictures_kind_by_kind(bpcli: Callable[..., Result], trained: Path) -> None:
    result = json.loads(bpcli("evaluate", "--pictures", "--limit", "2", "--split", "validation", "--json").stdout)
    assert (result["checkpoint"], result["split"], result["n"]) == ("runs/default-1/best.npz", "validation", 2)
    assert list(result["kinds"]) == list(KINDS)
    for metrics in result["kinds"].values():
        assert metrics["accuracy"] == 1 - metrics["errors"] / 2
        assert 0 <= metrics["refused"] <= metrics["errors"]


def test_a_thousand_digits_are_put_into_pictures_unless_told_otherwise(
    bpcli: Callable[..., Result], small_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "by default 1,000" in " ".join(bpcli("evaluate", "--help").stdout.split())
    monkeypatch.setattr(command, "_PICTURED", 3)
    monkeypatch.setattr(command, "KINDS", {"plain": KINDS["plain"]})
    first = bpcli("evaluate", "--pictures").stdout.splitlines()[0]
    assert first.endswith("on the first 3 of 10,000 digits of the test split, in pictures")
    assert json.loads(bpcli("evaluate", "--pictures", "--json").stdout)["n"] == 3


def test_all_digits_are_not_called_the_first() -> None:
    result = {"checkpoint": "a.npz", "split": "test", "n": 1234, "kinds": {}}
    assert command._picture_table(result, 1234).startswith("a.npz on 1,234 digits of the test split, in pictures\n")


def test_the_network_that_comes_with_bpcli_reads_pictures(bpcli: Callable[..., Result]) -> None:
    result = bpcli("evaluate", "--pictures", "--limit", "2")
    assert result.stderr == ""
    rows = [line.split() for line in result.stdout.splitlines()[3:]]
    assert [row[0] for row in rows] == list(KINDS)
    assert sum(int(row[3]) for row in rows) <= 2
    first = result.stdout.splitlines()[0]
    assert first.endswith("pretrained on the first 2 of 10,000 digits of the test split, in pictures")


def test_the_network_that_comes_with_bpcli_is_as_good_as_its_docs_say(bpcli: Callable[..., Result]) -> None:
    metrics = json.loads(bpcli("evaluate", "--json").stdout)
    assert metrics["accuracy"] >= 0.992
    assert resources.pretrained().stat().st_size <= 2_000_000
    shown = f"{100 * metrics['accuracy']:.2f} %"
    assert shown in (Path(__file__).parents[2] / "docs/pictures.md").read_text()


@pytest.mark.parametrize("arguments", [["--limit", "3"], ["--pictures", "--errors", "e.csv"]])
def test_options_that_dont_go_together(bpcli: Callable[..., Result], arguments: list[str]) -> None:
    result = bpcli("evaluate", *arguments)
    assert result.exit_code == 2
    assert "--pictures" in result.stderr


@pytest.fixture
def three(bpcli: Callable[..., Result], trained: Path, small_settings: list[str]) -> list[str]:
    """Three networks of different sizes, activations and outputs, as a checkpoint and two runs."""
    others = {
        "tanh": ["seed=1", "model.hidden=[12, 11]", "model.activation=tanh", "data.normalize=unit"],
        "softmax": ["seed=2", "model.output=softmax", "loss=cross_entropy"],
    }
    for name, settings in others.items():
        arguments = [part for setting in [*small_settings, *settings] for part in ("-s", setting)]
        assert bpcli("train", "-q", "-o", name, *arguments).exit_code == 0
    return [str(trained / "best.npz"), "tanh", "softmax"]


def test_a_committee_and_its_members(bpcli: Callable[..., Result], three: list[str]) -> None:
    alone = [json.loads(bpcli("evaluate", source, "--json").stdout) for source in three]
    together = json.loads(bpcli("evaluate", *three, "--json", "--errors", "e.csv", "--errors-sheet", "e.png").stdout)
    kept = ("checkpoint", "n", "errors", "accuracy", "loss", "accuracy_interval")
    assert together["members"] == [{key: each[key] for key in kept} for each in alone]
    assert together.keys() == (alone[0].keys() - {"checkpoint"}) | {"members", "combine", "weights", "pairs"}
    assert (together["combine"], together["weights"]) == ("scores", None)
    assert together["loss"] is None
    assert together["errors"] == together["n"] - sum(together["confusion"][digit][digit] for digit in range(10))
    assert len(Path("e.csv").read_text().splitlines()) == together["errors"] + 1
    assert Path("e.png").stat().st_size > 1000
    lines = bpcli("evaluate", *three).stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == [each["checkpoint"] for each in alone]
    for line, each in zip(lines, alone, strict=False):
        assert f"errors {each['errors']:,} of 200   loss {each['loss']:.4f}" in line
    assert lines[3] == "committee of 3 on the test split"
    assert lines[4].startswith(
        f"accuracy {100 * together['accuracy']:.2f} %   errors {together['errors']} of 200   95 %"
    )
    assert "label ↓  answer →" in lines


def test_a_committee_by_logits_and_weights(bpcli: Callable[..., Result], three: list[str]) -> None:
    two = [*three[:2], "--combine", "logits", "--weights", "validation"]
    result = bpcli("evaluate", *two, "--json")
    found = json.loads(result.stdout)
    assert found["combine"] == "logits"
    assert sum(found["weights"]) == pytest.approx(1)
    assert result.stderr == (
        f"weights by validation: {found['weights'][0]:.3f} runs/default-1/best.npz + {found['weights'][1]:.3f} "
        "tanh/best.npz\n"
    )
    lines = bpcli("evaluate", *two).stdout.splitlines()
    assert lines[2] == "committee of 2 by the mean of logits, weighted, on the test split"
    assert f"   loss {found['loss']:.4f}   95 % interval " in lines[3]
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"]) == ("runs/default-1/best.npz", "tanh/best.npz")
    assert [*pair] == ["first", "second", "n01", "n10", "p"]
    assert lines[6].split() == [pair["first"], pair["second"], str(pair["n01"]), str(pair["n10"]), f"{pair['p']:.2g}"]
    assert "chosen on these images" in bpcli("evaluate", *two, "--split", "validation").stderr
    both = ("predict", "test:0", "--json", "-m", two[0], "-m", two[1])
    one, other = (json.loads(bpcli(*both, *options).stdout)["scores"] for options in ([], two[2:]))
    assert one != other


def test_members_without_a_common_output_are_refused_in_a_line(bpcli: Callable[..., Result], three: list[str]) -> None:
    for line in (["evaluate", *three], ["export", *three], ["predict", "test:0", "-m", three[0], "-m", three[2]]):
        result = bpcli(*line, "--combine", "logits")
        assert (result.exit_code, result.stdout) == (CheckpointError.exit_code, "")
        assert result.stderr.startswith(
            "Error: softmax/best.npz: has softmax and cross_entropy as output and loss, but "
        )
        assert len(result.stderr.splitlines()) == 1


def test_many_pairs_are_in_the_json_only() -> None:
    pairs = [{"first": "a", "second": "b", "n01": 3, "n10": 1, "p": 0.625}]
    assert len(command._pair_table(pairs * 15, 1)) == 17
    assert command._pair_table(pairs * 21, 1) == ["--json compares the 21 pairs of members", ""]
    assert command._pair_table([], 1) == []


def test_a_committee_reads_pictures(bpcli: Callable[..., Result], three: list[str]) -> None:
    arguments = ("--pictures", "--limit", "1", "--json")
    alone = json.loads(bpcli("evaluate", three[1], *arguments).stdout)
    together = json.loads(bpcli("evaluate", *three[:2], *arguments).stdout)
    assert list(together["kinds"]) == list(KINDS)
    assert together["members"][1] == {key: alone[key] for key in ("checkpoint", "n", "kinds")}
    lines = bpcli("evaluate", *three[:2], "--pictures", "--limit", "1").stdout.splitlines()
    wrong = sum(metrics["errors"] for metrics in alone["kinds"].values())
    assert lines[1].endswith(f"errors {wrong} of {len(KINDS)} in pictures of all kinds")
    assert lines[2] == "committee of 2 on the first 1 of 200 digits of the test split, in pictures"


def test_members_that_were_validated_on_other_images(
    bpcli: Callable[..., Result], trained: Path, small_settings: list[str]
) -> None:
    settings = [part for setting in [*small_settings, "data.validation=50"] for part in ("-s", setting)]
    bpcli("train", "-q", "-o", "other", *settings)
    result = bpcli("evaluate", trained, "other", "--split", "validation")
    assert result.exit_code == CheckpointError.exit_code
    assert result.stderr == (
        "Error: other/best.npz: data.validation = 50, but 100 in runs/default-1/best.npz; their validation splits are "
        "not the same images (their test splits are)\n"
    )
    assert bpcli("evaluate", trained, "other").exit_code == 0


def test_the_same_network_twice_is_usage(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("evaluate", trained, "runs/latest/best.npz")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: runs/latest/best.npz: is named twice; a network votes once\n"


def test_lists_and_sheets_of_errors_are_written_both_or_neither(bpcli: Callable[..., Result], trained: Path) -> None:
    same = bpcli("evaluate", "--errors", "e.png", "--errors-sheet", "e.png")
    assert same.exit_code == 2
    assert "Error: --errors and --errors-sheet name the same file\n" in same.stderr
    assert bpcli("evaluate", "--errors", "e.csv", "--errors-sheet", "nowhere/s.png").exit_code == 8
    assert not Path("e.csv").exists()
