"""Clusters for the tests: small data, processes of their own with folders of their own, over the loopback interface."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.children import children
from tests.conftest import write_mnist
from tests.reliability.conftest import ROOT

LATEST = 60.0  # seconds within which a cluster must stand


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Settings of runs that take some seconds, so that there is time to kill something."""
    folder = write_mnist(tmp_path_factory.mktemp("mnist") / "small", 1500, 200)
    return [
        f"data.folder={folder}", "data.validation=500", "model.hidden=[32]", "train.epochs=60", "train.batch_size=8",
        "train.threads=1", "optimizer.learning_rate=0.003",
    ]  # fmt: skip


@pytest.fixture
def options(settings: list[str]) -> list[str]:
    return [part for setting in settings for part in ("-s", setting)]


@pytest.fixture
def start() -> Iterator[Callable[..., "subprocess.Popen[Any]"]]:
    """Starts a module in a process of its own, in a folder of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("DASK_SCHEDULER_ADDRESS", None)
    with children() as begin:

        def begun(
            module: str, *arguments: str | Path, cwd: Path, variables: Mapping[str, str] = {}, **options: Any
        ) -> "subprocess.Popen[Any]":
            cwd.mkdir(exist_ok=True, parents=True)
            command = [sys.executable, "-m", module, *map(str, arguments)]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            return begin(command, cwd=cwd, env=environment | dict(variables), **pipes | options)

        yield begun


class Cluster:
    """A scheduler and its workers, each a process with its own folder."""

    def __init__(self, start: Callable[..., "subprocess.Popen[Any]"], folder: Path) -> None:
        self._start, self._folder, self.workers = start, folder, list["subprocess.Popen[Any]"]()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.begin()

    def begin(self) -> None:
        """Starts the scheduler, and waits until it answers."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.scheduler = self._start(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard",
            "--dashboard-address", "127.0.0.1:0", cwd=self._folder / "scheduler", **quiet,
        )  # fmt: skip
        deadline = time.monotonic() + LATEST
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("no scheduler")

    def add_worker(self, **options: Any) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.workers.append(
            self._start(
                "distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-dashboard",
                cwd=self._folder / f"worker-{len(self.workers)}", **quiet | options,
            )
        )  # fmt: skip


@pytest.fixture
def cluster(start: Callable[..., "subprocess.Popen[Any]"], tmp_path: Path) -> Cluster:
    """A scheduler and two workers, three processes with three folders."""
    made = Cluster(start, tmp_path)
    for _ in range(2):
        made.add_worker()
    return made
