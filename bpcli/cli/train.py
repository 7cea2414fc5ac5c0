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
from bpcli.cli.signals import Stop, noted_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from tqdm import tqdm

    from bpcli.training.events import EpochEnd, Event, Score, Started, Step


@click.command()
@configured
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="The run's folder, new or empty, instead of runs/<preset>-<n>.",
)  # fmt: skip
@click.option(
    "--resume", is_flag=False, flag_value="latest", metavar="[RUN]",
    help="Go on with a run's folder, by default the latest, instead of starting anew.",
)  # fmt: skip
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
    epochs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train a network and keep the run: its configuration, metrics.csv, best.npz and last.npz."""
    if resume is not None and out is not None:
        raise click.UsageError("--resume goes on in the run's own folder; -o is for a new run's")
    settings = overrides if epochs is None else (*overrides, f"train.epochs={epochs}")
    given = source if context.get_parameter_source("source") is not ParameterSource.DEFAULT else None
    narrator = Narrator(quiet)
    with noted_signals() as stop:
        with closing(_events(source, given, settings, out, resume, stop.arrived)) as events:
            for event in events:
                narrator.tell(event)
        narrator.hush()
        _end(context, narrator, stop, as_json)


def _events(
    source: str,
    given: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    resume: str | None,
    stopping: Callable[[], bool],
) -> Generator[Event, None, None]:
    """The events of the training that is asked for."""
    from bpcli import config as configuration
    from bpcli.training.run import recorded_training, resumed_training

    if resume is not None:
        return resumed_training(resume, given, settings, stopping)
    return recorded_training(configuration.load(source, settings), Path(source).stem, out, stopping)


def _end(context: click.Context, narrator: Narrator, stop: Stop, as_json: bool) -> None:
    """Tells how it ended, on stdout if it came to an end by itself."""
    if "test_accuracy" not in narrator.result:
        kept = (
            f"; go on with: bpcli train --resume {quote(str(narrator.result['run']))}"
            if "run" in narrator.result
            else ""
        )
        say(f"stopped by {stop.name}{kept}")
        context.exit(stop.exit_code)
    if as_json:
        print_json(narrator.result)
    else:
        print_text(summary(narrator.result))


class Narrator:
    """Tells of a run on stderr, with a bar on a terminal and a line an epoch elsewhere, and gathers its result.

    Attributes:
        result: run, epochs, best_epoch, seconds, and loss and accuracy of each split, as far as they are known.
    """

    def __init__(self, quiet: bool) -> None:
        self.result: dict[str, object] = {}
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
                self.result["run"] = shown(event.folder)
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
                self.result["seconds"] = round(perf_counter() - self._start, 3)

    def hush(self) -> None:
        """Takes the bar off the screen."""
        if self._bar is not None:
            with suppress(OSError):  # the terminal is gone
                self._bar.close()
            self._bar = None

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
