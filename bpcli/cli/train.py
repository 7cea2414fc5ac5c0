"""`bpcli train`: train, show how it goes, keep the run."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bpcli.cli.options import configured, percent, print_json, shown
from bpcli.cli.signals import noted_signals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tqdm import tqdm

    from bpcli.training.events import EpochEnd, Event, Score, Step


@click.command()
@configured
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="The run's folder, new or empty, instead of runs/<preset>-<n>.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout at the end.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while training.")
@click.pass_context
def train(
    context: click.Context,
    source: str,
    overrides: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train a network and keep the run: its configuration, metrics.csv, best.npz and last.npz."""
    from bpcli import config as configuration
    from bpcli.training.run import recorded_training

    with noted_signals() as stop:
        config = configuration.load(source, overrides)
        narrator = Narrator(quiet)
        with closing(recorded_training(config, Path(source).stem, out)) as events:
            for event in events:
                narrator.tell(event)
                if stop.signal:
                    break
    narrator.hush()
    if stop.signal:
        click.echo(f"stopped by {stop.name}; the run is kept in {narrator.result.get('run')}", err=True)
        context.exit(stop.exit_code)
    if as_json:
        print_json(narrator.result)
    else:
        click.echo(summary(narrator.result))


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
                self._say(
                    f"training on {event.training:,} images, validating on {event.validation:,}; "
                    f"{event.parameters:,} parameters"
                )
            case events.EpochEnd():
                self._epoch(event)
            case events.Finished():
                self.result |= {"epochs": event.epochs, "best_epoch": event.best_epoch + 1}
            case events.Tested():
                self._note("test", event.test)
                self.result["seconds"] = round(perf_counter() - self._start, 3)

    def hush(self) -> None:
        """Takes the bar off the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _say(self, text: str) -> None:
        if not self._quiet:
            click.echo(text, err=True)

    def _step(self, event: Step) -> None:
        if self._quiet or not sys.stderr.isatty():
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=event.steps, unit="batch", leave=False, desc=f"epoch {event.epoch + 1}")
        self._bar.set_postfix(loss=f"{event.loss:.4f}", refresh=False)
        self._bar.update()

    def _epoch(self, event: EpochEnd) -> None:
        self.hush()
        if event.is_best or event.validation is None:
            self._note("train", event.train)
            self._note("validation", event.validation)
        width = len(str(event.epochs))
        validation = f"  validation {_score(event.validation)}" if event.validation else ""
        best = "  best" if event.validation and event.is_best else ""
        self._say(
            f"epoch {event.epoch + 1:{width}}/{event.epochs}  training {_score(event.train)}{validation}"
            f"  rate {event.learning_rate:.3g}  {event.seconds:.2f} s{best}"
        )

    def _note(self, split: str, score: Score | None) -> None:
        self.result[f"{split}_accuracy"] = score and score.accuracy
        self.result[f"{split}_loss"] = score and score.loss


def summary(result: Mapping[str, Any]) -> str:
    """The last line of a run: what came out of it, and where it lies."""
    validation = result["validation_accuracy"]
    kept = f"validation accuracy {percent(validation)}, " if validation is not None else ""
    where = f"the run is in {result['run']}; see it with: bpcli report {quote(result['run'])}"
    return f"{kept}test accuracy {percent(result['test_accuracy'])}; {where}"


def _score(score: Score) -> str:
    return f"{score.loss:.4f} {percent(score.accuracy)}"
