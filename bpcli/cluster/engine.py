"""Engines carry tasks to whoever trains them. This one trains them here, one after another."""

from collections.abc import Callable, Generator
from typing import Protocol

from bpcli.cluster.task import Done, Reported, Task, perform

POLL = 0.2  # seconds between two looks at whether a signal has arrived


class Engine(Protocol):
    """What carries tasks.

    Attributes:
        size: how many tasks can be under way at a time, at least 1.
        name: who does the work, in words.
    """

    @property
    def size(self) -> int:
        """Return how many tasks can be under way at a time, at least 1."""

    @property
    def name(self) -> str:
        """Return who does the work, in words."""

    def submit(self, task: Task) -> None:
        """Put a task under way."""

    def next(self, should_stop: Callable[[], bool]) -> Reported | Done | None:
        """Return what happens next to the tasks that are under way; None if `should_stop` returned True first."""


class InProcess:
    """An engine that trains here, one task after another."""

    size = 1
    name = "this process"

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._running: Generator[Reported, None, Done] | None = None

    def close(self) -> None:
        """Give up the task that is under way."""
        if self._running is not None:
            self._running.close()

    def submit(self, task: Task) -> None:
        """Put a task under way."""
        self._tasks.append(task)

    def next(self, should_stop: Callable[[], bool]) -> Reported | Done | None:
        """Return what happens next; None if nothing does. Once told to stop, a run hands back its state."""
        if self._running is None and should_stop():
            return None
        self._running = self._running or perform(self._tasks.pop(0), should_stop)
        try:
            return next(self._running)
        except StopIteration as end:
            self._running = None
            done: Done = end.value
            return done


class Plan(Protocol):
    """What decides which tasks there are."""

    def next(self) -> Task | None:
        """Return the next task; None if there is none now."""

    def take(self, done: Done) -> None:
        """Keep what a task has brought."""


Happenings = Generator[Task | Reported | Done, None, None]


def carried(engine: Engine, plan: Plan, should_stop: Callable[[], bool]) -> Happenings:
    """Yield each task as it is put under way, each report, and each result once the plan has kept it.

    It ends when the plan has no more tasks and none is under way, or when `should_stop` returns True; what is under way
    then is given up, and can be begun again from the last files that were kept.
    """
    running = 0
    while True:
        while running < engine.size and not should_stop() and (task := plan.next()) is not None:
            engine.submit(task)
            running += 1
            yield task
        happened = engine.next(should_stop) if running else None
        if happened is None:
            return
        if isinstance(happened, Done):
            plan.take(happened)
            running -= 1
        yield happened
