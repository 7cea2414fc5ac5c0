"""Workers meet, stop together, and pass on what went wrong."""

import threading

import pytest
from threadpoolctl import threadpool_info

from bpcli.training.team import Team, usable_cores


@pytest.mark.parametrize("size", [1, 2, 5])
def test_nobody_passes_a_meeting_before_all_have_come(size: int) -> None:
    team, log, lock = Team(size), [], threading.Lock()

    def work(worker: int) -> None:
        for round_ in range(20):
            with lock:
                log.append(round_)
            team.meet(worker)

    team.each(work)
    assert log == sorted(log)
    assert len(log) == 20 * size


def test_an_error_of_a_helper_stops_the_others_and_arrives() -> None:
    team = Team(3)

    def work(worker: int) -> None:
        team.meet(worker)
        if worker == 2:
            raise ValueError("worker 2 fell ill")
        team.meet(worker)

    with pytest.raises(ValueError, match="worker 2 fell ill"):
        team.each(work)
    assert threading.active_count() == 1


def test_an_error_of_the_caller_stops_the_helpers() -> None:
    team = Team(2)
    with pytest.raises(KeyboardInterrupt), team.helping(team.meet):
        raise KeyboardInterrupt
    assert threading.active_count() == 1
    team.each(lambda worker: team.meet(worker))  # and the team is of use again


def test_blas_runs_on_one_thread_meanwhile_and_as_before_afterwards() -> None:
    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = threads()
    with Team(1).helping(lambda worker: None):
        assert set(threads()) <= {1}
    assert threads() == before


def test_there_is_a_core_to_use() -> None:
    assert usable_cores() >= 1
