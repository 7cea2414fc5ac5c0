"""Small runs to interrupt."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bpcli import config as configuration
from bpcli.config import Config
from tests.children import children
from tests.conftest import write_mnist

# Signals, forks, locks and limits as POSIX has them: on Windows there is nothing of this to test.
collect_ignore_glob = ["test_*.py"] if os.name == "nt" else []

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tiny_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mnist(tmp_path_factory.mktemp("mnist") / "tiny", training=90, test=20)


@pytest.fixture(scope="session")
def tiny(tiny_mnist: Path) -> Config:
    """Two epochs of two steps, with a checkpoint after each step."""
    return configuration.load(
        "default",
        [
            f"data.folder={tiny_mnist}", "data.validation=30", "model.hidden=[3]", "train.epochs=2",
            "train.batch_size=40", "train.checkpoint_minutes=1e-9", "schedule.kind=cosine", "train.patience=5",
        ],
    )  # fmt: skip


@pytest.fixture
def tiny_file(tiny: Config, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(configuration.to_yaml(tiny))
    return path


@pytest.fixture
def python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a module of the tests or bpcli itself in a process of its own."""
    with children() as begin:

        def start(module: str, *arguments: str | Path, **options: object) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", module, *map(str, arguments)]
            settings = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            return begin(command, **settings | options)

        yield start
