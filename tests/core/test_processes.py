"""Processes share memory, wait for each other, end together, and pass on what went wrong."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from bpcli.core.processes import ProcessGroup, WorkerLost, available
from bpcli.core.threads import Rank

pytestmark = pytest.mark.skipif(not available(), reason="processes can't share the work here")


class Unpackable(Exception):
    """An error that pickle can't read back."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def raising(error: BaseException) -> Callable[[int], None]:
    def task(index: int) -> None:
        raise error

    return task


@pytest.mark.parametrize("size", [1, 2, 4])
def test_nobody_passes_a_barrier_before_all_have_come(size: int) -> None:
    group = ProcessGroup(size)
    arrived, early = group.zeros(size, np.int64), group.zeros(size, np.int64)

    def work(index: int) -> None:
        for round_ in range(1, 100):
            arrived[index] = round_
            group.barrier(index)
            early[index] += np.count_nonzero(arrived < round_)

    group.parallel(work)
    assert arrived.tolist() == [99] * size
    assert early.tolist() == [0] * size


@pytest.mark.parametrize("size", [2, 3])
def test_all_reduce_gives_every_process_the_sum(size: int) -> None:
    """Again and again, though a process may be a call ahead of another."""
    group = ProcessGroup(size)
    ranks, found = group.ranks(4, 2, np.float64), group.zeros((size, 200, 4, 2), np.float64)

    def work(index: int) -> None:
        rank = ranks[index]
        assert isinstance(rank, Rank)
        for call in range(200):
            found[index, call] = rank.all_reduce(np.full((4, 2), float(index + call)))

    group.parallel(work)
    expected = np.array([sum(range(size)) + size * call for call in range(200)], float)
    assert np.array_equal(found, np.broadcast_to(expected[:, None, None], found.shape))


def test_only_arrays_of_the_group_are_common_memory() -> None:
    group, own = ProcessGroup(2), np.zeros(3, np.float32)
    shared = group.shared(np.arange(3, dtype=np.float32))

    def work(index: int) -> None:
        if index:
            shared[:] += 10
            own[:] = 1

    group.parallel(work)
    assert shared.tolist() == [10, 11, 12]
    assert shared.dtype == np.float32
    assert own.tolist() == [0, 0, 0]


def test_an_error_of_a_process_stops_the_others_and_arrives_with_its_traceback() -> None:
    group, before = ProcessGroup(3), children()

    def work(index: int) -> None:
        group.barrier(index)
        if index == 2:
            raise ValueError("worker 2 fell ill")
        group.barrier(index)

    with pytest.raises(ValueError, match="worker 2 fell ill") as caught:
        group.parallel(work)
    assert "in work" in caught.value.__notes__[0]
    assert children() == before


@pytest.mark.parametrize("error", [Unpackable("no", "pickle"), ValueError("long " * 10_000)], ids=["class", "length"])
def test_an_error_that_can_not_be_packed_arrives_as_text(error: Exception) -> None:
    with pytest.raises(RuntimeError, match=r"no pickle|long long"), ProcessGroup(2).running(raising(error)):
        pass


def test_an_error_of_the_caller_stops_the_others() -> None:
    group, before = ProcessGroup(3), children()
    with pytest.raises(KeyboardInterrupt), group.running(group.barrier):
        raise KeyboardInterrupt
    assert children() == before
    group.parallel(group.barrier)  # and the group is of use again


def test_a_process_that_is_killed_is_noticed() -> None:
    group, before = ProcessGroup(3), children()

    def work(index: int) -> None:
        if index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        group.barrier(index)

    with pytest.raises(WorkerLost, match="ended by the signal 9"):
        group.parallel(work)
    assert children() == before


def test_a_process_that_can_not_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(WorkerLost, match="can't be started: Resource temporarily unavailable"):
        ProcessGroup(2).parallel(lambda index: None)


def test_blas_runs_on_one_thread_in_every_process() -> None:
    group = ProcessGroup(2)
    most = group.zeros(2, np.int64)

    def work(index: int) -> None:
        most[index] = max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    group.parallel(work)
    assert most.tolist() == [1, 1]


def test_interrupts_are_for_the_caller_alone() -> None:
    group = ProcessGroup(2)
    done = group.zeros(2, np.int64)

    def work(index: int) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if index else ():
            os.kill(os.getpid(), number)
        done[index] = 1

    group.parallel(work)
    assert done.tolist() == [1, 1]


def test_a_process_has_no_file_of_the_caller(tmp_path: Path) -> None:
    """A lock on it would outlive the caller."""
    group = ProcessGroup(2)
    closed = group.zeros(2, np.int64)
    with (tmp_path / "file").open("w") as file:

        def work(index: int) -> None:
            try:
                os.fstat(file.fileno())
            except OSError:
                closed[index] = 1

        group.parallel(work)
    assert closed.tolist() == [0, 1]


PARENT = """
import os, time
from bpcli.core.processes import ProcessGroup
def work(index):
    if index == 1:
        os.write(1, f"{os.getpid()}\\n".encode())
    BODY
group = ProcessGroup(2)
group.parallel(work)
"""


@pytest.mark.parametrize(
    "body", ["time.sleep(60)", "group.barrier(index); index or time.sleep(60); group.barrier(index)"]
)
def test_the_processes_end_with_their_parent(body: str) -> None:
    code = PARENT.replace("BODY", body)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        for _ in range(500):
            if not is_alive(child):
                break
            time.sleep(0.01)
        assert not is_alive(child)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children() -> list[str]:
    """The processes that this one has started; those of other tests in the same process may be among them."""
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text(encoding="ascii").split()


def test_too_many_open_files_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def pipe() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe", pipe)
    with pytest.raises(WorkerLost, match="can't be started: Too many open files"):
        ProcessGroup(2).parallel(lambda index: None)
