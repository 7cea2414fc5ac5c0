"""`bpcli predict`: the same answers as `evaluate`, and what it says of pictures that are none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from bpcli.data.mnist import read_split
from bpcli.errors import CheckpointError, ImageError


@pytest.fixture
def pictures(small_mnist: Path, tmp_path: Path) -> list[Path]:
    """The test digits of the small data set, saved as PNG."""
    test = read_split(small_mnist, "test", 0)
    paths = [tmp_path / f"{index:03}.png" for index in range(len(test))]
    for path, pixels in zip(paths, test.images, strict=True):
        Image.fromarray(pixels.reshape(28, 28)).save(path)
    return paths


def test_saved_test_digits_score_what_evaluate_scores(
    bpcli: Callable[..., Result], trained: Path, pictures: list[Path], small_mnist: Path
) -> None:
    lines = bpcli("predict", "--json", *pictures).stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    labels = read_split(small_mnist, "test", 0).labels
    errors = sum(answer["digit"] != label for answer, label in zip(answers, labels, strict=True))
    assert errors == json.loads(bpcli("evaluate", "--json").stdout)["errors"]
    assert [answer["file"] for answer in answers] == [str(path) for path in pictures]
    for answer in answers:
        assert answer.keys() == {"file", "digit", "score", "scores"}
        assert answer["scores"][answer["digit"]] == answer["score"] == max(answer["scores"])
        assert len(answer["scores"]) == 10


def test_the_text_for_people(bpcli: Callable[..., Result], trained: Path, pictures: list[Path]) -> None:
    answer = json.loads(bpcli("predict", "--json", pictures[0]).stdout)
    expected = f"{pictures[0]}: {answer['digit']} (score {answer['score']:.3f})\n"
    for model in ([], ["-m", trained], ["-m", trained / "best.npz"]):
        assert bpcli("predict", pictures[0], *model).stdout == expected


def test_the_others_are_answered(bpcli: Callable[..., Result], trained: Path, pictures: list[Path]) -> None:
    Path("bad\n\x1b.png").write_bytes(b"nothing")
    Image.new("L", (30, 30), 255).save("blank.png")
    result = bpcli("predict", "bad\n\x1b.png", pictures[0], "missing.png", "blank.png", pictures[1])
    assert result.exit_code == ImageError.exit_code
    assert len(result.stdout.splitlines()) == 2
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == [
        "bad\\n\\x1b.png", "missing.png", "blank.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "complaint"), [([], "no run here yet"), (["-m", "x.npz"], "x.npz: can't be read")]
)
def test_without_a_network_there_is_no_answer(
    bpcli: Callable[..., Result], arguments: list[str], complaint: str
) -> None:
    result = bpcli("predict", "a.png", *arguments)
    assert result.exit_code == CheckpointError.exit_code
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
