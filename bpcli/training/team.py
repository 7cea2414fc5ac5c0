"""Workers that do one thing together: threads, each with its part, that meet at points of the work."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from threading import Thread

from threadpoolctl import ThreadpoolController

_PATIENT = 2000  # yields before a waiting worker begins to sleep
_NAP = 50e-6  # seconds


class Stopped(Exception):  # noqa: N818 (no error: another worker has left)
    """Raised at a meeting that can't take place any more."""


class Team:
    """Some workers, numbered from 0; number 0 is the thread that calls."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._arrivals = [0] * size
        self._stopped = False

    def meet(self, worker: int) -> None:
        """Waits until every worker has come to as many meetings as this one.

        Workers yield to each other rather than sleep: a meeting comes several times in a step of a millisecond.

        Raises:
            Stopped: a worker has left for good.
        """
        if self.size == 1:
            return
        self._arrivals[worker] += 1
        awaited, waited = self._arrivals[worker], 0
        while min(self._arrivals) < awaited:
            if self._stopped:
                raise Stopped
            time.sleep(0 if waited < _PATIENT else _NAP)
            waited += 1

    def meeting_of(self, worker: int) -> Callable[[], None]:
        """One worker's `meet`."""
        return partial(self.meet, worker)

    @contextmanager
    def helping(self, task: Callable[[int], None]) -> Iterator[None]:
        """Runs `task(worker)` for every worker but number 0 in threads, while the body does number 0's work.

        BLAS runs on one thread for each worker meanwhile. However the body ends, the threads have ended when this
        returns; what one of them raised is raised here.
        """
        failures: list[BaseException] = []

        def run(worker: int) -> None:
            try:
                task(worker)
            except Stopped:
                pass
            except BaseException as error:
                failures.append(error)
                self._stopped = True

        self._arrivals, self._stopped = [0] * self.size, False
        helpers = [Thread(target=run, args=(worker,), daemon=True) for worker in range(1, self.size)]
        with _blas().limit(limits=1, user_api="blas"):
            try:
                for helper in helpers:
                    helper.start()
                yield
            except Stopped:
                pass  # a helper failed; its error follows
            except BaseException:
                self._stopped = True
                raise
            finally:
                for helper in helpers:
                    helper.join()
        if failures:
            raise failures[0]

    def each(self, task: Callable[[int], None]) -> None:
        """Runs `task(worker)` for every worker and waits for all."""
        with self.helping(task):
            task(0)


@cache
def _blas() -> ThreadpoolController:
    """The libraries of this process that have threads of their own; finding them takes milliseconds."""
    return ThreadpoolController()


def usable_cores() -> int:
    """The processors that this process may use, by affinity and by the container's limit."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _container_cores() or allowed))


def _container_cores() -> int:
    """The whole processors that a control group grants (cgroup v2); 0 if it sets no limit."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:  # noqa: PTH123
            quota, period = file.read().split()
        return int(quota) // int(period) or 1
    except (OSError, ValueError):
        return 0
