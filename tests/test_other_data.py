"""Data sets that are not MNIST, from training to the drawing page: 26 named classes, and digits of 20×20 pixels."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from bpcli.core.types import Bytes
from bpcli.data.datasets import Split
from bpcli.storage import checkpoint
from tests.conftest import idx_bytes

Bpcli = Callable[..., Result]
LETTERS = [f"the letter {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def write(folder: Path, training: tuple[Bytes, Bytes], test: tuple[Bytes, Bytes], names: list[str]) -> Path:
    """A folder with the four IDX files, and the names of the classes if there are some."""
    folder.mkdir()
    for prefix, (images, labels) in (("train", training), ("t10k", test)):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    if names:
        (folder / "classes.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares of 28×28: a pattern for each of 26 classes, and noise."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 200, (26, 28, 28))

    def some(n: int) -> tuple[Bytes, Bytes]:
        labels = (np.arange(n) % 26).astype(np.uint8)
        noisy = patterns[labels] + rng.integers(0, 55, (n, 28, 28))
        return noisy.astype(np.uint8), labels

    return write(tmp_path_factory.mktemp("data") / "letters", some(780), some(260), LETTERS)


@pytest.fixture(scope="module")
def small_digits(tmp_path_factory: pytest.TempPathFactory, small_split: Split) -> Path:
    """MNIST's digits made 20×20."""

    def shrunk(images: Bytes) -> Bytes:
        smaller = (Image.fromarray(image.reshape(28, 28)).resize((20, 20), Image.Resampling.BOX) for image in images)
        return np.stack([np.asarray(image) for image in smaller])

    training, test = slice(0, 400), slice(400, 500)
    return write(
        tmp_path_factory.mktemp("data") / "digits",
        (shrunk(small_split.images[training]), small_split.labels[training]),
        (shrunk(small_split.images[test]), small_split.labels[test]),
        [],
    )


def settings(folder: Path, *more: str) -> list[str]:
    some = [f"data.folder={folder}", "data.validation=100", "model.hidden=[24]", "train.batch_size=32", *more]
    return [part for setting in some for part in ("-s", setting)]


def images_of(folder: Path) -> Bytes:
    content = (folder / "t10k-images-idx3-ubyte").read_bytes()
    side = content[11]
    return np.frombuffer(content[16:], np.uint8).reshape(-1, side, side)


@pytest.fixture
def trained_on_letters(bpcli: Bpcli, letters: Path) -> Path:
    chosen = settings(letters, "train.epochs=12", "model.output=softmax", "loss=cross_entropy")
    assert bpcli("train", "-q", *chosen).exit_code == 0
    return Path("runs/default-1")


def test_letters_are_learned_and_said_by_name(bpcli: Bpcli, trained_on_letters: Path, letters: Path) -> None:
    spec = checkpoint.load(trained_on_letters / "best.npz").spec
    assert (spec.side, spec.classes, spec.digits) == (28, tuple(LETTERS), False)
    table = bpcli("evaluate").stdout
    assert "the letter q" in table
    assert "class         precision" in table
    found = json.loads(bpcli("evaluate", "--json").stdout)
    assert found["classes"] == LETTERS
    assert np.array(found["confusion"]).shape == (26, 26)
    assert found["accuracy"] > 0.9
    Image.fromarray(images_of(letters)[16]).save("q.png")
    assert bpcli("predict", "q.png").stdout.startswith("q.png: the letter q (score ")
    answer = json.loads(bpcli("predict", "--json", "q.png").stdout)
    assert list(answer) == ["file", "model", "class", "score", "scores"]
    assert (answer["class"], len(answer["scores"])) == ("the letter q", 26)
    shown = bpcli("predict", "--show", "q.png").stdout
    assert "the letter q █" in shown


def test_other_pictures_of_letters_are_fitted_into_the_square(
    bpcli: Bpcli, trained_on_letters: Path, letters: Path
) -> None:
    Image.fromarray(images_of(letters)[3]).resize((84, 84), Image.Resampling.NEAREST).save("large.png")
    Image.new("L", (50, 30), 90).save("blank.png")
    assert bpcli("predict", "large.png").stdout.startswith("large.png: the letter d (score ")
    blank = bpcli("predict", "blank.png")
    assert (blank.exit_code, blank.stdout[:20]) == (5, "blank.png: no class ")
    for arguments in (["predict", "--multi", "large.png"], ["evaluate", "--pictures"]):
        refused = bpcli(*arguments)
        assert refused.exit_code == 2
        assert "this network was trained on pictures of other things" in refused.stderr


