"""The result of a run or a series: plain data, collected from its events."""

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from bpcli.inference.ensemble import statistics_of
from bpcli.storage.series_file import member_folder
from bpcli.training.events import Event, Finished, SeriesEnded, SeriesStarted, Started, Tested

QUANTITIES = ("errors", "accuracy")
STATISTICS = ("mean", "sd", "min", "max")


class Result:
    """The result of a run or a series, as far as it is known so far.

    Attributes:
        folder: of the run or series, once it is made.
        values: run, start (if it started from a network), epochs, best_epoch, warning, dead_units, seconds, and loss
            and accuracy of each split; for a series, the data of `series_result`.
        finished: whether all is done.
        in_series: whether these are the events of a series.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.values: dict[str, Any] = {}
        self.finished = False
        self.in_series = False
        self._start = perf_counter()

    def add(self, event: Event) -> None:
        """Update the result from an event."""
        match event:
            case SeriesStarted():
                self.folder, self.in_series = event.folder, True
            case Started():
                self.folder = self.folder or event.folder
                self.values = {"run": event.folder} | ({"start": event.start} if event.start else {})
            case Finished():
                self.values |= {"epochs": event.epochs, "best_epoch": event.best_epoch + 1}
                self.values["warning"] = event.warning or None
                self.values["dead_units"] = event.dead.count if event.dead else None
                for name in ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss"):
                    self.values[name] = event.metrics.get(name)
            case Tested():
                self.values |= {"test_accuracy": event.test.accuracy, "test_loss": event.test.loss}
                self._end(finished=not self.in_series)
            case SeriesEnded():
                self.values = series_result(event)
                self._end(finished=True)

    def _end(self, *, finished: bool) -> None:
        self.values["seconds"] = round(perf_counter() - self._start, 3)
        self.finished = finished


def series_result(event: SeriesEnded) -> dict[str, Any]:
    """Return the metrics of a series as plain data: run, n, members, mean, sd, min, max, committee.

    Each statistic takes errors and accuracy separately: `min` has the fewest errors, but the lowest accuracy.
    """
    found = {
        quantity: statistics_of([metrics[quantity] for metrics in event.members.values()])._asdict()
        for quantity in QUANTITIES
    }
    return {
        "run": event.folder,
        "n": event.committee["n"],
        "members": [
            {"seed": seed, "run": member_folder(event.folder, seed)} | _both(metrics) | {"loss": metrics["loss"]}
            for seed, metrics in event.members.items()
        ],
        **{name: {quantity: found[quantity][name] for quantity in QUANTITIES} for name in STATISTICS},
        "committee": _both(event.committee),
    }


def _both(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {quantity: metrics[quantity] for quantity in QUANTITIES}
