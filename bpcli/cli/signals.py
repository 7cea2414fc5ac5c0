"""Stopping on a signal: the first one stops the run between two steps, the second ends the process at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stop:
    """The signal that arrived; 0 until then."""

    signal = 0

    def arrived(self) -> bool:
        """Return whether a signal has arrived."""
        return self.signal != 0

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells report it."""
        return 128 + self.signal

    @property
    def name(self) -> str:
        """The signal's name, such as SIGINT."""
        return signal.Signals(self.signal).name


@contextmanager
def noted_signals() -> Iterator[Stop]:
    """Record the first SIGINT, SIGTERM or SIGHUP in the `Stop` that is yielded; at the end, restore the handlers.

    Signals that the process was told to ignore, as by nohup, stay ignored.
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    heeded = [number for number, handler in before.items() if handler is not signal.SIG_IGN]

    def note(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        for each in heeded:
            signal.signal(each, signal.SIG_DFL)

    for number in heeded:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
