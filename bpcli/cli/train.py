"""`bpcli train`: train, show how it goes, keep the run."""

from __future__ import annotations

import sys
from contextlib import closing, suppress
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from bpcli.cli.options import configured, percent, print_json, print_text, say, shown, silence, warn
from bpcli.cli.series import record, table
from bpcli.cli.signals import Stop, noted_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from tqdm import tqdm

    from bpcli.training.events import (
        EpochEnd,
        Event,
        MemberStarted,
        Score,
        SeriesEnded,
        SeriesStarted,
        Started,
        Step,
    )


@click.command()
@configured
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="The run's or series' folder, new or empty, instead of runs/<preset>-<n>.",
)  # fmt: skip
@click.option(
    "--resume", is_flag=False, flag_value="latest", metavar="[RUN]",
    help="Go on with a run's or a series' folder, by default the latest, instead of starting anew.",
)  # fmt: skip
@click.option(
    "--seeds", metavar="SEEDS", help="Train a run for each seed, such as 0..6 or 0,3,5, and test all together."
)
@click.option("--epochs", type=int, metavar="N", help="Short for -s train.epochs=N; extends a run that is resumed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout at the end.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while training but for warnings.")
@click.pass_context
def train(
    context: click.Context,
    source: str,
    overrides: tuple[str, ...],
    out: Path | None,
    resume: str | None,
    seeds: str | None,
    epochs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train a network and keep the run: its configuration, metrics.csv, best.npz and last.npz.

    With --seeds a series of runs, one after another, each in a folder seed-<n> of the series' folder.
    """
    settings = overrides if epochs is None else (*overrides, f"train.epochs={epochs}")
    _require_compatible(settings, out, resume, seeds)
    given = source if context.get_parameter_source("source") is not ParameterSource.DEFAULT else None
    narrator = Narrator(quiet)
    with noted_signals() as stop:
        with closing(
            _begun(source, settings, out, seeds, stop.arrived)
            if resume is None
            else _resumed(resume, given, settings, stop.arrived)
        ) as events:
            for event in events:
                narrator.tell(event)
        narrator.hush()
        _end(context, narrator, stop, as_json)


def _require_compatible(settings: tuple[str, ...], out: Path | None, resume: str | None, seeds: str | None) -> None:
    """Refuses options that contradict each other."""
    if resume is not None and out is not None:
        raise click.UsageError("--resume goes on in the run's own folder; -o is for a new run's")
    if resume is not None and seeds is not None:
        raise click.UsageError("--resume goes on with the seeds there are; --seeds is for a new series")
    if seeds is not None and any(setting.partition("=")[0].strip() == "seed" for setting in settings):
        raise click.UsageError("--seeds says which seeds; leave out -s seed=...")


def _begun(
    source: str, settings: tuple[str, ...], out: Path | None, seeds: str | None, stopping: Callable[[], bool]
) -> Generator[Event, None, None]:
    """The events of a new run or series."""
    from bpcli import config as configuration
    from bpcli.training.run import recorded_training
    from bpcli.training.series import recorded_series
    from bpcli.training.series_file import parse_seeds

    config, name = configuration.load(source, settings), Path(source).stem
    if seeds is None:
        return recorded_training(config, name, out, stopping)
    return recorded_series(config, parse_seeds(seeds), name, out, stopping)


def _resumed(
    resume: str, given: str | None, settings: tuple[str, ...], stopping: Callable[[], bool]
) -> Generator[Event, None, None]:
    """The events of a run or series that goes on."""
    from bpcli.training.folder import named_run
    from bpcli.training.run import resumed_training
    from bpcli.training.series import resumed_series
    from bpcli.training.series_file import is_series

    if not is_series(named_run(resume)):
        return resumed_training(resume, given, settings, stopping)
    if given is not None or settings:
        raise click.UsageError("a series goes on as it was begun; -c, -s and --epochs are for one of its runs")
    return resumed_series(resume, stopping)


def _end(context: click.Context, narrator: Narrator, stop: Stop, as_json: bool) -> None:
    """Tells how it ended, on stdout if it came to an end by itself."""
    if not narrator.finished:
        kept = f"; go on with: bpcli train --resume {quote(narrator.folder)}" if narrator.folder else ""
        say(f"stopped by {stop.name}{kept}")
        context.exit(stop.exit_code)
    if as_json:
        print_json(narrator.result)
    else:
        print_text(table(narrator.result) if "members" in narrator.result else summary(narrator.result))


class Narrator:
    """Tells of a run or series on stderr, with a bar on a terminal and a line an epoch elsewhere; gathers its result.

    Attributes:
        folder: of the run or series, once it is made.
        result: run, epochs, best_epoch, seconds, and loss and accuracy of each split, as far as they are known; of a
            series what `series.record` makes of it.
        finished: whether all is done.
    """

    def __init__(self, quiet: bool) -> None:
        self.folder = ""
        self.result: dict[str, Any] = {}
        self.finished = False
        self._in_series = False
        self._quiet = quiet
        self._bar: tqdm[NoReturn] | None = None
        self._start = perf_counter()

    def tell(self, event: Event) -> None:
        """Tells of an event and notes its figures."""
        from bpcli.training import events

        match event:
            case events.Step():
                self._step(event)
            case events.Started():
                self.folder = self.folder or shown(event.folder)
                self.result = {"run": shown(event.folder)}
                self._start_from(event)
            case events.Noticed():
                warn(event.text)
            case events.EpochEnd():
                self._epoch(event)
            case events.Finished():
                self.result |= {"epochs": event.epochs, "best_epoch": event.best_epoch + 1}
                for split in ("train", "validation"):
                    for kind in ("accuracy", "loss"):
                        self.result[f"{split}_{kind}"] = event.figures.get(f"{split}_{kind}")
            case events.Tested():
                self.result |= {"test_accuracy": event.test.accuracy, "test_loss": event.test.loss}
                self._end()
            case events.SeriesStarted() | events.MemberStarted() | events.SeriesEnded():
                self._tell_of_series(event)

    def hush(self) -> None:
        """Takes the bar off the screen."""
        if self._bar is not None:
            with suppress(OSError):  # the terminal is gone
                self._bar.close()
            self._bar = None

    def _end(self) -> None:
        self.result["seconds"] = round(perf_counter() - self._start, 3)
        self.finished = not self._in_series
        if self._in_series:
            self._say(f"test accuracy {percent(self.result['test_accuracy'])}")

    def _tell_of_series(self, event: SeriesStarted | MemberStarted | SeriesEnded) -> None:
        from bpcli.training import events

        match event:
            case events.SeriesStarted():
                self.folder, self._in_series = shown(event.folder), True
                if event.finished:
                    self._say(f"{len(event.finished)} of the {len(event.seeds)} runs are finished")
            case events.MemberStarted():
                self._say(f"run {event.number} of {event.count}, seed {event.seed}")
            case events.SeriesEnded():
                self.result = record(event) | {"seconds": round(perf_counter() - self._start, 3)}
                self.finished = True

    def _say(self, text: str) -> None:
        if not self._quiet:
            say(text)

    def _start_from(self, event: Started) -> None:
        self._say(
            f"training on {event.training:,} images, validating on {event.validation:,}; "
            f"{event.parameters:,} parameters"
        )
        if event.epoch or event.step:
            self._say(f"going on after epoch {event.epoch}" + f" and {event.step} steps of the next" * bool(event.step))

    def _step(self, event: Step) -> None:
        if self._quiet or not sys.stderr.isatty():
            return
        try:
            self._draw(event)
        except OSError:  # the terminal is gone
            self._bar = None
            silence()

    def _draw(self, event: Step) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=event.steps, unit="batch", leave=False, desc=f"epoch {event.epoch + 1}")
        self._bar.set_postfix(loss=f"{event.loss:.4f}", refresh=False)
        self._bar.update(event.step + 1 - self._bar.n)

    def _epoch(self, event: EpochEnd) -> None:
        self.hush()
        width = len(str(event.epochs))
        validation = f"  validation {_score(event.validation)}" if event.validation else ""
        best = "  best" if event.validation and event.is_best else ""
        self._say(
            f"epoch {event.epoch + 1:{width}}/{event.epochs}  training {_score(event.train)}{validation}"
            f"  rate {event.learning_rate:.3g}  {event.seconds:.2f} s{best}"
        )


def summary(result: Mapping[str, Any]) -> str:
    """The last line of a run: what came out of it, and where it lies."""
    validation = result["validation_accuracy"]
    kept = f"validation accuracy {percent(validation)}, " if validation is not None else ""
    where = f"the run is in {result['run']}; see it with: bpcli report {quote(result['run'])}"
    return f"{kept}test accuracy {percent(result['test_accuracy'])}; {where}"


def _score(score: Score) -> str:
    return f"{score.loss:.4f} {percent(score.accuracy)}"
