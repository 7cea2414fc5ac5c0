"""A thread group: threads that share one computation. Each has a rank, and they wait for each other at barriers."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Thread
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike
from threadpoolctl import ThreadpoolController

from bpcli.core.types import Array

_PATIENT = 2000  # yields before a waiting thread begins to sleep
_NAP = 50e-6  # seconds


class Stopped(Exception):  # noqa: N818 (no error: another thread has left)
    """Raised at a barrier that not all threads will reach."""


class Interrupted(Exception):  # noqa: N818 (no error: the caller asked for it)
    """Raised instead of a result when `should_stop` returns True."""


def never_stop() -> bool:
    """Return False: the default for `should_stop`."""
    return False


class ThreadGroup:
    """A group of threads, numbered from 0; number 0 is the thread that calls."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._arrivals = [0] * size
        self._stopped = False

    def barrier(self, index: int) -> None:
        """Wait until every thread has reached as many barriers as this one.

        Waiting threads yield rather than sleep, because a step of a millisecond has several barriers.

        Raises:
            Stopped: a thread has left for good.
        """
        if self.size == 1:
            return
        self._arrivals[index] += 1
        awaited, waited = self._arrivals[index], 0
        while min(self._arrivals) < awaited:
            if self._stopped:
                raise Stopped
            time.sleep(0 if waited < _PATIENT else _NAP)
            waited += 1

    def ranks(self, rows: int, columns: int, dtype: DTypeLike) -> "Sequence[Alone | Rank]":
        """Return the rank of each thread, for sums (`all_reduce`) of matrices of up to (rows, columns)."""
        if self.size == 1:
            return [ALONE]
        slots = np.zeros((2, self.size, rows, columns), dtype)
        return [Rank(self, index, slots) for index in range(self.size)]

    def part(self, index: int, n: int) -> slice:
        """Return the share of n items that belongs to thread `index`; shares differ by one at most."""
        return slice(n * index // self.size, n * (index + 1) // self.size)

    @contextmanager
    def running(self, task: Callable[[int], None]) -> Iterator[None]:
        """Run `task(index)` in every thread but number 0, while the `with` body does the work of number 0.

        Meanwhile BLAS uses a single thread for each of them. All of them have ended when this returns, however the body
        ends. If one of them raised an error, the error is raised here.
        """
        failures: list[BaseException] = []

        def run(index: int) -> None:
            try:
                task(index)
            except Stopped:
                pass
            except BaseException as error:
                failures.append(error)
                self._stopped = True

        self._arrivals, self._stopped = [0] * self.size, False
        others = [Thread(target=run, args=(index,), daemon=True) for index in range(1, self.size)]
        with _blas().limit(limits=1, user_api="blas"):
            try:
                for thread in others:
                    thread.start()
                yield
            except Stopped:
                pass  # another thread failed; its error follows
            except BaseException:
                self._stopped = True
                raise
            finally:
                for thread in others:
                    thread.join()
        if failures:
            raise failures[0]

    def parallel(self, task: Callable[[int], None]) -> None:
        """Run `task(index)` in every thread and wait for all of them."""
        with self.running(task):
            task(0)


class Alone:
    """The rank of a single thread: it owns every unit and waits for nobody."""

    first: ClassVar[bool] = True

    def units(self, n: int) -> slice:
        """Return all n units."""
        return slice(n)

    def barrier(self) -> None:
        """Return at once."""

    def all_reduce(self, z: Array) -> Array:
        """Return z: with one thread, it is already the sum."""
        return z


class Rank:
    """One thread's place in its group.

    Args:
        group: the threads.
        index: of this one.
        slots: memory that all ranks share, (2, threads, rows, columns). Two slots alternate, because one thread may
            write for the next batch while another still reads this batch's.

    Attributes:
        first: whether this is the first thread, which does what only one thread may do.
    """

    def __init__(self, group: ThreadGroup, index: int, slots: Array) -> None:
        self._group, self._index, self._slots, self._slot = group, index, slots, 0
        self.first = index == 0

    def units(self, n: int) -> slice:
        """Return this thread's share of n units; shares differ by one at most."""
        return self._group.part(self._index, n)

    def barrier(self) -> None:
        """Wait until every thread has reached the same call.

        Raises:
            Stopped: a thread has left for good.
        """
        self._group.barrier(self._index)

    def all_reduce(self, z: Array) -> Array:
        """Sum the z of all threads, (batch, columns), into z and return it; this waits for all of them."""
        slots = self._slots[self._slot, :, : len(z)]
        self._slot = 1 - self._slot
        slots[self._index] = z
        self.barrier()
        np.add.reduce(slots, axis=0, out=z)
        return z


ALONE = Alone()


@cache
def _blas() -> ThreadpoolController:
    """Return the controller of all libraries with threads of their own; finding them takes milliseconds."""
    return ThreadpoolController()
