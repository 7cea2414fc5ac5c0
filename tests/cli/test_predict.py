"""`bpcli predict`: the same answers as `evaluate`, and what it says of pictures that are none."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from bpcli.data.datasets import read_split
from bpcli.errors import ArgumentError, CheckpointError, ImageError, OutputError
from bpcli.storage import checkpoint


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
    lines = bpcli("predict", "--json", "--min-score", "0", *pictures).stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    labels = read_split(small_mnist, "test", 0).labels
    errors = sum(answer["digit"] != label for answer, label in zip(answers, labels, strict=True))
    assert errors == json.loads(bpcli("evaluate", "--json").stdout)["errors"]
    assert [answer["file"] for answer in answers] == [str(path) for path in pictures]
    for answer in answers:
        assert answer.keys() == {"file", "model", "digit", "class", "score", "scores"}
        assert answer["class"] == str(answer["digit"])
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
    result = bpcli("predict", "bad\n\x1b.png", pictures[0], "missing.png", "blank.png", ".", pictures[1])
    assert result.exit_code == ImageError.exit_code
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines() if line.startswith("Error")] == [
        "bad\\n\\x1b.png",
        "missing.png",
        ".",
    ]
    names = [line.partition(":")[0] for line in result.stdout.splitlines()]
    assert names == [str(pictures[0]), "blank.png", str(pictures[1])]
    assert result.stdout.splitlines()[1].startswith("blank.png: no digit (blank")


def test_what_cant_be_read_has_its_line_of_json_in_its_place(
    bpcli: Callable[..., Result], trained: Path, pictures: list[Path]
) -> None:
    Path("empty.png").touch()
    address = "HTTPS://example.org//a.png"
    files = [address, pictures[0], "empty.png", b"caf\xe9.png".decode(errors="surrogateescape"), pictures[1], "-"]
    result = bpcli("predict", "--json", "--save-input", "steps", *files, stdin=b"nothing")
    assert result.exit_code == ImageError.exit_code
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["file"] for line in lines] == [
        address, str(pictures[0]), "empty.png", "caf\\udce9.png", str(pictures[1]), "-",
    ]  # fmt: skip
    assert [line.get("error", "")[:60] for line in lines] == [
        "is a web address; download the picture first, then name its ", "", "is empty",
        "can't be read: No such file or directory", "", "not a picture of a known format (PNG, JPEG, BMP, GIF, WebP, ",
    ]  # fmt: skip
    assert [line.keys() for line in lines if "error" in line] == [{"file", "error"}] * 4
    assert result.stderr.count("Error: ") == 4
    assert f"Error: {address}: is a web address; download the picture first" in result.stderr
    assert {path.name.split("-")[0] for path in Path("steps").iterdir()} == {"0001", "0002"}


def test_no_digit_in_json(bpcli: Callable[..., Result], trained: Path, pictures: list[Path]) -> None:
    Image.new("L", (30, 30), 255).save("blank.png")
    result = bpcli("predict", "--json", "blank.png", pictures[0], "--min-score", "1")
    assert result.exit_code == ImageError.exit_code
    blank, unsure = (json.loads(line) for line in result.stdout.splitlines())
    assert (blank["digit"], blank["score"], blank["scores"]) == (None, None, None)
    assert unsure["digit"] is None
    assert unsure["score"] == max(unsure["scores"])
    assert unsure["reason"].startswith("no score reaches 1; the best, ")


def test_folders_and_standard_input(bpcli: Callable[..., Result], trained: Path, pictures: list[Path]) -> None:
    Path("folder/deeper").mkdir(parents=True)
    for index, name in enumerate(("folder/b.png", "folder/deeper/a.PNG", "folder/notes.txt")):
        Path(name).write_bytes(pictures[index].read_bytes())
    result = bpcli("predict", "--json", "-r", "folder", "-", stdin=pictures[0].read_bytes())
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["file"] for answer in answers] == ["folder/b.png", "folder/deeper/a.PNG", "-"]
    assert answers[0]["scores"] == pytest.approx(answers[2]["scores"])


def test_what_the_network_saw_is_shown_and_saved(
    bpcli: Callable[..., Result], trained: Path, pictures: list[Path], small_mnist: Path
) -> None:
    result = bpcli("predict", "--show", "--save-input", "steps", pictures[0])
    assert sum(line.startswith("|") for line in result.stdout.splitlines()) == 28
    pixels = read_split(small_mnist, "test", 0).images[0].reshape(28, 28)
    (saved,) = Path("steps").iterdir()
    with Image.open(saved) as picture:
        assert (np.asarray(picture) == pixels).all()
    large = Image.fromarray(255 - pixels).resize((300, 300))
    large.save("large.png")
    bpcli("predict", "--save-input", "more", "large.png")
    names = sorted(path.name for path in Path("more").iterdir())
    assert [name.rpartition("-")[2] for name in names] == [
        "picture.png",
        "ink.png",
        "digit.png",
        "strokes.png",
        "input.png",
    ]


def test_steps_that_cant_be_saved(bpcli: Callable[..., Result], trained: Path, pictures: list[Path]) -> None:
    result = bpcli("predict", "--save-input", pictures[1] / "in", pictures[0])
    assert result.exit_code == OutputError.exit_code
    assert "can't be made: Not a directory" in result.stderr


def test_without_the_network_that_was_named_there_is_no_answer(bpcli: Callable[..., Result]) -> None:
    result = bpcli("predict", "a.png", "-m", "x.npz")
    assert result.exit_code == CheckpointError.exit_code
    assert "x.npz: no such file" in result.stderr
    assert len(result.stderr.splitlines()) == 1


FOLDER = Path(__file__).parents[1] / "pictures"
DRAWN = sorted(path for path in FOLDER.iterdir() if path.suffix not in {".md", ".py", ".sh", ""})


def test_without_a_run_the_network_of_the_package_reads_what_was_drawn(bpcli: Callable[..., Result]) -> None:
    result = bpcli("predict", "--json", "--multi", *DRAWN)
    assert result.exit_code == 0
    assert result.stderr == "network: pretrained, which comes with bpcli, as no run has ended here\n"
    for path, line in zip(DRAWN, result.stdout.splitlines(), strict=True):
        assert json.loads(line)["number"] == path.name.split("-")[0]
    single = [path for path in DRAWN if path.name[1] == "-"]
    answers = map(json.loads, bpcli("predict", "--json", *single).stdout.splitlines())
    assert [str(answer["digit"]) for answer in answers] == [path.name[0] for path in single]


def test_the_network_that_answers_is_named(bpcli: Callable[..., Result], trained: Path, pictures: list[Path]) -> None:
    unnamed, named = bpcli("predict", "--json", pictures[0]), bpcli("predict", "--json", pictures[0], "-m", "default-1")
    better = "; trained without distortions; pretrained reads photographs better"
    assert unnamed.stderr == f"network: runs/default-1/best.npz{better}\n"
    assert named.stderr == "network: runs/default-1/best.npz\n"
    assert json.loads(unnamed.stdout)["model"] == json.loads(named.stdout)["model"] == "runs/default-1/best.npz"
    both = bpcli("predict", "--json", pictures[0], "-m", "pretrained", "-m", "latest")
    assert json.loads(both.stdout)["model"] == "pretrained + runs/default-1/best.npz"


def test_an_image_of_the_data_set_has_a_name(bpcli: Callable[..., Result], trained: Path, small_mnist: Path) -> None:
    shown = bpcli("predict", "--json", "test:3", "validation:0", "train:499", "--save-input", "in", "--min-score", "0")
    assert shown.exit_code == 0
    names, answers = ["test:3", "validation:0", "train:499"], [json.loads(line) for line in shown.stdout.splitlines()]
    assert [answer["file"] for answer in answers] == names
    saved = Image.open(next(Path("in").glob("0001-*-input.png")))
    digit = read_split(small_mnist, "test", 0).images[3]
    assert (np.asarray(saved).reshape(-1) == digit).all()
    expected = checkpoint.load(trained / "best.npz").model.scores(digit[None])[0]
    assert answers[0]["scores"] == pytest.approx(expected.tolist(), abs=1e-6)
    multi = json.loads(bpcli("predict", "--json", "--multi", "test:3").stdout)
    assert [digit["box"] for digit in multi["digits"]] == [[0, 0, 28, 28]]
    beyond = bpcli("predict", "test:200")
    assert (beyond.exit_code, beyond.stdout) == (ArgumentError.exit_code, "")
    assert beyond.stderr == "Error: test:200: the test split has 200 images, numbered from 0\n"
    Path("test:3").write_bytes(b"nothing")
    assert "test:3: not a picture of a known format" in bpcli("predict", "test:3").stderr


def test_a_network_that_learned_nothing_is_used_with_a_warning(
    bpcli: Callable[..., Result], small: list[str], pictures: list[Path]
) -> None:
    trained = bpcli("train", "-q", *small, "-s", "optimizer.learning_rate=1e-9")
    assert trained.exit_code == 0
    assert trained.stderr.startswith("Warning: this run learned nothing: the validation accuracy, ")
    assert "too few epochs, 2, for optimizer.learning_rate = 1e-09\n" in trained.stderr
    result = bpcli("predict", pictures[0])
    assert result.exit_code == 0
    warning = result.stderr.splitlines()[1]
    assert warning.startswith("Warning: runs/default-1/best.npz learned nothing: the validation accuracy, ")


def test_a_picture_of_several_digits_says_so_without_multi(bpcli: Callable[..., Result]) -> None:
    (number,) = (path for path in DRAWN if path.name[1] != "-")
    result = bpcli("predict", number)
    assert result.exit_code == ImageError.exit_code
    assert result.stdout == f"{number}: no digit (6 digits; --multi reads them all)\n"
    result = bpcli("predict", "--json", number)
    assert result.exit_code == ImageError.exit_code
    answer = json.loads(result.stdout)
    assert answer.pop("file") == str(number)
    assert answer.pop("model") == "pretrained"
    reason = answer.pop("reason")
    assert reason == "6 digits; --multi reads them all"
    assert set(answer) == {"digit", "class", "score", "scores"}
    assert set(answer.values()) == {None}


def test_many_pictures_are_answered_in_order_by_several_processes(
    bpcli: Callable[..., Result], pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [*pictures[:8], "missing.png", *pictures[8:16], "none.png"]
    with monkeypatch.context() as patch:
        patch.setattr("bpcli.inference.pictures.WORTH_A_PROCESS", 3)
        patch.setattr("bpcli.machine.usable_cores", lambda: 2)
        result = bpcli("predict", "--json", *named)
    names = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert names == [str(path) for path in named]
    assert [line.split(":")[1] for line in result.stderr.splitlines()[:2]] == [" missing.png", " none.png"]
    alone = bpcli("predict", "--json", *named)
    assert result.stdout == alone.stdout


def test_a_number_is_read_digit_by_digit(
    bpcli: Callable[..., Result], trained: Path, pictures: list[Path], small_mnist: Path
) -> None:
    digits = read_split(small_mnist, "test", 0).images[:4].reshape(-1, 28, 28)
    row = np.hstack([np.pad(digit, ((10, 10), (6, 6))) for digit in digits])
    Image.fromarray(255 - np.kron(row, np.ones((3, 3), np.uint8))).save("row.png")
    Image.new("L", (90, 40), 250).save("blank.png")
    result = bpcli("predict", "--multi", "--json", "--min-score", "0", "row.png", "blank.png")
    row_answer, blank = (json.loads(line) for line in result.stdout.splitlines())
    assert (blank["digits"], blank["number"]) == ([], "")
    assert result.exit_code == ImageError.exit_code
    boxes = [digit["box"] for digit in row_answer["digits"]]
    assert [left // 120 for left, _, _, _ in boxes] == [0, 1, 2, 3]
    assert all(0 <= box[1] < box[3] <= 144 for box in boxes)
    assert row_answer["number"] == "".join(str(digit["digit"]) for digit in row_answer["digits"])
    assert bpcli("predict", "--multi", "--min-score", "0", "row.png").stdout.startswith(
        f"row.png: {row_answer['number']} ("
    )


def test_a_committee_answers_by_the_mean_score(
    bpcli: Callable[..., Result], trained: Path, small_settings: list[str], pictures: list[Path]
) -> None:
    settings = [part for setting in [*small_settings, "seed=1", "model.hidden=[9, 8]"] for part in ("-s", setting)]
    bpcli("train", "-q", "-o", "other", *settings)

    def scores(*models: str) -> list[list[float]]:
        arguments = [part for model in models for part in ("-m", model)]
        lines = bpcli("predict", "--json", "--min-score", "0", *arguments, *pictures[:20]).stdout.splitlines()
        return [json.loads(line)["scores"] for line in lines]

    one, other = np.array(scores(str(trained))), np.array(scores("other"))
    np.testing.assert_allclose(scores(str(trained), "other"), (one + other) / 2, rtol=1e-5, atol=1e-7)


def test_a_committee_refuses_below_the_mean_of_its_least_scores(
    bpcli: Callable[..., Result], trained: Path, pictures: list[Path]
) -> None:
    loaded = checkpoint.load(trained / "best.npz")
    for name, least in (("all", 0.9), ("none", 0.5)):
        checkpoint.save(replace(loaded, metrics={"min_score": least}), Path(f"{name}.npz"))
    result = bpcli("predict", "--json", "-m", "all.npz", "-m", "none.npz", *pictures[:50])
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert {answer["digit"] is None for answer in answers} == {True, False}
    for answer in answers:
        assert (answer["digit"] is None) == (answer["score"] < 0.7)


def test_a_folder_without_pictures_is_said(bpcli: Callable[..., Result], trained: Path, pictures: list[Path]) -> None:
    Path("empty/deeper").mkdir(parents=True)
    result = bpcli("predict", "-r", "empty", pictures[0])
    assert result.exit_code == 5
    assert result.stderr.startswith("Error: empty: holds no picture\n")
    assert result.stdout.startswith(f"{pictures[0]}: ")
    assert json.loads(bpcli("predict", "--json", "-r", "empty").stdout) == {
        "file": "empty",
        "error": "holds no picture",
    }
    assert bpcli("predict", "empty").stderr == "Error: empty: is a folder; -r takes the pictures in it\n"
    Path("empty").chmod(0)
    if not os.access("empty", os.R_OK):  # who is root may read everything
        assert bpcli("predict", "-r", "empty").stderr == "Error: empty: can't be read: Permission denied\n"
    Path("empty").chmod(0o755)
