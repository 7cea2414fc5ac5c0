"""Kill -9 of a search and its workers at random moments: it goes on, and does nothing twice that was kept."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bpcli.storage import checkpoint, search_file, trials
from tests.children import HANGS
from tests.reliability.conftest import ROOT

MOMENTS = int(os.environ.get("BPCLI_MOMENTS", "30"))
TRIALS = 12
SPACE = """\
set: {data.folder: %s, data.validation: 30, model.hidden: [16], train.epochs: 60, train.batch_size: 5, train.threads: 1}
trials: 12
rungs: [6, 20]
space:
  optimizer.learning_rate: {min: 0.001, max: 1.0, log: true}
  model.activation: {values: [relu, tanh]}
"""
Start = Callable[..., subprocess.Popen[str]]


def rows(folder: Path) -> dict[str, list[str]]:
    """The rows of the epochs of each trial that are saved; their seconds tell whether an epoch was trained again."""
    return {
        path.parent.name: (path.parent / "metrics.csv").read_text().splitlines()[: 1 + checkpoint.load(path).epoch]
        for path in folder.glob("trial-*/last.npz")
    }


def searched(python: Start, where: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    where.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return python("bpcli", "search", "-q", *arguments, cwd=where, env=environment, start_new_session=True)


@pytest.mark.torture
@pytest.mark.parametrize("workers", [[], ["--workers", "2"]], ids=["here", "workers"])
def test_a_search_goes_on_from_every_kill(
    python: Start, tmp_path: Path, tiny_mnist: Path, workers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    pytest.importorskip("distributed")
    space, rng, kept = tmp_path / "space.yaml", random.Random(18), 0
    space.write_text(SPACE % tiny_mnist)
    whole = searched(python, tmp_path / "whole", space, *workers)
    start = begun(tmp_path / "whole")
    ended(whole)
    length = time.monotonic() - start
    for moment in range(MOMENTS):
        folder = tmp_path / str(moment) / "runs/search-1"
        with searched(python, tmp_path / str(moment), space, *workers) as process:
            begun(tmp_path / str(moment))
            time.sleep(rng.uniform(0, length))
            os.killpg(process.pid, signal.SIGKILL)
        before = rows(folder)
        out = ended(searched(python, tmp_path / str(moment), "--resume", folder, *workers))
        consistent(folder, out)
        after = rows(folder)
        for name, lines in before.items():
            assert after[name][: len(lines)] == lines
        kept += sum(len(lines) - 1 for lines in before.values())
    with capsys.disabled():
        sys.stdout.write(f"killed at {MOMENTS} moments of {length:.1f} s; {kept} epochs were kept, none done again\n")
    assert kept > MOMENTS


def begun(where: Path) -> float:
    """When the search has its folder."""
    while not search_file.is_search(where / "runs/search-1"):
        time.sleep(0.01)
    return time.monotonic()


def ended(process: subprocess.Popen[str]) -> str:
    """What a search prints that comes to its end."""
    out, err = process.communicate(timeout=HANGS)
    assert process.returncode == 0, err
    return out


def consistent(folder: Path, out: str) -> None:
    """Every trial is there once and read strictly; the best has been trained to its end."""
    search = search_file.read_folder(folder)
    found = trials.read(folder, search)
    assert [trial.number for trial in found] == list(range(TRIALS))
    assert sorted(path.name for path in folder.glob("trial-*")) == sorted(f"trial-{n}" for n in range(TRIALS))
    assert all(trial.state(search.rungs) in ("finished", "paused", "failed") for trial in found)
    assert trials.ranked(found, search)[0].finished
    assert len((folder / "trials.csv").read_text().splitlines()) == 1 + TRIALS
    assert list(folder.rglob("*.tmp")) == []
    assert f"{TRIALS} trials, " in out
