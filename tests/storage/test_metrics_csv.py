"""metrics.csv, read: whole, damaged, and while it is written."""

from pathlib import Path

import pytest

from bpcli.errors import CheckpointError
from bpcli.storage import metrics_csv
from bpcli.storage.metrics_csv import COLUMNS

HEADER = ",".join(COLUMNS)


def test_empty_validation_figures_are_none(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(f"{HEADER}\n1,0.1,0.5,0.9,,,,1.5\n")
    (row,) = metrics_csv.read(tmp_path)
    assert (row["validation_loss"], row["train_accuracy"]) == (None, 0.9)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no epoch of this run was finished"),
        (HEADER + "\n", "no epoch of this run was finished"),
        ("epoch,loss\n1,2\n", "its columns are not epoch, learning_rate"),
        (HEADER + "\n1,0.1,0.5\n", "line 2: expected 8 finite numbers"),
        (HEADER + "\n1,0.1,nan,0.9,,,,1.5\n", "line 2: expected 8 finite numbers"),
        (HEADER + "\n1,0.1,,0.9,,,,1.5\n", "line 2: train_loss is empty"),
        (HEADER + "\n1,0.1,0.5é,0.9,,,,1.5\n", "line 2: expected 8 finite numbers"),
    ],
)
def test_damaged_metrics_are_named(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(content)
    with pytest.raises(CheckpointError, match=complaint):
        metrics_csv.read(tmp_path)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"\xff" + HEADER.encode())
    with pytest.raises(CheckpointError, match=r"not the metrics of a run: .* can't decode byte 0xff"):
        metrics_csv.read(tmp_path)


def test_metrics_that_a_spreadsheet_has_saved_are_read_and_repaired(tmp_path: Path) -> None:
    path, ours = tmp_path / "metrics.csv", f"{HEADER}\n1,0.1,0.5,0.9,,,,1.5\n2,0.1,0.4,0.9,,,,1.5\n"
    path.write_text(ours, encoding="utf-8-sig", newline="\r\n")
    assert [row["train_loss"] for row in metrics_csv.read(tmp_path)] == [0.5, 0.4]
    metrics_csv.repair(tmp_path, 2)
    assert path.read_bytes() == ours.encode()


def test_a_row_that_is_being_written_is_none(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(f"{HEADER}\n1,0.1,0.5,0.9,,,,1.5\n2,0.1,0.5,0.")
    assert [row["epoch"] for row in metrics_csv.read(tmp_path)] == [1]


OLD = "epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds"


def test_a_file_of_a_version_that_counted_no_dead_units_is_read_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(f"{OLD}\n1,0.1,0.5,0.9,0.4,0.8,1.5\n2,0.1,0.4,0.9,,,2.5\n3,0.1,0.")
    rows = metrics_csv.read(tmp_path)
    assert [(row["dead_units"], row["validation_accuracy"], row["seconds"]) for row in rows] == [
        (None, 0.8, 1.5), (None, None, 2.5),
    ]  # fmt: skip
    metrics_csv.repair(tmp_path, 2)
    assert path.read_text() == f"{HEADER}\n1,0.1,0.5,0.9,0.4,0.8,,1.5\n2,0.1,0.4,0.9,,,,2.5\n"
    assert metrics_csv.read(tmp_path) == rows
