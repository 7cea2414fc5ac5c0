"""Groups of workers that share one computation. Each has a rank, and they wait for each other at barriers.

Here the workers are threads; in `core.processes` they are processes.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import Thread
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike
from threadpoolctl import ThreadpoolController

from bpcli.core.types import Array

_PATIENT = 2000  # yields before a waiting worker begins to sleep
_NAP = 50e-6  # seconds


class Stopped(Exception):  # noqa: N818 (no error: another worker has left)
    """Raised at a barrier that not all workers will reach."""


class Interrupted(Exception):  # noqa: N818 (no error: the caller asked for it)
    """Raised instead of a result when `should_stop` returns True."""


def never_stop() -> bool:
    """Return False: the default for `should_stop`."""
    return False


class Group(ABC):
    """A group of workers, numbered from 0; number 0 is the one that calls."""

    def __init__(self, size: int) -> None:
        self.size = size

    @abstractmethod
    def barrier(self, index: int) -> None:
        """Wait until every worker has reached as many barriers as this one.

        Waiting workers yield rather than sleep, because a step of a millisecond has several barriers.

        Raises:
            Stopped: a worker has left for good.
        """

    @abstractmethod
    def running(self, task: Callable[[int], None]) -> AbstractContextManager[None]:
        """Run `task(index)` in every worker but number 0, while the `with` body does the work of number 0.

        Meanwhile BLAS uses a single thread for each of them. All of them have ended when this returns, however the body
        ends. If one of them raised an error, the error is raised here.
        """

    def zeros(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """Return an array of zeros that all workers can write to."""
        return np.zeros(shape, dtype)

    def shared(self, array: Array) -> Array:
        """Return the array if all workers can write to it, else a copy that they can write to."""
        return array

    def ranks(self, rows: int, columns: int, dtype: DTypeLike) -> "Sequence[Alone | Rank]":
        """Return the rank of each worker, for sums (`all_reduce`) of matrices of up to (rows, columns)."""
        if self.size == 1:
            return [ALONE]
        slots = self.zeros((2, self.size, rows, columns), dtype)
        return [Rank(self, index, slots) for index in range(self.size)]

    def part(self, index: int, n: int) -> slice:
        """Return the share of n items that belongs to worker `index`; shares differ by one at most."""
        return slice(n * index // self.size, n * (index + 1) // self.size)

    def parallel(self, task: Callable[[int], None]) -> None:
        """Run `task(index)` in every worker and wait for all of them."""
        with self.running(task):
            task(0)


class ThreadGroup(Group):
    """Workers that are threads.

    The interpreter lock lets only one thread at a time run Python code. So threads suit a task of few large calls.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._arrivals = [0] * size
        self._stopped = False

    def barrier(self, index: int) -> None:
        """Wait until every thread has reached as many barriers as this one; see `Group.barrier`."""
        if self.size == 1:
            return
        self._arrivals[index] += 1
        awaited, waited = self._arrivals[index], 0
        while min(self._arrivals) < awaited:
            if self._stopped and min(self._arrivals) < awaited:  # all may have arrived before one stopped
                raise Stopped
            rest(waited)
            waited += 1

    @contextmanager
    def running(self, task: Callable[[int], None]) -> Iterator[None]:
        """Run the task in every thread but the calling one; see `Group.running`."""
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
        with single_blas_thread():
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


def rest(waited: int) -> None:
    """Let another worker run. One that has waited for long sleeps, so that it does not keep a processor busy."""
    time.sleep(0 if waited < _PATIENT else _NAP)


def single_blas_thread() -> AbstractContextManager[object]:
    """Return a context in which BLAS uses a single thread for each product."""
    limit: AbstractContextManager[object] = _blas().limit(limits=1, user_api="blas")
    return limit


class Alone:
    """The rank of a single worker: it owns every unit and waits for nobody."""

    first: ClassVar[bool] = True

    def units(self, n: int) -> slice:
        """Return all n units."""
        return slice(n)

    def barrier(self) -> None:
        """Return at once."""

    def all_reduce(self, z: Array) -> Array:
        """Return z: with one worker, it is already the sum."""
        return z


class Rank:
    """One worker's place in its group.

    Args:
        group: the workers.
        index: of this one.
        slots: memory that all ranks share, (2, workers, rows, columns). Two slots alternate, because one worker may
            write for the next batch while another still reads this batch's.

    Attributes:
        first: whether this is the first worker, which does what only one may do.
    """

    def __init__(self, group: Group, index: int, slots: Array) -> None:
        self._group, self._index, self._slots, self._slot = group, index, slots, 0
        self.first = index == 0

    def units(self, n: int) -> slice:
        """Return this worker's share of n units; shares differ by one at most."""
        return self._group.part(self._index, n)

    def barrier(self) -> None:
        """Wait until every worker has reached the same call.

        Raises:
            Stopped: a worker has left for good.
        """
        self._group.barrier(self._index)

    def all_reduce(self, z: Array) -> Array:
        """Sum the z of all workers, (batch, columns), into z and return it; this waits for all of them."""
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
