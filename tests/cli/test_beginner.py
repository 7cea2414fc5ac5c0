"""Twenty-odd mistakes that a beginner makes, written down before any was mended: each is one line that says what to do.

A line begins with `Error:`; wrong usage of the command line (exit code 2) adds where the help is.
"""

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import pytest
from click.testing import Result

from bpcli import resources

PICTURES = Path(__file__).parents[1] / "pictures"

MISTAKES: list[tuple[str, int, str]] = [
    # what is typed after `bpcli`, the exit code, and what the line must say
    ("trian", 2, "No such command 'trian'; did you mean bpcli train?"),
    ("fit", 2, "No such command 'fit'; did you mean bpcli train?"),
    ("photo.jpg", 2, "No such command 'photo.jpg'; did you mean bpcli predict photo.jpg?"),
    ("--epochs 3", 2, "No such option '--epochs'; options of a command come after its name, as in: bpcli train -c"),
    (
        "train mnist",
        2,
        "train takes no argument such as 'mnist'; a preset or a file comes after -c, a setting after -s",
    ),
    ("train quick", 2, "train takes no argument such as 'quick'; did you mean -c quick?"),
    ("train train.epochs=3", 2, "train takes no argument such as 'train.epochs=3'; did you mean -s train.epochs=3?"),
    ("train -s train.epochs 3", 2, "takes no argument such as '3'; a preset or a file comes after -c, a setting after"),
    ("train -s train.epochs:3", 3, "-s train.epochs:3: expected KEY=VALUE, such as train.epochs=3"),
    ("train -s", 2, "Option '-s' requires an argument: -s KEY=VALUE"),
    ("train --epoch 3", 2, "No such option '--epoch'; did you mean --epochs?"),
    ("train --lr 0.1", 2, "No such option '--lr'; did you mean -s optimizer.learning_rate=0.1?"),
    ("train -lr 0.1", 2, "No such option '-lr'; did you mean -s optimizer.learning_rate=0.1?"),
    ("check --batch-size=32", 2, "No such option '--batch-size'; did you mean -s train.batch_size=32?"),
    ("train --hidden 100", 2, "No such option '--hidden'; did you mean -s 'model.hidden=[100]'?"),
    ("train --preset quick", 2, "No such option '--preset'; did you mean --config?"),
    ("predict --lr 0.1 photo.jpg", 2, "No such option '--lr'."),
    ("train --epochs 0", 2, "Invalid value for '--epochs': 0 is not in the range"),
    ("train --epochs ten", 2, "Invalid value for '--epochs': 'ten' is not a valid integer"),
    ("train -s train.epochs=ten", 3, "train.epochs = ten: expected int, got str"),
    ("train -s optimizer.lr=0.1", 3, "unknown key optimizer.lr; did you mean optimizer.learning_rate?"),
    ("train -s lr=0.1", 3, "unknown key lr; did you mean optimizer.learning_rate?"),
    ("train -s model.hidden=100", 3, "model.hidden = 100: expected list, got int; did you mean [100]?"),
    ("train -s model.hidden=300,100", 3, "model.hidden = 300,100: expected list, got str; did you mean [300, 100]?"),
    ("train -s optimizer=adam", 3, "expected keys and values; did you mean optimizer.kind=adam?"),
    ("train -s optimizer.kind=sgd", 3, "expected one of momentum, adam, adamw; did you mean momentum?"),
    ("train -c mine.yaml", 3, "mine.yaml: unknown key model.hidden_layer_sizes; did you mean model.hidden?"),
    ("train -c quik", 3, "did you mean quick?"),
    (
        "train -c photo.jpg",
        3,
        "photo.jpg: not a text file; -c wants a preset (see `bpcli config --list`) or a YAML file",
    ),
    ("train -c afolder", 3, "'afolder' is a folder; -c wants a preset (see `bpcli config --list`) or a YAML file"),
    ("train -o afolder", 8, "afolder: exists and is not an empty folder; --out wants a new or an empty one"),
    ("train --seeds 0-4", 2, "--seeds 0-4: expected seeds such as 0..6, 0,3,5 or 4"),
    ("train --seed 3", 2, "No such option '--seed'; did you mean -s seed=3?"),
    ("train --resume", 6, "there is no run here yet; `bpcli train` makes one"),
    ("train --resume afolder", 6, "afolder: not the folder of a run"),
    ("report", 6, "there is no finished run here yet; `bpcli train` makes one"),
    ("predict", 2, "Missing argument 'IMAGE...'; for example: bpcli predict photo.png"),
    ("predict nothere.png", 5, "nothere.png: can't be read: No such file or directory"),
    ("predict afolder", 5, "afolder: is a folder; -r takes the pictures in it"),
    ("predict notes.txt", 5, "notes.txt: not a picture of a known format (PNG, JPEG, BMP, GIF, WebP, TIFF, PGM)"),
    ("predict model.npz", 5, "not a picture of a known format (PNG, JPEG, BMP, GIF, WebP, TIFF, PGM); a network comes"),
    ("predict -m photo.jpg photo.jpg", 6, "photo.jpg: a picture, not a checkpoint"),
    ("evaluate photo.jpg", 6, "photo.jpg: a picture, not a checkpoint; `bpcli predict` reads pictures"),
    ("evaluate notes.txt", 6, "notes.txt: not a checkpoint of bpcli, or damaged"),
    ("evaluate --split tests", 2, "Invalid value for '--split': 'tests' is not one of 'test', 'validation', 'train'"),
    ("draw -o nowhere/digit.html", 8, "there is no folder nowhere; make it first"),
    ("augment", 2, "Missing argument 'OUT.png'; for example: bpcli augment"),
    ("explain a*b", 2, "a has no value; add one, such as a=2"),
    ("explain a*b a 2", 2, "a: expected NAME=VALUE, such as x=0.5"),
    ("completion", 2, "Missing argument '{bash|zsh|fish}'; for example: bpcli completion bash"),
    ("config --lst", 2, "No such option '--lst'; did you mean --list?"),
]


MISTAKES += [("x" * 300, 2, "No such command"), ("train " + "x" * 300, 2, "train takes no argument such as 'xxx")]


@pytest.fixture
def things(bpcli: Callable[..., Result]) -> Callable[..., Result]:
    """Runs a command line in a folder with a picture, a text, a configuration, a checkpoint and a folder."""
    Path("afolder").mkdir()
    for picture in ("photo.jpg", "afolder/photo.jpg"):
        copyfile(PICTURES / "2-chalk.jpg", picture)
    Path("notes.txt").write_text("hello\n")
    Path("mine.yaml").write_text("model: {hidden_layer_sizes: [100]}\n")
    copyfile(resources.pretrained(), "model.npz")
    return bpcli


@pytest.mark.parametrize(("typed", "code", "advice"), MISTAKES, ids=[typed[:30] for typed, _, _ in MISTAKES])
def test_a_mistake_is_one_line_that_says_what_to_do(
    things: Callable[..., Result], typed: str, code: int, advice: str
) -> None:
    result = things(*typed.split())
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    others = [line for line in result.stderr.splitlines() if not line.startswith("Error: ")]
    assert (result.exit_code, len(errors)) == (code, 1)
    assert advice in errors[0]
    assert result.stdout == ""
    if not typed.startswith(("predict", "draw")):  # which say which network answers
        assert len(others) == (code == 2 and "Try '" in result.stderr)
