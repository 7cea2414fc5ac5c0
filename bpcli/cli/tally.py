"""What is shown on stderr while workers train: a bar over all runs, or a line for each that has ended."""

import sys

from bpcli.cli.output import percent, say, warn
from bpcli.cli.progress import Screen
from bpcli.training.events import Event, Notice, RunEnded, SeriesStarted, Tally

_BAR = "{desc} {percentage:3.0f}%|{bar}| {remaining} to go"


class TallyReporter:
    """Reports the runs of a series or a search.

    Args:
        style: as of `progress.ProgressReporter`.
    """

    def __init__(self, style: str | None = None) -> None:
        self._style = style or ("bar" if sys.stderr.isatty() else "lines")
        self._screen, self._ended, self._drawn = Screen(), 0, False

    def handle(self, event: Event) -> None:
        """Report an event."""
        match event:
            case Notice():
                self._screen.above(lambda: warn(event.text))
            case SeriesStarted() if finished := event.series.finished:
                self._say(f"{len(finished)} of the {len(event.series.members)} runs are finished")
            case RunEnded():
                self._say(ending(event))
            case Tally() if self._style == "bar":
                self._draw(event)

    def close(self) -> None:
        """Remove the bar from the screen."""
        self._screen.end_bar()

    def _draw(self, event: Tally) -> None:
        if not self._drawn:
            self._screen.begin_bar(event.done, event.epochs, standing(event), "epochs", _BAR)
            self._drawn = True
        self._screen.move_bar(event.done, standing(event), "", event.epochs)

    def _say(self, text: str) -> None:
        if self._style != "none":
            self._screen.above(lambda: say(text))


def standing(event: Tally) -> str:
    """Return how the runs stand, in words."""
    failed = f", {event.failed} failed" if event.failed else ""
    return f"{event.running} running, {event.finished} of {event.runs} finished{failed}"


def ending(event: RunEnded) -> str:
    """Return the line of a run that has ended or pauses."""
    epochs = f"{event.epochs} epoch{'s' * (event.epochs != 1)}"
    if event.failed:
        return f"{event.name} failed: {event.failed}"
    found = [
        f"{split} accuracy {percent(event.metrics[name])}"
        for split in ("validation", "test")
        if (name := f"{split}_accuracy") in event.metrics
    ]
    return ", ".join([f"{event.name}: {epochs}{'' if event.finished else ' so far'}", *found])
