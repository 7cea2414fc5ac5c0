"""Runs: train one, go on with one, open one, and look at it."""

import os
import signal
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import msgspec
import numpy as np

from bpcli import config as configuration
from bpcli import machine
from bpcli.config import Config
from bpcli.core.threads import ThreadGroup, never_stop
from bpcli.data.folder.remarks import Preparing
from bpcli.errors import BpcliWarning
from bpcli.interface import curve
from bpcli.interface.predictor import Predictor
from bpcli.report import history
from bpcli.storage import outcome, series_file, start
from bpcli.storage.find import find_run
from bpcli.storage.metrics_csv import COLUMNS
from bpcli.storage.outcome import Outcome
from bpcli.training.events import EpochEnd, Event, Notice, PicturesRead, Started, Step
from bpcli.training.result import Result
from bpcli.training.run import recorded_training, resumed_training

if TYPE_CHECKING:
    from tqdm import tqdm

History: TypeAlias = "np.recarray[Any, Any]"
Settings: TypeAlias = Mapping[str, object]

REPORT = "report.html"
_TEXTS = ("warning", "failed")


def train(
    source: str | os.PathLike[str] | Settings | Config = "default",
    *,
    progress: bool = False,
    out: str | os.PathLike[str] | None = None,
    **settings: object,
) -> "Run":
    """Train a network and return its run, the same to the byte as that of `bpcli train`.

    Ctrl-C, or a notebook's stop button, stops after the next batch and keeps the run: `resume` goes on with it. Where
    the command line prints a warning, this warns with `BpcliWarning`.

    Args:
        source: the name of a preset, the path of a YAML file, settings that override those of the preset `default`, or
            a whole configuration.
        progress: show a bar on stderr.
        out: the folder of the run, new or empty; by default `runs/<preset>-<n>`, for a configuration `runs/config-<n>`.
        **settings: override single keys, by their last part or as sections: `epochs=3, optimizer={"kind": "adam"}`.

    Raises:
        ConfigError, DataError: something is invalid; nothing is written yet.
        TrainingError: training has diverged; the checkpoints of the last good epoch stay.
        BusyError: another run is being written to the folder.
        OutputError: a file or folder can't be written.
        KeyboardInterrupt: it was stopped.
    """
    config, name = _configured(source, settings)
    folder = None if out is None else Path(out)
    return _run(lambda should_stop: recorded_training(config, name, folder, should_stop), progress)


def resume(source: str | os.PathLike[str] = "latest", *, epochs: int | None = None, progress: bool = False) -> "Run":
    """Go on with a run that was stopped, or for more epochs, and return it.

    Args:
        source: the run's folder or name; by default the one that began or went on last.
        epochs: how many epochs the run has from now on; by default as many as before.
        progress: show a bar on stderr.

    Raises:
        CheckpointError: there is no such run, or it can't go on.
        ConfigError, DataError, TrainingError, BusyError, OutputError, KeyboardInterrupt: as `train`.
    """
    folder, overrides = find_run(os.fspath(source)), [] if epochs is None else [f"train.epochs={epochs}"]
    if series_file.is_series(folder):
        raise series_file.not_one(folder)
    return _run(lambda should_stop: resumed_training(str(folder), None, overrides, should_stop), progress)


def open_run(source: str | os.PathLike[str]) -> "Run":
    """Return a run, by its folder or its name, or "latest", the one that ended last.

    Raises:
        CheckpointError: there is none, it has no finished epoch, or its files are damaged.
    """
    found = history.read_run(os.fspath(source))
    found = replace(found, folder=found.folder.resolve())  # it stays the same if the working directory changes
    return Run(found, outcome.read(found.folder) or _so_far(found))


def _so_far(run: history.Run) -> Outcome:
    """Return the outcome of a run that has not ended, were this its end."""
    metrics = {name: value for name, value in run.loaded.metrics.items() if name in Outcome.__struct_fields__}
    return msgspec.convert({"epochs": len(run.epochs), "best_epoch": run.loaded.epoch} | metrics, Outcome)


def _configured(source: str | os.PathLike[str] | Settings | Config, settings: Settings) -> tuple[Config, str]:
    """Return a run's configuration, and the name of its folder."""
    if isinstance(source, Mapping):
        return start.load("default", [source, settings]), "default"
    if isinstance(source, Config):
        return configuration.changed(source, settings, "settings"), "config"
    return start.load(os.fspath(source), [settings]), Path(source).stem


