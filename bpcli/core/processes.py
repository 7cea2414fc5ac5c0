"""Groups of workers that are processes. They share memory, and no interpreter lock.

Two threads hold each other up: after each call to NumPy, a thread waits for the interpreter lock. Processes don't. They
are forked from the process that calls, so they have all its objects. Only arrays of `zeros` and `shared` are common
memory; what a process writes elsewhere is seen by nobody else.
"""

import ctypes
import gc
import mmap
import os
import pickle
import platform
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike

from bpcli.core.threads import Group, Stopped, rest, single_blas_thread
from bpcli.core.types import Array

_APART = 16  # counters, each of 8 bytes, between those of two processes: they share no line of the cache
_GLANCE = 256  # yields between two looks at whether the others are still there
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG: the signal that Linux sends when the parent ends


class WorkerLost(Exception):  # noqa: N818 (the caller says what it means)
    """A process could not be started, or was killed."""


def available() -> bool:
    """Return whether processes can share the work here: Linux on a processor that keeps the order of its writes."""
    return sys.platform == "linux" and hasattr(os, "fork") and platform.machine() in ("x86_64", "AMD64")


@contextmanager
def deaf() -> Iterator[None]:
    """Let threads and processes that begin meanwhile not hear the Ctrl-C that a terminal sends to all."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker  # not needed by `ProcessGroup`

    resource_tracker.ensure_running()  # or the first process to begin would start it, and let itself hear again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ProcessGroup(Group):
    """Workers that are processes, started by `running` and ended when it returns."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._counters = memoryview(mmap.mmap(-1, 8 * _APART * (size + 1))).cast("q")
        self._parent = os.getpid()
        self._children: dict[int, _Child] = {}

    def zeros(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """Return an array of zeros in memory that the processes share."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        array: Array = np.frombuffer(mmap.mmap(-1, max(size, 1)), dtype, int(np.prod(shape))).reshape(shape)
        return array

    def shared(self, array: Array) -> Array:
        """Return a copy in memory that the processes share."""
        copy = self.zeros(array.shape, array.dtype)
        copy[...] = array
        return copy

    def barrier(self, index: int) -> None:
        """Wait until every process has reached as many barriers as this one; see `Group.barrier`."""
        self._counters[index * _APART] += 1
        awaited, waited = self._counters[index * _APART], 0
        for other in range(self.size):
            while self._counters[other * _APART] < awaited:
                gone = self._stopped or (waited % _GLANCE == _GLANCE - 1 and not self._all_there())
                if gone and self._counters[other * _APART] < awaited:  # it may have arrived before it went
                    raise Stopped
                rest(waited)
                waited += 1

    @contextmanager
    def running(self, task: Callable[[int], None]) -> Iterator[None]:
        """Run the task in every process but the calling one; see `Group.running`.

        Raises:
            WorkerLost: a process could not be started, or was killed.
        """
        for at in range(0, len(self._counters), _APART):
            self._counters[at] = 0
        self._parent, self._children = os.getpid(), {}
        with single_blas_thread():
            try:
                for index in range(1, self.size):
                    self._children[index] = self._forked(index, task)
                yield
            except Stopped:
                self._stop()  # another process failed; its error follows
            except BaseException:
                self._stop()
                raise
            finally:
                failures = self._ended()
        if failures:
            raise failures[0]

    def _ended(self) -> list[BaseException]:
        """Wait for all children to end, and return the errors that ended some."""
        waited = 0
        while any(child.is_running() for child in self._children.values()):
            if not self._all_there():
                self._stop()
            rest(waited)
            waited += 1
        return [error for child in self._children.values() if (error := child.error())]

    @property
    def _stopped(self) -> bool:
        return self._counters[self.size * _APART] != 0

    def _stop(self) -> None:
        self._counters[self.size * _APART] = 1

    def _all_there(self) -> bool:
        """Return whether the parent and its other children still run."""
        if os.getpid() != self._parent:
            return os.getppid() == self._parent
        return all(child.is_running() or child.succeeded for child in self._children.values())

    def _forked(self, index: int, task: Callable[[int], None]) -> "_Child":
        """Return a process that runs the task.

        Raises:
            WorkerLost: it could not be started.
        """
        ends: tuple[int, ...] = ()
        try:
            ends = reading, writing = os.pipe()
            with warnings.catch_warnings():  # the child calls nothing that another thread's lock could block
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
        except OSError as error:
            for end in ends:
                os.close(end)
            raise WorkerLost(f"a worker process can't be started: {error.strerror}") from error
        if not pid:
            self._work(index, task, writing)
        os.close(writing)
        return _Child(pid, os.fdopen(reading, "rb"))

    def _work(self, index: int, task: Callable[[int], None], writing: int) -> None:
        """Be a child: run the task, send what it raised to the parent, and end."""
        try:
            _detach(self._parent, writing)
            task(index)
        except Stopped:
            pass
        except BaseException as error:
            self._stop()
            with suppress(OSError):
                os.write(writing, _packed(error))
        finally:
            os._exit(0)


class _Child:
    """The parent's view of a process: its number, and the pipe that its error comes through."""

    def __init__(self, pid: int, errors: BinaryIO) -> None:
        self._pid, self._errors = pid, errors
        self._status: int | None = None

    def is_running(self) -> bool:
        """Return whether the process has not ended yet."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self._pid, os.WNOHANG)
            except ChildProcessError:  # somebody else has asked for it
                pid, status = self._pid, 0
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status is None

    @property
    def succeeded(self) -> bool:
        """Whether the process ended by itself."""
        return self._status == 0

    def error(self) -> BaseException | None:
        """Return the error that ended the process, if one did. Call this once, after it has ended."""
        with self._errors:
            packed = self._errors.read()
        if packed:
            error: BaseException = pickle.loads(packed)  # noqa: S301 (our own process wrote it)
            return error
        return WorkerLost(f"a worker process was ended by the signal {-self._status}") if self._status else None


def _detach(parent: int, kept: int) -> None:
    """Make this process one that ends with its parent, and has none of its files, signals and garbage.

    An open file would keep its lock after the parent's end. Garbage may have finalizers, such as that of a temporary
    folder, which the parent alone may call.
    """
    gc.disable()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        raise Stopped


def _packed(error: BaseException) -> bytes:
    """Return the error with its traceback as a note, or, if it can't be packed, an error with its text."""
    text = "".join(traceback.format_exception(error))
    error.add_note(f"in a worker process:\n{text}")
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # noqa: S301 (to see that it can be read)
    except Exception:
        packed = pickle.dumps(RuntimeError(text))
    return packed if len(packed) <= mmap.PAGESIZE else pickle.dumps(RuntimeError(text[-2000:]))
