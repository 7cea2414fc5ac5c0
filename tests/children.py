"""Processes that tests start: they hear signals, and none outlives its test or is waited for without end."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

HANGS = 300  # seconds after which nobody waits any longer
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def heard() -> Iterator[None]:
    """What is started meanwhile hears signals, though this process was told to ignore some, as by nohup or `&`."""
    ignored = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda *_: None)  # one that has a handler acts by default in a new process
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def children() -> Iterator[Callable[..., "subprocess.Popen[Any]"]]:
    """Starts processes as `subprocess.Popen` does; kills what lives too long, and in the end what still lives."""
    living: dict[subprocess.Popen[Any], Timer] = {}

    def start(command: list[str], **options: Any) -> "subprocess.Popen[Any]":
        for process in [process for process in living if process.returncode is not None]:
            living.pop(process).cancel()
        with heard():
            process = subprocess.Popen(command, **options)
        living[process] = Timer(HANGS, process.kill)
        living[process].start()
        return process

    try:
        yield start
    finally:
        for process, alarm in living.items():
            alarm.cancel()
            process.kill()
            with process:  # closes its pipes and waits
                pass


@contextmanager
def child(command: list[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """One such process, which may come to its end by itself unless the test has failed."""
    with children() as start, start(command, **options) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
