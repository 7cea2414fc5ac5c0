"""`bpcli train`: train, show the progress, keep the run."""

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from bpcli import config as configuration
from bpcli.cli.options import configured
from bpcli.cli.output import percent, print_json, print_text, say, shown, silence, warn
from bpcli.cli.series import table
from bpcli.cli.signals import Stop, noted_signals
from bpcli.inference.evaluation import Score
from bpcli.storage.find import named_run
from bpcli.storage.series_file import is_series, parse_seeds
from bpcli.training import events
from bpcli.training.events import EpochEnd, Event, MemberStarted, SeriesStarted, Started, Step
from bpcli.training.result import Result
from bpcli.training.run import recorded_training, resumed_training
from bpcli.training.series import recorded_series, resumed_series

if TYPE_CHECKING:
    from tqdm import tqdm


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
@click.option(
    "--epochs", type=click.IntRange(1, 100_000), metavar="N",
    help="Short for -s train.epochs=N; extends a run that is resumed.",
)  # fmt: skip
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
    reporter, result = ProgressReporter(quiet), Result()
    with noted_signals() as stop:
        with closing(
            _begun(source, settings, out, seeds, stop.arrived)
            if resume is None
            else _resumed(resume, given, settings, stop.arrived)
        ) as happenings:
            for event in happenings:
                result.add(event)
                reporter.handle(event)
        reporter.close()
        _end(context, result, stop, as_json)


def _require_compatible(settings: tuple[str, ...], out: Path | None, resume: str | None, seeds: str | None) -> None:
    """Refuse options that contradict each other."""
    if resume is not None and out is not None:
        raise click.UsageError("--resume goes on in the run's own folder; -o is for a new run's")
    if resume is not None and seeds is not None:
        raise click.UsageError("--resume goes on with the seeds there are; --seeds is for a new series")
    if seeds is not None and any(setting.partition("=")[0].strip() == "seed" for setting in settings):
        raise click.UsageError("--seeds says which seeds; leave out -s seed=...")


def _begun(
    source: str, settings: tuple[str, ...], out: Path | None, seeds: str | None, should_stop: Callable[[], bool]
) -> Generator[Event, None, None]:
    """Return the events of a new run or series."""
    config, name = configuration.load(source, settings), Path(source).stem
    if seeds is None:
        return recorded_training(config, name, out, should_stop)
    return recorded_series(config, parse_seeds(seeds), name, out, should_stop)


def _resumed(
    resume: str, given: str | None, settings: tuple[str, ...], should_stop: Callable[[], bool]
) -> Generator[Event, None, None]:
    """Return the events of a resumed run or series."""
    if not is_series(named_run(resume)):
        return resumed_training(resume, given, settings, should_stop)
    if given is not None or settings:
        raise click.UsageError("a series goes on as it was begun; -c, -s and --epochs are for one of its runs")
    return resumed_series(resume, should_stop)


def _end(context: click.Context, result: Result, stop: Stop, as_json: bool) -> None:
    """Print the result on stdout if the run is finished; else say on stderr what stopped it."""
    if not result.finished:
        kept = f"; go on with: bpcli train --resume {quote(shown(result.folder))}" if result.folder else ""
        say(f"stopped by {stop.name}{kept}")
        context.exit(stop.exit_code)
    values = _with_paths_shown(result.values)
    if as_json:
        print_json(values)
    else:
        print_text(table(values) if "members" in values else summary(values))


def _with_paths_shown(values: Any) -> Any:
    """Return plain data with each path in its form for people."""
    match values:
        case Path():
            return shown(values)
        case dict():
            return {key: _with_paths_shown(value) for key, value in values.items()}
        case list():
            return [_with_paths_shown(value) for value in values]
    return values


class ProgressReporter:
    """Reports a run or series on stderr: a bar for each epoch on a terminal, and a line for each epoch."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._in_series = quiet, False
        self._bar: tqdm[NoReturn] | None = None

    def handle(self, event: Event) -> None:
        """Report an event."""
        match event:
            case events.Step():
                self._step(event)
            case events.Started():
                self._start_from(event)
            case events.Notice():
                warn(event.text)
            case events.EpochEnd():
                self._epoch(event)
            case events.Tested():
                if self._in_series:
                    self._say(f"test accuracy {percent(event.test.accuracy)}")
            case events.SeriesStarted() | events.MemberStarted():
                self._begin_series_or_member(event)

    def close(self) -> None:
        """Remove the bar from the screen."""
        if self._bar is not None:
            with suppress(OSError):  # the terminal is gone
                self._bar.close()
            self._bar = None

    def _begin_series_or_member(self, event: SeriesStarted | MemberStarted) -> None:
        if isinstance(event, events.MemberStarted):
            self._say(f"run {event.number} of {event.count}, seed {event.seed}")
            return
        self._in_series = True
        if event.finished:
            self._say(f"{len(event.finished)} of the {len(event.seeds)} runs are finished")

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
        self.close()
        width = len(str(event.epochs))
        validation = f"  validation {_score(event.validation)}" if event.validation else ""
        best = "  best" if event.validation and event.is_best else ""
        self._say(
            f"epoch {event.epoch + 1:{width}}/{event.epochs}  training {_score(event.train)}{validation}"
            f"  rate {event.learning_rate:.3g}  {event.seconds:.2f} s{best}"
        )


def summary(result: Mapping[str, Any]) -> str:
    """Return the last line of a run: its accuracies and where it lies."""
    validation = result["validation_accuracy"]
    kept = f"validation accuracy {percent(validation)}, " if validation is not None else ""
    where = f"the run is in {result['run']}; see it with: bpcli report {quote(result['run'])}"
    return f"{kept}test accuracy {percent(result['test_accuracy'])}; {where}"


def _score(score: Score) -> str:
    return f"{score.loss:.4f} {percent(score.accuracy)}"
