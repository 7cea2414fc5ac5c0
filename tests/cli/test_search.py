"""`bpcli search`, and series on workers, from the outside, as far as no further package is needed."""

from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from bpcli.cli import tally
from bpcli.cluster.engine import InProcess
from bpcli.report import search_page
from bpcli.search.run import recorded_search
from bpcli.storage import search_file, trials
from bpcli.training.events import RunEnded, Tally
from tests.reliability.disks import QUICK
from tests.search.samplers import near_the_best

SPACE = """\
set: {{data.folder: {data}, data.validation: 500, model.hidden: [5], train.epochs: 3, train.batch_size: 50}}
trials: 4
rungs: [1]
space:
  optimizer.learning_rate: {{min: 0.001, max: 1.0, log: true}}
  model.activation: {{values: [relu, tanh]}}
"""


@pytest.fixture
def space(bpcli: Callable[..., Result], small_mnist: Path) -> Path:
    path = Path("space.yaml")
    path.write_text(SPACE.format(data=small_mnist))
    return path


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages of the extras are not installed."""
    found = util.find_spec

    def find(name: str, package: str | None = None) -> Any:
        return None if name in ("distributed", "optuna") else found(name, package)

    for module in ("bpcli.cli.engines.find_spec",):
        monkeypatch.setattr(module, find)


@pytest.mark.usefixtures("lacking")
@pytest.mark.parametrize(
    ("arguments", "what", "package"),
    [
        (["train", "--seeds", "0..1", "--workers", "2"], "--workers", "distributed"),
        (["train", "--seeds", "0..1", "--scheduler", "tcp://h:1"], "--scheduler", "distributed"),
        (["search", "space.yaml"], "bpcli search", "optuna"),
    ],
)
def test_a_missing_package_is_said_before_anything_begins(
    bpcli: Callable[..., Result], space: Path, arguments: list[str], what: str, package: str
) -> None:
    result = bpcli(*arguments)
    assert result.exit_code == 10
    assert result.stderr == f"Error: {what} needs {package}; install it with: pip install {package}\n"
    assert not Path("runs").exists()


@pytest.mark.usefixtures("lacking")
def test_a_scheduler_that_the_environment_names_is_said(
    bpcli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://elsewhere:8786")
    result = bpcli("train", "--seeds", "0..1")
    said, complaint = result.stderr.splitlines()
    assert said.startswith(
        "DASK_SCHEDULER_ADDRESS names a scheduler: its workers train, as with --scheduler tcp://else"
    )
    assert complaint.startswith("Error: --scheduler needs distributed")
    assert "DASK" not in bpcli("train", "--seeds", "0..1", "--workers", "2").stderr


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("train --workers 2", "workers train the runs of a series, such as --seeds 0..9"),
        ("train --seeds 0..1 --workers 2 --scheduler tcp://h:1", "give one of them"),
        ("train --seeds 0..1 --workers 0", "0 is not in the range"),
        ("search", "Missing argument 'SPACE.yaml'"),
        ("search space.yaml --resume runs/search-1", "only --trials may change"),
    ],
)
def test_wrong_usage(bpcli: Callable[..., Result], typed: str, complaint: str) -> None:
    result = bpcli(*typed.split())
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_the_report_of_a_search(bpcli: Callable[..., Result], space: Path) -> None:
    search = search_file.read(space)
    list(recorded_search(search, None, InProcess(), _mixed, fs=QUICK))
    folder = Path("runs/search-1")
    result = bpcli("report", "search-1")
    assert result.stdout == "the report is in runs/search-1/report.html\n"
    page = (folder / "report.html").read_text()
    for text in ("history", "optimizer.learning_rate", "model.activation", "the worse two thirds pause"):
        assert text in page
    assert page.count('role="img"') == 4  # history, parallel coordinates, and two settings
    assert bpcli("report", "search-1").exit_code == 0
    assert bpcli("report", "search-1", "--format", "png").exit_code == 2
    assert len(trials.read(folder, search)) == 4


def _mixed(search: search_file.Search, found: Any) -> dict[str, object]:
    rate = near_the_best(search, found)["optimizer.learning_rate"]
    return {"optimizer.learning_rate": rate, "model.activation": ("relu", "tanh")[len(found) % 2]}


def test_a_search_without_a_result_has_a_report_too(space: Path) -> None:
    search = search_file.read(space)
    assert "0 trials, 0 epochs" in search_page.search_page(Path("x"), search, [])


def test_what_is_said_of_runs() -> None:
    assert tally.standing(Tally(2, 3, 1, 10, 5, 100)) == "2 running, 3 of 10 finished, 1 failed"
    assert tally.standing(Tally(2, 3, 0, 10, 5, 100)) == "2 running, 3 of 10 finished"
    ended = RunEnded("seed-1", 3, {"validation_accuracy": 0.98, "test_accuracy": 0.97})
    assert tally.ending(ended) == "seed-1: 3 epochs, validation accuracy 98.00 %, test accuracy 97.00 %"
    assert tally.ending(RunEnded("trial-1", 1, {}, finished=False)) == "trial-1: 1 epoch so far"
    assert tally.ending(RunEnded("trial-1", 1, {}, "diverged")) == "trial-1 failed: diverged"