def _run(begin: Callable[[Callable[[], bool]], Generator[Event, None, None]], progress: bool) -> "Run":
    """Consume the events of a training, and return its run."""
    result = Result()
    with _noted_interrupt() as interrupted, closing(begin(interrupted)) as events:
        for event in _with_bar(events) if progress else events:
            result.add(event)
            for text in _warnings(event):
                warnings.warn(text, BpcliWarning, stacklevel=3)
    if not result.finished or result.folder is None:
        where = f"; bpcli.resume({str(result.folder)!r}) goes on" if result.folder else ""
        raise KeyboardInterrupt(f"stopped{where}")
    run = open_run(result.folder.resolve())
    if run.outcome.warning:
        warnings.warn(run.outcome.warning, BpcliWarning, stacklevel=3)
    return run


def _warnings(event: Event) -> tuple[str, ...]:
    """Return the warnings in an event."""
    match event:
        case Notice():
            return (event.text,)
        case PicturesRead():
            return (*map(str, event.remarks.warnings),)
    return ()


@contextmanager
def _noted_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C was pressed; pressed again, it acts as before."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield never_stop  # another thread hears no signals
        return
    noted = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        signal.signal(number, before)
        noted.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield noted.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _with_bar(events: Iterator[Event]) -> Iterator[Event]:
    """Yield the events, and show a bar of the whole run."""
    from tqdm import tqdm

    with tqdm(unit="batch") as bar:
        for event in events:
            _show(bar, event)
            yield event


def _show(bar: "tqdm[NoReturn]", event: Event) -> None:
    match event:
        case Preparing():
            if event.done == 0:
                bar.reset(event.total)
                bar.set_description("pictures")
            bar.update(event.done - bar.n)
        case Started():
            bar.reset(event.epochs * event.steps)
            bar.n = bar.initial = event.epoch * event.steps + event.step  # of an earlier session, so without a time
        case Step():
            bar.set_description(f"epoch {event.epoch + 1}", refresh=False)
            bar.set_postfix(loss=f"{event.loss:.4f}", refresh=False)
            bar.update(event.epoch * event.steps + event.step + 1 - bar.n)
        case EpochEnd():
            score = event.validation or event.train
            bar.set_postfix(loss=f"{score.loss:.4f}", accuracy=f"{score.accuracy:.4f}")


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """A run with at least one finished epoch. A notebook shows it as its curves and accuracies.

    Attributes:
        recorded: what its folder holds.
        outcome: how it ended: its numbers, and why its network should not be trusted (`warning`), if it should not.
    """

    recorded: history.Run
    outcome: Outcome

    def __repr__(self) -> str:
        return f"<Run {self.name}: {self._summary()}>"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.recorded.name

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self.recorded.folder

    @property
    def config(self) -> Config:
        """The configuration that it was trained with."""
        return self.recorded.loaded.config

    @property
    def metrics(self) -> dict[str, Any]:
        """Return epochs, best_epoch (from 1), seconds, and loss and accuracy of each split at the best epoch.

        They are None for a missing split; those of the test split also for a run that has not ended.
        """
        numbers = {name: value for name, value in msgspec.structs.asdict(self.outcome).items() if name not in _TEXTS}
        return numbers | {"seconds": round(self.recorded.seconds, 3)}

    @property
    def model(self) -> Predictor:
        """The network of the best epoch."""
        return Predictor((self.name,), (self.recorded.loaded,))

    @property
    def history(self) -> History:
        """The metrics of each epoch, a record array with the columns of metrics.csv; NaN for a missing split."""
        rows = [tuple(np.nan if row[name] is None else row[name] for name in COLUMNS) for row in self.recorded.epochs]
        found: History = np.array(rows, [(name, int if name == "epoch" else float) for name in COLUMNS]).view(
            np.recarray
        )
        return found

    def report(self) -> Path:
        """Write the report of `bpcli report` into the run's folder, over an earlier one, and return its path.

        Raises:
            OutputError: it can't be written, or a package of the extra `report` is not installed.
            DataError: the data on which it was trained can't be read.
        """
        from bpcli.report import extras, tables
        from bpcli.report.study import study

        extras.require_extra()
        from bpcli.report import page  # needs the extra packages

        seen, target = study(self.recorded, ThreadGroup(machine.usable_cores())), self.folder / REPORT
        tables.write_tables(seen)
        tables.write_text(target, page.report_page(seen))
        return target

    def _repr_html_(self) -> str:
        """Return its curves and accuracies as HTML."""
        columns = {"training": "train_accuracy", "validation": "validation_accuracy"}
        curves = {name: values for name, column in columns.items() if (values := self.recorded.column(column))}
        drawn = curve.svg(curves, "accuracy by epoch")
        return f"<div><b>{escape(self.name)}</b>: {escape(self._summary())}<br>{drawn}</div>"

    def _summary(self) -> str:
        epochs = f"best epoch {self.outcome.best_epoch} of {self.outcome.epochs}"
        found = ((split, self.metrics[f"{split}_accuracy"]) for split in ("train", "validation", "test"))
        return ", ".join([epochs, *(f"{split} {100 * value:.2f} %" for split, value in found if value is not None)])
