"""`bpcli report` from the outside: what it writes where, and what it refuses."""

import csv
import json
import shutil
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from msgspec import structs
from PIL import Image

from bpcli.errors import ArgumentError, CheckpointError, OutputError
from bpcli.storage import outcome

TABLES = {
    "answers.csv", "classes.csv", "confusion_matrix.csv", "layers.json", "mistakes.csv", "reliability.csv",
    "summary.json", "uncertain.csv", "units.csv",
}  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_latest_runs_report_lies_in_its_folder(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("report")
    assert (result.exit_code, result.stdout) == (0, "the report is in runs/default-1/report.html\n")
    assert (trained / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert {path.name for path in (trained / "report").iterdir()} == TABLES


def test_the_tables_say_what_evaluate_says(bpcli: Callable[..., Result], trained: Path) -> None:
    bpcli("report", trained, "-o", "somewhere.html")
    metrics = json.loads(bpcli("evaluate", "--json").stdout)
    folder = trained / "report"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["splits"]["test"]["accuracy"] == metrics["accuracy"]
    matrix = [[int(row[str(digit)]) for digit in range(10)] for row in rows(folder / "confusion_matrix.csv")]
    assert matrix == metrics["confusion"]
    assert [float(row["recall"]) for row in rows(folder / "classes.csv")] == metrics["recall"]
    answers = rows(folder / "answers.csv")
    assert len(answers) == metrics["n"]
    scores = np.array([[float(row[f"score_{digit}"]) for digit in range(10)] for row in answers])
    assert scores.argmax(axis=1).tolist() == [int(row["answer"]) for row in answers]
    assert sum(row["label"] != row["answer"] for row in answers) == metrics["errors"]
    assert len(rows(folder / "mistakes.csv")) == min(24, metrics["errors"])
    assert sum(int(row["right"]) + int(row["wrong"]) for row in rows(folder / "reliability.csv")) == metrics["n"]
    assert len(rows(folder / "units.csv")) == 16
    layers = json.loads((folder / "layers.json").read_text())
    assert [sum(layer["weights"]["counts"]) for layer in layers] == [784 * 16, 160]
    assert sum(layers[0]["log10_gradients"]["counts"]) + layers[0]["log10_gradients"]["zero"] == 784 * 16
    assert summary["dead_units"]["hidden layer 1"] == sum(int(row["dead"]) for row in rows(folder / "units.csv"))


def test_plots_as_files(bpcli: Callable[..., Result], trained: Path) -> None:
    assert bpcli("report", "--format", "png", "-o", "plots").exit_code == 0
    names = {"curves.png", "confusion_matrix.png", "weights.png", "errors.png"}
    assert {path.name for path in Path("plots").iterdir()} == names
    for name in names:
        with Image.open(Path("plots", name)) as picture:
            assert np.asarray(picture.convert("L")).std() > 5
    Image.new("L", (8, 8)).save("plots/weights.png")
    result = bpcli("report", "--format", "png", "-o", "plots")  # the first, curves.png, is its own
    assert (result.exit_code, result.stderr) == (8, "Error: plots/weights.png: exists; --force replaces it\n")


def test_several_runs(bpcli: Callable[..., Result], trained: Path, small_settings: list[str]) -> None:
    settings = [part for setting in [*small_settings, "model.hidden=[]"] for part in ("-s", setting)]
    bpcli("train", "-q", "-o", "other", *settings)
    scores = ",".join(f"{split}_{kind}" for split in ("train", "validation", "test") for kind in ("loss", "accuracy"))
    Path("comparison.csv").write_text(f"run,parameters,epochs,best_epoch,seconds,calibration_error,{scores}\n")
    assert bpcli("report", trained, "other").stdout == "the report is in comparison.html\n"
    compared = rows(Path("comparison.csv"))
    assert [row["run"] for row in compared] == ["default-1", "other"]
    assert [row["parameters"] for row in compared] == ["12730", "7850"]
    assert "model.hidden" in Path("comparison.html").read_text()
    Path("comparison.csv").write_text("run,note\n")
    result = bpcli("report", trained, "other")  # the page is its own
    assert (result.exit_code, result.stderr) == (8, "Error: comparison.csv: exists; --force replaces it\n")
    assert Path("comparison.csv").read_text() == "run,note\n"
    assert bpcli("report", trained, "other", "--format", "png").exit_code == 2


def test_without_validation_or_mistakes_there_is_less_to_see(
    bpcli: Callable[..., Result], small_settings: list[str]
) -> None:
    settings = [part for setting in [*small_settings, "data.validation=0"] for part in ("-s", setting)]
    bpcli("train", "-q", *settings)
    assert bpcli("report").exit_code == 0
    assert "validation" not in json.loads(Path("runs/default-1/report/summary.json").read_text())["splits"]


def test_what_exists_is_replaced_only_by_force(bpcli: Callable[..., Result], trained: Path) -> None:
    Path("mine.html").write_text("mine")
    result = bpcli("report", "-o", "mine.html")
    assert (result.exit_code, result.stderr) == (8, "Error: mine.html: exists; --force replaces it\n")
    assert Path("mine.html").read_text() == "mine"
    assert bpcli("report", "-o", "mine.html", "--force").exit_code == 0
    made = Path("mine.html").read_text()
    Path("mine.html").write_text(made.replace('<meta name="generator" content="bpcli report">\n', ""))  # as version 0.1
    assert bpcli("report", "-o", "mine.html").exit_code == 0
    assert Path("mine.html").read_text() == made


def test_the_browser_is_shown_the_file(
    bpcli: Callable[..., Result], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    bpcli("report", "-o", "a b.html", "--open")
    assert opened == [Path("a b.html").resolve().as_uri()]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ([], CheckpointError.exit_code, "there is no finished run here yet"),
        (["nowhere"], CheckpointError.exit_code, "nowhere: no such file, nor a run of that name"),
        (["empty"], CheckpointError.exit_code, "empty: holds no best.npz; no epoch of this run was finished"),
        (["file.npz"], CheckpointError.exit_code, "file.npz: not the folder of a run"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    bpcli: Callable[..., Result], arguments: list[str], code: int, complaint: str
) -> None:
    Path("empty").mkdir()
    Path("file.npz").write_bytes(b"something")
    result = bpcli("report", *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not Path("report.html").exists()


def test_a_run_that_learned_nothing_says_so_at_the_top(bpcli: Callable[..., Result], trained: Path) -> None:
    bpcli("report")
    assert "learned nothing" not in (trained / "report.html").read_text(encoding="utf-8")
    ended = outcome.read(trained)
    assert ended is not None
    outcome.write(trained, structs.replace(ended, warning="this run learned <nothing>"))
    bpcli("report")
    assert "this run learned &lt;nothing&gt;" in (trained / "report.html").read_text(encoding="utf-8")
    outcome.remove(trained)
    bpcli("report", "default-1", "default-1", "-o", "both.html")
    assert "learned nothing" not in Path("both.html").read_text(encoding="utf-8")


def test_a_folder_is_no_file(bpcli: Callable[..., Result], trained: Path) -> None:
    result = bpcli("report", "-o", trained)
    assert (result.exit_code, result.stderr.splitlines()) == (
        OutputError.exit_code, ["Error: runs/default-1: is a folder; -o names the file to write"],
    )  # fmt: skip


@pytest.mark.parametrize("missing", [["jinja2"], ["matplotlib"], ["jinja2", "matplotlib"]], ids=" ".join)
def test_a_missing_package_says_how_to_install_it(
    bpcli: Callable[..., Result], trained: Path, monkeypatch: pytest.MonkeyPatch, missing: list[str]
) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    result = bpcli("report")
    assert result.exit_code == OutputError.exit_code
    assert result.stderr == (
        f"Error: the report needs {' and '.join(missing)}; install with: pip install {' '.join(missing)}\n"
    )


@pytest.mark.parametrize(
    ("out", "code", "complaint"),
    [
        (".", OutputError.exit_code, ".: is a folder; -o names the file to write"),
        (
            "x.csv",
            ArgumentError.exit_code,
            "x.csv: the table beside the page has this name; -o names the page, such as x.html",
        ),
    ],
)
def test_names_that_no_page_can_have(
    bpcli: Callable[..., Result], trained: Path, out: str, code: int, complaint: str
) -> None:
    shutil.copytree(trained, "other")
    result = bpcli("report", trained, "other", "-o", out)
    assert (result.exit_code, result.stderr) == (code, f"Error: {complaint}\n")
    assert not Path("x.csv").exists()
    alone = bpcli("report", trained, "-o", ".")
    assert (alone.exit_code, alone.stderr) == (8, "Error: .: is a folder; -o names the file to write\n")
