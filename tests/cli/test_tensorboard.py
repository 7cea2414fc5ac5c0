"""`bpcli train --tensorboard` from the outside: what the log holds, going on, and what stands in its way."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from bpcli import config as configuration
from bpcli.errors import OutputError
from bpcli.storage import files, metrics_csv
from bpcli.training.events import Step
from bpcli.training.run import recorded_training
from bpcli.training.tensorboard import TensorBoard
from tests.storage.events import decoded, logged, scalars

EXACT = ("best.npz", "last.npz", "config.yaml", "result.json")


def by_column(folder: Path) -> dict[tuple[str, int], float]:
    """The numbers in metrics.csv, by column and epoch."""
    return {
        (name, int(row["epoch"] or 0)): value
        for row in metrics_csv.read(folder)
        for name, value in row.items()
        if name != "epoch" and value is not None
    }


def six_digits(numbers: dict[tuple[str, int], float]) -> dict[tuple[str, int], str]:
    return {key: f"{value:.6g}" for key, value in numbers.items()}


def test_the_log_holds_what_metrics_csv_does_and_changes_no_file(
    bpcli: Callable[..., Result], small: list[str], trained: Path
) -> None:
    result = bpcli("train", "-q", *small, "--tensorboard")
    assert (result.exit_code, result.stderr) == (0, "")
    run = Path("runs/default-2")
    assert six_digits(scalars(run, "epoch")) == six_digits(by_column(run))
    batches = scalars(run, "batch")
    assert {name for name, _ in batches} == {"loss", "accuracy"}
    assert max(step for _, step in batches) == 2 * 8
    tags = {(each.tag, each.step) for each in logged(run)}
    layers = [f"layer{number}.{name}" for number in (1, 2) for name in ("weight", "bias")]
    histograms = {f"{part}/{layer}" for part in ("parameters", "gradients") for layer in layers}
    assert {(tag, epoch) for tag in histograms | {"mistakes"} for epoch in (1, 2)} <= tags
    (text,) = (each for each in logged(run) if each.tag == "configuration")
    assert "    hidden: [16]\n" in dict(decoded(text.fields[8]))[8].decode()
    assert [(run / name).read_bytes() for name in EXACT] == [(trained / name).read_bytes() for name in EXACT]


def test_a_run_that_was_killed_and_goes_on_has_no_step_twice(
    bpcli: Callable[..., Result], small_settings: list[str], trained: Path
) -> None:
    log = TensorBoard()
    for event in recorded_training(configuration.load("default", small_settings), "run", Path("whole")):
        log.handle(event)
        if isinstance(event, Step) and event.epoch == 1 and not Path("killed").exists():
            log.close()
            shutil.copytree("whole", "killed")
    assert 8 + 1 in {step for _, step in scalars(Path("killed"), "batch")}
    assert bpcli("train", "-q", "--resume", "killed", "--tensorboard").exit_code == 0
    assert by_column(Path("killed")).keys() == scalars(Path("killed"), "epoch").keys()
    batches = scalars(Path("killed"), "batch")
    assert max(step for _, step in batches) == 2 * 8
    tags = [(each.tag, each.step) for each in logged(Path("killed"))]
    assert len(tags) == len(set(tags))


def test_each_run_of_a_series_has_its_own_log_where_none_was(
    bpcli: Callable[..., Result], small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bpcli("train", "-q", *small, "--epochs", "1", "--seeds", "3,0", "--tensorboard", "logs/mine").exit_code == 0
    for seed in (3, 0):
        run = Path(f"runs/default-1/seed-{seed}")
        assert six_digits(scalars(Path(f"logs/mine/seed-{seed}"), "epoch")) == six_digits(by_column(run))
        assert not list(run.glob("*tfevents*"))
    result = bpcli("train", "-q", *small, "--tensorboard", "logs/mine")
    assert (result.exit_code, result.stderr) == (
        OutputError.exit_code,
        "Error: logs/mine: holds the log of another run; --tensorboard wants a folder without one\n",
    )
    Path("file").touch()
    result = bpcli("train", "-q", *small, "--tensorboard", "file")
    assert (result.exit_code, result.stderr) == (
        OutputError.exit_code, "Error: file: is not a folder; --tensorboard names the folder of a log\n",
    )  # fmt: skip
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    result = bpcli("train", "-q", *small, "--tensorboard", "closed")
    assert (result.exit_code, result.stderr) == (
        OutputError.exit_code, "Error: closed: can't be written to; --tensorboard wants a folder that can\n",
    )  # fmt: skip
    assert [path.name for path in Path("runs").iterdir() if not path.is_symlink()] == ["default-1"]


def test_a_full_disk_stops_the_training_in_one_line_and_keeps_the_run(
    bpcli: Callable[..., Result], small: list[str], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = files.append

    def full(path: Path, content: bytes, *rest: Any) -> None:
        if "tfevents" in path.name and (path.parent / "metrics.csv").read_text().count("\n") > 1:
            raise files.cannot_write(path, OSError(28, "No space left on device"))
        append(path, content, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(files, "append", full)
        result = bpcli("train", "-q", *small, "--tensorboard")
    assert result.exit_code == OutputError.exit_code
    assert result.stderr.startswith("Error: runs/default-2/events.out.tfevents.")
    assert result.stderr.endswith(": can't be written: No space left on device\n")
    assert bpcli("train", "-q", "--resume", "runs/default-2").exit_code == 0
    again = Path("runs/default-2")
    assert [(again / name).read_bytes() for name in EXACT] == [(trained / name).read_bytes() for name in EXACT]
