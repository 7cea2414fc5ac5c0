"""Runs read from their folders, whole and damaged."""

import shutil
from pathlib import Path

import pytest

from bpcli.errors import CheckpointError
from bpcli.report.history import read_metrics, read_run
from bpcli.storage.metrics_csv import COLUMNS

HEADER = ",".join(COLUMNS)


def test_a_run_is_what_its_folder_holds(small_run: Path) -> None:
    run = read_run(str(small_run))
    assert run.name == "<b>a & 'b'"
    rows = [line.split(",") for line in (small_run / "metrics.csv").read_text().splitlines()[1:]]
    assert run.column("epoch") == [1, 2]
    assert run.column("validation_accuracy") == [float(row[COLUMNS.index("validation_accuracy")]) for row in rows]
    assert run.seconds == pytest.approx(sum(float(row[-1]) for row in rows))


def test_empty_validation_figures_are_none(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(f"{HEADER}\n1,0.1,0.5,0.9,,,1.5\n")
    (row,) = read_metrics(path)
    assert (row["validation_loss"], row["train_accuracy"]) == (None, 0.9)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no epoch of this run was finished"),
        (HEADER + "\n", "no epoch of this run was finished"),
        ("epoch,loss\n1,2\n", "its columns are not epoch, learning_rate"),
        (HEADER + "\n1,0.1,0.5\n", "line 2: expected 7 finite numbers"),
        (HEADER + "\n1,0.1,nan,0.9,,,1.5\n", "line 2: expected 7 finite numbers"),
        (HEADER + "\n1,0.1,,0.9,,,1.5\n", "line 2: train_loss is empty"),
        (HEADER + "\n1,0.1,0.5é\n", "not the metrics of a run"),
    ],
)
def test_damaged_metrics_are_named(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(content)
    with pytest.raises(CheckpointError, match=complaint):
        read_metrics(path)


def test_a_row_that_is_being_written_is_none(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(f"{HEADER}\n1,0.1,0.5,0.9,,,1.5\n2,0.1,0.5,0.")
    assert [row["epoch"] for row in read_metrics(path)] == [1]


def test_a_run_without_metrics(small_run: Path, tmp_path: Path) -> None:
    shutil.copy(small_run / "best.npz", tmp_path)
    with pytest.raises(CheckpointError, match=r"metrics\.csv: can't be read: No such file"):
        read_run(str(tmp_path))
    with pytest.raises(CheckpointError, match=r"best\.npz: not the folder of a run"):
        read_run(str(tmp_path / "best.npz"))
