"""Folders of pictures from the command line: training, its table, what is refused, and networks that use the names."""

import csv
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

import bpcli as library
from bpcli.data.datasets import Split
from bpcli.errors import BpcliWarning
from bpcli.storage import checkpoint
from tests.data.folder.made import picture, write

Bpcli = Callable[..., Result]
LONG = "light pictures, which are dark below and light above, the other way round"
SETTINGS = ["data.folder=pictures", "data.side=10", "model.hidden=[8]", "train.batch_size=16", "train.epochs=6",
            "optimizer.learning_rate=0.05"]  # fmt: skip
OPTIONS = [part for setting in SETTINGS for part in ("-s", setting)]


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty pictures of each of two classes, and an empty cache."""
    monkeypatch.setenv("BPCLI_CACHE_DIR", str(tmp_path / "cache"))
    return write(tmp_path / "pictures", {"dark": 40, LONG: 40})


def test_classes_are_counted_learned_and_said_by_name(bpcli: Bpcli, pictures: Path) -> None:
    (pictures / "dark" / ".hidden").touch()
    (pictures / "readme.txt").touch()
    trained = bpcli("train", "--json", *OPTIONS)
    assert trained.exit_code == 0
    assert json.loads(trained.stdout)["test_accuracy"] > 0.8
    first, heading, dark, light, total, skipped, *_ = trained.stderr.splitlines()
    assert first == "preparing 80 pictures"
    assert heading.split() == ["class", "training", "validation", "test"]
    assert light.startswith(LONG)
    counts = np.array([list(map(int, line.split()[-3:])) for line in (dark, light, total)])
    assert counts.sum(axis=1).tolist() == [40, 40, 80]
    assert np.array_equal(counts[0] + counts[1], counts[2])
    assert skipped == "skipped: 1 hidden, 1 not called like pictures"
    assert not Path("runs/default-1/refused.csv").exists()
    for split, column in (("train", 0), ("validation", 1), ("test", 2)):
        found = json.loads(bpcli("evaluate", "--json", "--split", split).stdout)
        assert np.array(found["confusion"]).sum(axis=1).tolist() == counts[:2, column].tolist()
    assert f"\n{LONG} " in bpcli("evaluate").stdout
    assert f"7.png: {LONG} (score" in bpcli("predict", pictures / LONG / "7.png").stdout
    assert json.loads(bpcli("predict", "--json", pictures / LONG / "7.png").stdout)["class"] == LONG
    for command in ("report", "draw"):
        assert bpcli(command).exit_code == 0
    for page in ("runs/default-1/report.html", "digit.html"):
        assert LONG in Path(page).read_text(encoding="utf-8")


def test_the_same_folder_elsewhere_gives_the_same_bytes_and_goes_on(
    bpcli: Bpcli, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bpcli("train", "-q", *OPTIONS).exit_code == 0
    for number, path in enumerate(sorted(pictures.rglob("*.png"), reverse=True)):
        place = tmp_path / "elsewhere" / "pictures" / path.parent.name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place / f"{number}.png")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert bpcli("train", "-q", *OPTIONS, "--epochs", "3").exit_code == 0
    again = bpcli("train", "--resume", "--epochs", "6")
    assert again.exit_code == 0
    assert "preparing" not in again.stderr
    first, second = (checkpoint.load(where / "runs/default-1/last.npz") for where in (tmp_path, Path()))
    assert np.array_equal(first.parameters, second.parameters)
    assert bpcli("train", "-q", *OPTIONS).exit_code == 0
    files = [where / "best.npz" for where in (tmp_path / "runs/default-1", Path("runs/default-2"))]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_pictures_that_can_not_be_used_are_listed_in_the_run(bpcli: Bpcli, pictures: Path) -> None:
    (pictures / "dark" / "3.png").write_bytes(b"")
    Image.new("1", (6000, 6000)).save(pictures / "dark" / "a, b.png")
    result = bpcli("train", "-q", *OPTIONS, "--epochs", "1")
    assert result.exit_code == 0
    assert "Warning: can't use dark/3.png: is empty; 1 more in refused.csv of the run" in result.stderr
    with Path("runs/default-1/refused.csv").open(encoding="utf-8") as file:
        assert [*csv.reader(file)] == [
            ["file", "reason"],
            ["dark/3.png", "is empty"],
            ["dark/a, b.png", "has 6,000×6,000 pixels; at most 32,000,000 are accepted"],
        ]
    picture(3).save(pictures / "dark" / "3.png")
    (pictures / "dark" / "a, b.png").unlink()
    assert bpcli("train", "-q", "--resume", "--epochs", "2").exit_code == 0
    assert not Path("runs/default-1/refused.csv").exists()


def test_a_folder_that_can_not_be_used_ends_with_a_line_and_leaves_nothing(bpcli: Bpcli, pictures: Path) -> None:
    for number in range(12):
        (pictures / "dark" / f"{number}.png").write_bytes(b"")
    for more in ([], ["--seeds", "0,1"]):
        result = bpcli("train", "-q", *OPTIONS, *more)
        assert result.exit_code == 4
        assert result.stderr == (
            "Error: pictures: 12 of 80 pictures can't be used, more than a tenth: dark/0.png: is empty; "
            "dark/1.png: is empty; dark/10.png: is empty; ...\n"
        )
    assert not Path("runs").exists()


def test_signs_are_prepared_as_digits_but_are_no_numerals(bpcli: Bpcli, small_split: Split) -> None:
    """Ones and sevens, black on larger paper; hands, outliers and answers as numbers are for all ten digits."""
    chosen = np.flatnonzero(np.isin(small_split.labels, (1, 7)))[:60]
    for index in chosen.tolist():
        place = Path("pictures") / str(small_split.labels[index])
        place.mkdir(parents=True, exist_ok=True)
        wide = 255 - np.pad(small_split.images[index].reshape(28, 28), ((3, 9), (8, 2)))
        Image.fromarray(wide).save(place / f"{index}.png")
    signs = [*OPTIONS, "-s", "data.side=28"]
    assert bpcli("train", "-q", *signs).exit_code == 0
    spec = checkpoint.load(Path("runs/default-1/best.npz")).spec
    assert (spec.digits, spec.numerals, spec.classes) == (True, False, ("1", "7"))
    one = next(Path("pictures/1").iterdir())
    assert json.loads(bpcli("predict", "--json", one).stdout).keys() == {"file", "model", "class", "score", "scores"}
    assert bpcli("predict", "--multi", one).stdout.startswith(f"{one}: 1 (lowest score")
    assert bpcli("evaluate", "--pictures", "--limit", "1").exit_code == 0
    refused = bpcli("train", "-q", *signs, "-s", "data.outliers=5")
    assert refused.exit_code == 3
    assert "data.outliers = 5 wants pictures of the digits 0 to 9, which these are not" in refused.stderr
    assert bpcli("train", "-q", "--resume", "-s", "data.side=20").exit_code == 3


def test_the_python_interface_trains_on_folders(bpcli: Bpcli, pictures: Path) -> None:
    shutil.copy(pictures / "dark" / "0.png", pictures / LONG / "copy.png")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", BpcliWarning)
        run = library.train(data={"folder": pictures, "side": 10}, model={"hidden": [8]}, epochs=1, progress=True)
    assert run.model.classes.tolist() == ["dark", LONG]
    assert "pictures that lie in several classes: 1; leave each in one" in [str(each.message) for each in found]
