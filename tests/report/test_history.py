"""Runs read from their folders, whole and damaged."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from bpcli.errors import CheckpointError
from bpcli.report.history import read_run
from bpcli.storage.metrics_csv import COLUMNS


def test_a_run_is_what_its_folder_holds(small_run: Path) -> None:
    run = read_run(str(small_run))
    assert run.name == "<b>a & 'b'"
    rows = [line.split(",") for line in (small_run / "metrics.csv").read_text().splitlines()[1:]]
    assert run.column("epoch") == [1, 2]
    assert run.column("validation_accuracy") == [float(row[COLUMNS.index("validation_accuracy")]) for row in rows]
    assert run.seconds == pytest.approx(sum(float(row[-1]) for row in rows))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have only names in Unicode")
def test_a_name_that_is_not_unicode_can_be_printed(small_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    shutil.copytree(small_run, folder)
    assert read_run(str(folder)).name == "caf\\udce9"


def test_a_run_without_metrics(small_run: Path, tmp_path: Path) -> None:
    shutil.copy(small_run / "best.npz", tmp_path)
    with pytest.raises(CheckpointError, match=r"metrics\.csv: can't be read: No such file"):
        read_run(str(tmp_path))
    with pytest.raises(CheckpointError, match=r"best\.npz: not the folder of a run"):
        read_run(str(tmp_path / "best.npz"))
