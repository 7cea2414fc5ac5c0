"""The log of a training for TensorBoard, written from its events."""

import os
from pathlib import Path

from bpcli.core.parameters import Layer
from bpcli.errors import OutputError
from bpcli.inference.evaluation import mistakes
from bpcli.inference.gradient import gradient
from bpcli.inference.mistake_sheet import mistake_sheet
from bpcli.storage import event_log, files, metrics_csv
from bpcli.storage.event_log import EventLog
from bpcli.storage.files import SYSTEM, FileSystem
from bpcli.storage.run_folder import CONFIG
from bpcli.storage.summaries import histogram, picture, scalar, text
from bpcli.training.events import CheckpointDue, EpochEnd, Event, Finished, MemberStarted, Started, Step, Views

SAMPLE = 256  # training images whose gradient is shown; its time counts against the training
SHOWN = 48  # mistakes
MOST = 100  # epochs of a run with histograms and mistakes, in about equal distances
_BATCH, _EPOCH, _CONFIGURATION = "batch", "epoch", "configuration"  # of tags, up to the first /


class TensorBoard:
    """Writes the log of a run, or of each run of a series.

    Args:
        folder: of the log; that of a series has a folder of the same name for each run. By default the run's folder.
        fs: the system calls.
    """

    def __init__(self, folder: Path | None = None, fs: FileSystem = SYSTEM) -> None:
        self._folder, self._fs = folder, fs
        self._member = ""  # the name of the run's folder in a series
        self._log: EventLog | None = None

    def handle(self, event: Event) -> None:
        """Log an event.

        Raises:
            OutputError: a file or folder can't be written.
        """
        match event:
            case MemberStarted():
                self._member = event.member.name
            case Started():
                self._log = self._begun(event)
            case Step() if self._log:
                _add_step(self._log, event)
            case EpochEnd() if self._log:
                _add_epoch(self._log, event)
            case CheckpointDue() | Finished():
                self.close()

    def close(self) -> None:
        """Write what waits in memory.

        Raises:
            OutputError: it can't be written.
        """
        if self._log:
            self._log.flush()

    def _begun(self, event: Started) -> EventLog:
        """Return the log of a run that begins or goes on; what it will log again is removed from earlier files."""
        folder, batches = self._folder_of(event), event.epoch * event.steps + event.step
        log = EventLog(folder, self._fs)
        if batches:
            log.restart(batches + 1)
        last = {_BATCH: batches, _CONFIGURATION: event.epoch - 1}
        event_log.forget(folder, lambda step, tag: step > last.get(tag.partition("/")[0], event.epoch), self._fs)
        log.add(event.epoch, text(_CONFIGURATION, _as_code((event.folder / CONFIG).read_text(encoding="utf-8"))))
        return log

    def _folder_of(self, event: Started) -> Path:
        if self._folder is None:
            return event.folder
        return self._folder / self._member


def require_usable(folder: Path, *, new: bool) -> None:
    """Make the folder of a log, before a training begins.

    Args:
        folder: of the log.
        new: whether the training is new; then the folder must hold no log.

    Raises:
        OutputError: it can't be made or written to, is no folder, or holds the log of another run.
    """
    try:
        is_other = folder.exists() and not folder.is_dir()
    except OSError as error:  # such as a name that is too long
        raise files.cannot_write(folder, error) from error
    if is_other:
        raise OutputError(f"{folder}: is not a folder; --tensorboard names the folder of a log")
    files.make_folder(folder)
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder}: can't be written to; --tensorboard wants a folder that can")
    if new and event_log.is_log(folder):
        raise OutputError(f"{folder}: holds the log of another run; --tensorboard wants a folder without one")


def _add_step(log: EventLog, event: Step) -> None:
    """Log the batches since the last report; their step counts the batches of the run, from 1."""
    batches = event.epoch * event.steps + event.step + 1
    log.add(batches, scalar(f"{_BATCH}/loss", event.loss), scalar(f"{_BATCH}/accuracy", event.accuracy))


def _add_epoch(log: EventLog, event: EpochEnd) -> None:
    """Log an epoch; its step is its number, from 1. The scalars are the numbers in metrics.csv."""
    number = event.epoch + 1
    written = {name: float(metrics_csv.as_text(value)) for name, value in event.row.items()}
    log.add(number, *(scalar(f"{_EPOCH}/{name}", value) for name, value in written.items()))
    if event.views and (number % -(-event.epochs // MOST) == 0 or number == event.epochs):
        log.add(number, *_histograms(event.views))
        if sheet := _mistakes(event.views):
            log.add(number, picture("mistakes", sheet))
    log.flush()


def _histograms(views: Views) -> list[bytes]:
    """Return the histograms of weights and biases, and of the gradients of the first training images' mean loss."""
    gradients = gradient(views.model, views.training.first(SAMPLE))
    parts: dict[str, tuple[Layer, ...]] = {"parameters": views.model.layers, "gradients": gradients}
    return [
        histogram(f"{part}/layer{number}.{name}", values)
        for part, layers in parts.items()
        for number, layer in enumerate(layers, 1)
        for name, values in layer._asdict().items()
    ]


def _mistakes(views: Views) -> bytes | None:
    """Return the surest mistakes on the validation images as a PNG; None if there are none."""
    if views.scores is None:
        return None
    wrong = mistakes(views.scores, views.validation.labels)[:SHOWN]
    return mistake_sheet(wrong, views.model.spec.classes, views.validation) if wrong else None


def _as_code(content: str) -> str:
    """Return a text as a block of code in Markdown."""
    return "".join(f"    {line}\n" for line in content.splitlines())
