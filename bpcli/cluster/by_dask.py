"""The engine that carries tasks to the workers of Dask distributed, on this machine or on others.

Importing this module imports Dask; its packages are the extra `cluster`.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import dask

dask.config.set({"logging": {"distributed": "critical", "tornado": "critical"}})  # read as distributed is imported

from distributed import Client, Future, LocalCluster, get_worker  # noqa: E402
from distributed.scheduler import KilledWorker  # noqa: E402

from bpcli import machine  # noqa: E402
from bpcli.cluster.engine import POLL  # noqa: E402
from bpcli.cluster.task import Done, Reported, Task, perform, versions  # noqa: E402
from bpcli.core.processes import deaf  # noqa: E402
from bpcli.errors import BpcliError, ClusterError, OutputError  # noqa: E402

_LOOPBACK = "127.0.0.1"
_PATIENCE = 10.0  # seconds to wait for a scheduler, and for its first worker
_QUIET = 60  # a level of logging above that of every message


_HERE: dict[str, Any] = {  # how workers on this machine are started: on the loopback interface, without a dashboard
    "threads_per_worker": 1, "processes": True, "host": _LOOPBACK, "dashboard_address": None, "memory_limit": 0,
    "scheduler_kwargs": {"dashboard": False, "dashboard_address": f"{_LOOPBACK}:0"}, "silence_logs": _QUIET,
}  # fmt: skip


@contextmanager
def local(workers: int) -> Iterator["Dask"]:
    """Yield an engine of so many processes on this machine; they listen on its loopback interface alone.

    Raises:
        ClusterError: they can't be started.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(TemporaryDirectory(prefix="bpcli-", ignore_cleanup_errors=True))
            settings = {"temporary-directory": folder, "distributed.scheduler.http.routes": []}
            stack.enter_context(dask.config.set(settings))
            with deaf():
                cluster = LocalCluster(**_HERE, n_workers=workers)
        except (OSError, RuntimeError) as error:
            raise ClusterError(f"--workers {workers}: can't be started: {error}") from error
        stack.callback(cluster.close, timeout=_PATIENCE)
        yield stack.enter_context(_connected(cluster.scheduler_address, f"{workers} workers here"))


@contextmanager
def remote(address: str) -> Iterator["Dask"]:
    """Yield the engine of a cluster that stands.

    Args:
        address: of its scheduler, such as tls://host:8786.

    Raises:
        ClusterError: there is no scheduler, it has no workers, or they have other versions than this process.
    """
    with _connected(address, f"the workers of {address}") as engine:
        yield engine


class _Client(Client):
    """A client that is closed when it is told to; Dask's own waits for 20 seconds if it could not connect."""

    def __del__(self) -> None:
        """Leave everything as it is."""


@contextmanager
def _connected(address: str, name: str) -> Iterator["Dask"]:
    """Yield the engine of a scheduler, once its workers are known to fit."""
    _silence()
    try:
        client = _Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise ClusterError(f"{address}: no scheduler of Dask can be reached there: {_flat(error)}") from error
    try:
        engine = Dask(client, name, address)
        engine.require_fitting()
        yield engine
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.close(timeout=2)


