"""Series and searches on Dask's workers, whoever of them dies."""

import csv
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bpcli.storage import series_file, trials
from bpcli.storage.search_file import read_folder
from tests.dask.conftest import LATEST, Cluster
from tests.reliability.conftest import ROOT
from tests.reliability.test_kill import contents

pytestmark = pytest.mark.cluster
Start = Callable[..., "subprocess.Popen[Any]"]
SEEDS = range(4)


def bpcli(start: Start, folder: Path, *arguments: str | Path, **variables: str) -> tuple[int, str, str]:
    """The exit code of a command line and what it printed."""
    process = start("bpcli", *arguments, cwd=folder, variables=variables)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def processes_of(pid: int) -> list[int]:
    """The workers that descend from a process."""
    table = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in table.splitlines()[1:]]
    found, todo = list[int](), [pid]
    while todo:
        parent = todo.pop()
        for child, its_parent, what in rows:
            if int(its_parent) == parent:
                todo.append(int(child))
                found += [int(child)] if "spawn_main" in what else []
    return found


def wait_for(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LATEST
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it never happened")


def _replaced(pid: int, worker: int) -> bool:
    """Whether another worker has taken the place of one that was killed, or all is done."""
    found = processes_of(pid)
    return worker not in found and len(found) != 1


@pytest.fixture
def alone(start: Start, tmp_path: Path, options: list[str]) -> dict[int, dict[str, bytes]]:
    """What the runs leave that are trained one after another in one process."""
    code, _, err = bpcli(start, tmp_path / "alone", "train", "-q", "--seeds", "0..3", "-o", "s", *options)
    assert code == 0, err
    return {seed: contents(tmp_path / f"alone/s/seed-{seed}") for seed in SEEDS}


@pytest.mark.parametrize("kills", [0, 1, 4])
def test_whatever_kills_workers_the_runs_are_the_same(
    start: Start, tmp_path: Path, options: list[str], alone: dict[int, dict[str, bytes]], kills: int
) -> None:
    here = tmp_path / "here"
    process = start("bpcli", "train", "--seeds", "0..3", "-o", "s", "--workers", "2", *options, cwd=here)
    for _ in range(kills):
        worker = wait_for(lambda: processes_of(process.pid) if (here / "s/seed-0").exists() else [])[0]
        os.kill(worker, signal.SIGKILL)
        wait_for(partial(_replaced, process.pid, worker))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "committee of 4" in out
    assert {seed: contents(here / f"s/seed-{seed}") for seed in SEEDS} == alone


DEADLY = """\
import os, pathlib, signal, sys

def die(event, arguments):
    if event == "open" and "worker-" in str(arguments[0]) and ".metrics.csv." in str(arguments[0]):
        if pathlib.Path(arguments[0]).with_name("config.yaml").read_text().startswith("seed: 1\\n"):
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
"""


def test_a_run_whose_worker_always_dies_fails_and_the_others_finish(
    start: Start, tmp_path: Path, options: list[str]
) -> None:
    """A worker that begins with this seed is killed, each time; Dask gives up after the fourth."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "sitecustomize.py").write_text(DEADLY)
    path = os.pathsep.join([str(here), str(ROOT)])
    code, _, err = bpcli(
        start, here, "train", "--seeds", "0..2", "-o", "s", "--workers", "2", *options, PYTHONPATH=path
    )
    assert code == 7
    assert "seed-1 failed: its worker died 4 times (too little memory?)" in err
    assert err.splitlines()[-1] == (
        "Error: s/seed-1: its worker died 4 times (too little memory?); 2 of the 3 runs are finished; to try again: "
        "bpcli train --resume s"
    )
    assert series_file.read(here / "s").finished == ("seed-0", "seed-2")


def test_four_processes_with_four_folders(start: Start, cluster: Cluster, tmp_path: Path, options: list[str]) -> None:
    code, out, err = bpcli(
        start, tmp_path / "client", "train", "--seeds", "0..1", "--scheduler", cluster.address, "--json", *options
    )
    assert code == 0, err
    assert len(json.loads(out)["members"]) == 2
    alone = bpcli(start, tmp_path / "alone", "train", "-q", "--seeds", "0..1", *options)
    assert alone[0] == 0
    for seed in range(2):
        mine, theirs = (tmp_path / f"{who}/runs/default-1/seed-{seed}" for who in ("client", "alone"))
        assert contents(mine) == contents(theirs)
    for worker in ("worker-0", "worker-1", "scheduler"):
        assert not list((tmp_path / worker).rglob("*.npz"))


def test_a_scheduler_that_dies_is_one_line_and_what_was_finished_is_kept(
    start: Start, cluster: Cluster, tmp_path: Path, options: list[str]
) -> None:
    here = tmp_path / "client"
    process = start(
        "bpcli", "train", "--seeds", "0..5", "-o", "s", "--scheduler", cluster.address, *options, cwd=here
    )  # fmt: skip
    wait_for(
        lambda: (here / "s").exists() and series_file.is_series(here / "s") and series_file.read(here / "s").finished
    )
    cluster.scheduler.kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 10
    assert err.splitlines()[-1] == f"Error: {cluster.address}: the scheduler is gone; what was finished is kept"
    assert sum(line.startswith("Error") or "Traceback" in line for line in err.splitlines()) == 1
    before = series_file.read(here / "s").finished
    assert before
    code, _, err = bpcli(start, here, "train", "--resume", "s", "--scheduler", cluster.address)
    assert (code, err.count("\n")) == (10, 1)
    assert "no scheduler of Dask can be reached there" in err
    cluster.begin()
    cluster.add_worker()
    code, out, err = bpcli(start, here, "train", "--resume", "s", "--scheduler", cluster.address)
    assert code == 0, err
    assert f"{len(before)} of the 6 runs are finished" in err
    assert "committee of 6" in out


def test_a_cluster_without_workers_is_said(start: Start, tmp_path: Path, options: list[str]) -> None:
    empty = Cluster(start, tmp_path)
    code, _, err = bpcli(start, tmp_path / "client", "train", "--seeds", "0..1", "--scheduler", empty.address, *options)
    assert code == 10
    assert err == (
        f"Error: {empty.address}: the scheduler has no workers; start some with: dask worker {empty.address}\n"
    )


def test_a_worker_of_another_version_is_refused(start: Start, tmp_path: Path, options: list[str]) -> None:
    other = Cluster(start, tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/preload.py").write_text("import bpcli.cluster.task as task\ntask.__version__ = '0.0.1'\n")
    other._start(
        "distributed.cli.dask_worker", other.address, "--nthreads", "1", "--no-dashboard", "--preload",
        str(tmp_path / "other/preload.py"), cwd=tmp_path / "worker", stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    code, _, err = bpcli(start, tmp_path / "client", "train", "--seeds", "0..1", "--scheduler", other.address, *options)
    assert code == 10
    assert re.fullmatch(r"Error: the worker tcp://\S+ has bpcli 0\.0\.1, not \S+; all must have the same\n", err)
    assert not (tmp_path / "client/runs").exists()


def test_data_that_a_worker_lacks_are_said_with_its_address(
    start: Start, cluster: Cluster, tmp_path: Path, options: list[str], small_mnist: Path
) -> None:
    here = tmp_path / "client"
    here.mkdir()
    (here / "mine").symlink_to(small_mnist)
    code, _, err = bpcli(
        start, here, "train", "--seeds", "0..1", "-s", "data.folder=mine", "-s", "data.validation=100", "--scheduler",
        cluster.address,
    )  # fmt: skip
    assert code == 4
    assert re.search(r"Error: seed-[01]: on the worker tcp://127\.0\.0\.1:\d+: ", err)


SPACE = """\
set: {%s}
trials: 8
rungs: [5, 20]
space:
  optimizer.learning_rate: {min: 0.001, max: 1.0, log: true}
  model.activation: {values: [relu, tanh]}
"""


@pytest.fixture
def space(tmp_path: Path, settings: list[str]) -> Path:
    path = tmp_path / "space.yaml"
    pairs = [setting.replace("=", ": ", 1) for setting in settings]
    path.write_text(SPACE % ", ".join(pairs))
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))


def test_a_search_on_a_cluster_whose_scheduler_dies(
    start: Start, cluster: Cluster, tmp_path: Path, space: Path
) -> None:
    here = tmp_path / "client"
    process = start("bpcli", "search", space, "--scheduler", cluster.address, cwd=here)
    folder = here / "runs/search-1"
    wait_for(lambda: (folder / "trial-3/last.npz").exists())
    cluster.scheduler.kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 10
    assert "Error" in err.splitlines()[-1]
    kept = {path.parent.name: path.read_bytes() for path in folder.glob("trial-*/result.json")}
    cluster.begin()
    cluster.add_worker()
    code, out, err = bpcli(start, here, "search", "--resume", "--scheduler", cluster.address)
    assert code == 0, err
    assert "what mattered" not in out  # of so few trials
    assert "bpcli train -c runs/search-1/best/config.yaml --seeds 1..5" in out
    found = trials.read(folder, read_folder(folder))
    assert [int(row["trial"]) for row in rows(folder)] == list(range(8)) == [trial.number for trial in found]
    assert any(trial.finished for trial in found)
    assert {name: (folder / name / "result.json").read_bytes() for name in kept} == kept


def test_ctrl_c_ends_it_in_one_line_and_it_goes_on(start: Start, tmp_path: Path, space: Path) -> None:
    here = tmp_path / "here"
    process = start("bpcli", "search", space, "--workers", "2", cwd=here, start_new_session=True)
    wait_for(lambda: (here / "runs/search-1/trial-2/last.npz").exists())
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers hear it too
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "stopped by SIGINT; go on with: bpcli search --resume runs/search-1"
    assert "Traceback" not in err
    code, _, err = bpcli(start, here, "search", "--resume", "runs/search-1", "--workers", "2", "--trials", "5")
    assert code == 0, err
    assert len(rows(here / "runs/search-1")) >= 5
