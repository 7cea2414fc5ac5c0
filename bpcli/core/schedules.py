"""Schedules: the factor of the configured learning rate over time."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule: its name in `SCHEDULES` and its settings, with times in epochs."""

    kind: str
    epochs: int
    milestones: tuple[int, ...] = ()
    factor: float = 1.0
    warmup: float = 0


def rate(schedule: Schedule, epoch: int, step: int, steps: int) -> float:
    """Return the factor of the learning rate at one step.

    Args:
        schedule: its settings.
        epoch: the index of the epoch, from 0.
        step: the index of the step within the epoch, from 0.
        steps: the number of steps of an epoch.
    """
    base = SCHEDULES[schedule.kind](schedule, epoch + step / steps)
    done, rising = epoch * steps + step + 1, schedule.warmup * steps
    return base * done / rising if done < rising else base


def _steps(schedule: Schedule, time: float) -> float:
    """Return 1, multiplied by `factor` at each milestone."""
    return float(schedule.factor ** bisect_right(schedule.milestones, time))


def _cosine(schedule: Schedule, time: float) -> float:
    """Return half a cosine, 1 after the warm-up and 0 at the end (Loshchilov, Hutter 2017, arXiv:1608.03983)."""
    return (1 + cos(pi * _progress(schedule, time))) / 2


def _linear(schedule: Schedule, time: float) -> float:
    """Return a straight line, 1 after the warm-up and 0 at the end."""
    return 1 - _progress(schedule, time)


def _progress(schedule: Schedule, time: float) -> float:
    """Return which part of the time after the warm-up is over, 0 to 1."""
    span = schedule.epochs - schedule.warmup
    return min(max(time - schedule.warmup, 0) / (span if span > 0 else 1), 1)


SCHEDULES: dict[str, Callable[[Schedule, float], float]] = {
    "constant": lambda schedule, time: 1.0,
    "steps": _steps,
    "cosine": _cosine,
    "linear": _linear,
}