def test_letters_in_the_report_the_tables_and_the_page(bpcli: Bpcli, trained_on_letters: Path) -> None:
    assert bpcli("report").exit_code == 0
    report = (trained_on_letters / "report.html").read_text(encoding="utf-8")
    assert report.count("the letter q") > 3
    assert "784-24-26" in report
    with (trained_on_letters / "report/classes.csv").open(encoding="utf-8") as file:
        assert [row["class"] for row in csv.DictReader(file)] == LETTERS
    assert bpcli("draw").exit_code == 0
    assert '"the letter q"' in Path("digit.html").read_text(encoding="utf-8")
    result = bpcli("evaluate", "--errors", "e.csv", "--errors-sheet", "e.png")
    assert result.exit_code == 0
    for row in csv.DictReader(Path("e.csv").read_text(encoding="utf-8").splitlines()):
        assert row["label"] in LETTERS


def test_a_run_on_letters_goes_on_and_checks(bpcli: Bpcli, trained_on_letters: Path, letters: Path) -> None:
    assert bpcli("train", "-q", "--resume", "--epochs", "13").exit_code == 0
    assert checkpoint.load(trained_on_letters / "last.npz").epoch == 13
    assert bpcli("check", *settings(letters)).exit_code == 0


@pytest.mark.parametrize(
    "more", [[], ["data.deslant=true", "data.width=12", "augment.rotation=10", "augment.elastic_alpha=20"]], ids=str
)
def test_digits_of_another_side(bpcli: Bpcli, small_digits: Path, more: list[str]) -> None:
    chosen = settings(small_digits, "train.epochs=8", "data.outliers=20", *more)
    assert bpcli("train", "-q", *chosen).exit_code == 0
    spec = checkpoint.load(Path("runs/default-1/best.npz")).spec
    assert (spec.side, spec.digits) == (20, True)
    assert json.loads(bpcli("evaluate", "--json").stdout)["accuracy"] > 0.5
    drawn = np.zeros((100, 100), np.uint8)
    drawn[21:80, 44:55] = 255
    Image.fromarray(drawn).save("one.png")
    answer = bpcli("predict", "--json", "--save-input", "seen", "--min-score", "0", "one.png")
    assert answer.exit_code == 0
    with Image.open("seen/0001-one-4-input.png") as picture:
        assert picture.size == (20, 20)
    for command in (["report"], ["draw"], ["augment", "-n", "20", "sheet.png", *chosen]):
        assert bpcli(*command).exit_code == 0
    assert "400-24-10" in Path("runs/default-1/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [["train", "-q"], ["augment", "sheet.png"], ["check"]], ids=str)
def test_a_width_that_the_images_do_not_have_is_refused(bpcli: Bpcli, small_digits: Path, command: list[str]) -> None:
    refused = bpcli(*command, *settings(small_digits, "data.width=21"))
    assert refused.exit_code == 3
    assert "data.width = 21: the images are 20 pixels wide; expected 4 to 20, or off" in refused.stderr


def test_networks_of_other_tasks_do_not_answer_together(
    bpcli: Bpcli, trained_on_letters: Path, small_digits: Path
) -> None:
    assert bpcli("train", "-q", "-o", "digits", *settings(small_digits, "train.epochs=1")).exit_code == 0
    result = bpcli("predict", "-m", trained_on_letters, "-m", "digits", "x.png")
    assert result.exit_code == 6
    assert "has other classes than" in result.stderr


def test_a_run_does_not_go_on_with_other_data(
    bpcli: Bpcli, trained_on_letters: Path, small_digits: Path, letters: Path
) -> None:
    """Neither with another side nor with other classes; and nothing in its folder changes."""
    before = {path.name: path.read_bytes() for path in trained_on_letters.iterdir() if path.is_file()}
    arguments = ["train", "--resume", "--epochs", "14", "-s", f"data.folder={small_digits}"]
    other_side = bpcli(*arguments)
    assert other_side.exit_code == 6
    assert "was trained on images of 28×28 pixels; these have 20×20" in other_side.stderr
    (letters / "classes.txt").write_text("\n".join([*LETTERS[:-1], "zed"]), encoding="utf-8")
    try:
        other_names = bpcli("train", "--resume", "--epochs", "14")
    finally:
        (letters / "classes.txt").write_text("\n".join(LETTERS) + "\n", encoding="utf-8")
    assert other_names.exit_code == 6
    assert "these are the letter a" in other_names.stderr
    assert {path.name: path.read_bytes() for path in trained_on_letters.iterdir() if path.is_file()} == before


def test_of_many_classes_the_most_frequent_mistakes_are_listed(bpcli: Bpcli, tmp_path: Path) -> None:
    """A matrix of 45 columns would be too wide for a terminal."""
    rng = np.random.default_rng(0)
    some = rng.integers(0, 256, (450, 8, 8), dtype=np.uint8), (np.arange(450) % 45).astype(np.uint8)
    folder = write(tmp_path / "noise", some, some, [f"class {n}" for n in range(45)])
    assert bpcli("train", "-q", *settings(folder, "train.epochs=1")).exit_code == 0
    *_, table = bpcli("evaluate").stdout.partition("most frequent mistakes\n")
    counts = [int(line.split()[0]) for line in table.splitlines()]
    assert len(counts) == 20
    assert counts == sorted(counts, reverse=True)
    assert all(" as class " in line for line in table.splitlines())