class Dask:
    """An engine of Dask: each worker's thread takes one task at a time.

    Args:
        client: connected to the scheduler.
        name: who does the work, in words.
        address: of the scheduler.
    """

    def __init__(self, client: Client, name: str, address: str) -> None:
        self.name, self._client, self._address = name, client, address
        self._events: SimpleQueue[Any] = SimpleQueue()
        self._names: dict[str, str] = {}
        self._topic = f"bpcli-{uuid4()}"
        client.subscribe_topic(self._topic, self._events.put)

    @property
    def size(self) -> int:
        """Return the number of the workers' threads, at least 1."""
        return max(1, sum(self._slots().values()))

    def require_fitting(self) -> None:
        """Ask every worker for its versions.

        Raises:
            ClusterError: there is no worker, or one has other versions, or no bpcli.
        """
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError:
            raise ClusterError(
                f"{self._address}: the scheduler has no workers; start some with: dask worker {self._address}"
            ) from None
        found = self._client.run(versions, on_error="return")
        for worker, theirs in found.items():
            if differing := _differing(theirs):
                raise ClusterError(f"the worker {worker} has {differing}; all must have the same")

    def submit(self, task: Task) -> None:
        """Put a task under way."""
        key = f"bpcli-{task.name}-{uuid4()}"
        with self._asking():
            future = self._client.submit(_work, task, self._slots(), versions(), self._topic, key=key, pure=False)
            self._names[key] = task.name
            future.add_done_callback(self._events.put)

    def next(self, should_stop: Callable[[], bool]) -> Reported | Done | None:
        """Return what happens next; None if `should_stop` returned True.

        Raises:
            ClusterError: the scheduler is gone.
            BpcliError: what a worker raised, with the worker's address.
        """
        while not should_stop():
            if self._client.status != "running":
                raise self._gone()
            with suppress(Empty):
                happened = self._events.get(timeout=POLL)
                if isinstance(happened, Future):
                    return self._result(happened)
                _, report = happened
                return Reported(report["name"], report["epochs"])
        return None

    def _slots(self) -> dict[str, int]:
        """Return how many tasks each host's workers can have under way."""
        slots: Counter[str] = Counter()
        with self._asking():
            for about in self._client.scheduler_info(n_workers=-1)["workers"].values():
                slots[about["host"]] += about["nthreads"]
        return dict(slots)

    def _result(self, future: Future) -> Done:
        """Return what a task has brought; fetch it at once, as it is lost with its worker."""
        name = self._names.pop(future.key)
        try:
            with self._asking():
                done: Done = future.result(timeout=_FETCH)
        except KilledWorker as error:
            done = Done(name, {}, f"its worker died {error.allowed_failures + 1} times (too little memory?)")
        if not isinstance(done, Done) or done.name != name:
            raise ClusterError(f"{name}: what a worker sent is not the result of a task")
        return done

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask the scheduler for something; whatever goes wrong once it is gone is said in one way."""
        try:
            yield
        except (CancelledError, TimeoutError, OSError) as error:
            raise self._gone() from error
        except Exception as error:
            if self._client.status == "running":
                raise
            raise self._gone() from error

    def _gone(self) -> ClusterError:
        return ClusterError(f"{self._address}: the scheduler is gone; what was finished is kept")


_FETCH = 300.0  # seconds within which a result must arrive


def _work(task: Task, slots: dict[str, int], expected: dict[str, str], topic: str) -> Done:
    """Perform a task in a worker.

    Raises:
        BpcliError: it can't be performed here; the message names the worker.
    """
    worker = get_worker()
    host = worker.address.split("://")[-1].rpartition(":")[0]
    try:
        if differing := _differing(expected, versions()):
            raise ClusterError(f"was sent a task by another version: {differing}")
        cores = max(1, machine.usable_cores() // slots.get(host, 1))
        running = perform(task, _abandoned(worker), cores, str(Path(worker.local_directory)))
        while True:
            try:
                report = next(running)
            except StopIteration as end:
                done: Done = end.value
                return done
            worker.log_event(topic, {"name": report.name, "epochs": report.epochs})
    except BpcliError as error:
        raise type(error)(f"{task.name}: on the worker {worker.address}: {error}") from None
    except OSError as error:  # such as a full disk
        raise OutputError(f"{task.name}: on the worker {worker.address}: {error}") from None


def _abandoned(worker: Any) -> Callable[[], bool]:
    """Return a function that says whether nobody wants the result of the worker's present task any more."""
    key = worker.get_current_task()

    def abandoned() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state in ("cancelled", "forgotten", "released")

    return abandoned


def _differing(theirs: object, ours: dict[str, str] | None = None) -> str:
    """Return in which versions two processes differ, in words; "" if they agree."""
    ours = ours or versions()
    if not isinstance(theirs, dict):
        return f"no bpcli that can be asked ({_flat(theirs)})"
    return ", ".join(
        f"{name} {theirs.get(name)}, not {version}" for name, version in ours.items() if theirs.get(name) != version
    )


def _silence() -> None:
    """Let nothing be logged on stderr; what matters is raised."""
    for name in ("distributed", "distributed.client", "distributed.core", "tornado", "asyncio"):
        logging.getLogger(name).setLevel(_QUIET)


def _flat(value: object) -> str:
    return " ".join(str(value).split()) or type(value).__name__
