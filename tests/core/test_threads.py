"""Threads wait for each other, stop together, add up what each has, and pass on what went wrong."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from bpcli import machine
from bpcli.core.threads import ALONE, Rank, ThreadGroup


@pytest.mark.parametrize("size", [1, 2, 5])
def test_nobody_passes_a_meeting_before_all_have_come(size: int) -> None:
    threads, log, lock = ThreadGroup(size), [], threading.Lock()

    def work(worker: int) -> None:
        for round_ in range(20):
            with lock:
                log.append(round_)
            threads.barrier(worker)

    threads.parallel(work)
    assert log == sorted(log)
    assert len(log) == 20 * size


def test_an_error_of_a_helper_stops_the_others_and_arrives() -> None:
    threads, before = ThreadGroup(3), threading.active_count()

    def work(worker: int) -> None:
        threads.barrier(worker)
        if worker == 2:
            raise ValueError("worker 2 fell ill")
        threads.barrier(worker)

    with pytest.raises(ValueError, match="worker 2 fell ill"):
        threads.parallel(work)
    assert threading.active_count() == before


def test_an_error_of_the_caller_stops_the_helpers() -> None:
    threads, before = ThreadGroup(2), threading.active_count()
    with pytest.raises(KeyboardInterrupt), threads.running(threads.barrier):
        raise KeyboardInterrupt
    assert threading.active_count() == before
    threads.parallel(lambda worker: threads.barrier(worker))  # and the team is of use again


def test_blas_runs_on_one_thread_meanwhile_and_as_before_afterwards() -> None:
    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = threads()
    with ThreadGroup(1).running(lambda worker: None):
        assert set(threads()) <= {1}
    assert threads() == before


def test_parts_cover_everything_once() -> None:
    for n in (0, 1, 5, 1024):
        for size in (1, 2, 3, 7):
            group = ThreadGroup(size)
            assert [i for index in range(size) for i in range(n)[group.part(index, n)]] == list(range(n))
            ranks = group.ranks(1, 1, np.float32)
            assert [i for rank in ranks for i in range(n)[rank.units(n)]] == list(range(n))
            assert [rank.first for rank in ranks] == [True] + [False] * (size - 1)


def test_one_thread_is_alone() -> None:
    assert ThreadGroup(1).ranks(4, 2, np.float32) == [ALONE]
    z = np.ones((3, 2))
    assert ALONE.all_reduce(z) is z


@pytest.mark.parametrize("size", [2, 3])
def test_all_reduce_gives_every_thread_the_sum(size: int) -> None:
    """Again and again, though a thread may be a call ahead of another."""
    group = ThreadGroup(size)
    ranks, found = group.ranks(4, 2, np.float64), [[] for _ in range(size)]  # type: ignore[var-annotated]

    def work(index: int) -> None:
        rank = ranks[index]
        assert isinstance(rank, Rank)
        for call in range(200):
            rows = 1 + call % 4
            found[index].append(rank.all_reduce(np.full((rows, 2), float(index + call))))

    group.parallel(work)
    for call in range(200):
        expected = np.full((1 + call % 4, 2), float(sum(range(size)) + size * call))
        assert all(np.array_equal(found[index][call], expected) for index in range(size))


def test_there_is_a_core_to_use() -> None:
    assert machine.usable_cores() >= 1
    assert machine.memory() > 2**20
