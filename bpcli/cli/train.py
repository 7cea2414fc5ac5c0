"""`bpcli train`: train, show the progress, keep the run."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from bpcli.cli.engines import address_of, carried_by, engine
from bpcli.cli.options import configured
from bpcli.cli.output import percent, print_json, print_text, say, shown, with_paths_shown
from bpcli.cli.progress import STYLES, ProgressReporter
from bpcli.cli.series import table
from bpcli.cli.signals import Stop, noted_signals
from bpcli.cli.tally import TallyReporter
from bpcli.config import Config, Setting
from bpcli.machine import quote
from bpcli.storage import start
from bpcli.storage.find import find_run
from bpcli.storage.grid import Grid, parse_grid
from bpcli.storage.members import of_grid
from bpcli.storage.series_file import is_series
from bpcli.training.events import Event, Observer
from bpcli.training.result import Result
from bpcli.training.run import recorded_training, resumed_training
from bpcli.training.series import Train, recorded_series, resumed_series


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
    "--vary", multiple=True, metavar="KEY=VALUES",
    help="Train a run for each value of a key, such as data.deslant=true,false, and test all together. Repeatable; "
    "with another or --seeds, a run for each combination.",
)  # fmt: skip
@click.option(
    "--tensorboard", is_flag=False, flag_value="", metavar="[DIR]",
    help="Write a log for TensorBoard, by default into the run's folder.",
)  # fmt: skip
@click.option(
    "--from", "origin", metavar="NETWORK",
    help="Start from the weights of pretrained, latest, a run or a file: short for -s train.start=NETWORK.",
)  # fmt: skip
@click.option(
    "--epochs", type=click.IntRange(1, 100_000), metavar="N",
    help="Short for -s train.epochs=N; extends a run that is resumed.",
)  # fmt: skip
@carried_by
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout at the end.")
@click.option(
    "--progress", type=click.Choice(STYLES),
    help="bar: a bar of the whole run with its time to go, and some twenty lines at most; lines: a line for each "
    "epoch; none: only warnings. By default bar on a terminal, else lines. All epochs are in metrics.csv.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Short for --progress none.")
@click.pass_context
def train(
    context: click.Context,
    source: str,
    overrides: tuple[str, ...],
    out: Path | None,
    resume: str | None,
    seeds: str | None,
    vary: tuple[str, ...],
    tensorboard: str | None,
    origin: str | None,
    epochs: int | None,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
    progress: str | None,
    quiet: bool,
) -> None:
    """Train a network and keep the run: its configuration, metrics.csv, best.npz and last.npz.

    With --seeds or --vary a series of runs, each in a folder of the series' folder, such as seed-0 or deslant-true: one
    after another, or several at a time with --workers or --scheduler.
    """
    settings = overrides if epochs is None else (*overrides, f"train.epochs={epochs}")
    grid = parse_grid(seeds, vary)
    _require_compatible(settings, out, resume, grid, origin)
    given = source if context.get_parameter_source("source") is not ParameterSource.DEFAULT else None
    config = start.load(source, _with(settings, origin)) if resume is None else None
    style, result, many = "none" if quiet else progress, Result(), bool(grid) or _goes_on_as_series(resume)
    with noted_signals() as stop:
        with _trainers(workers, scheduler, many, logged=tensorboard is not None) as by:
            reporter: Observer = ProgressReporter(style) if by is None else TallyReporter(style)
            observers = [reporter, *_logs(tensorboard, resume)]
            happenings = (
                _resumed(str(resume), given, settings, stop.arrived, by)
                if config is None
                else _begun(config, Path(source).stem, out, grid, stop.arrived, by)
            )
            for event in _watched(happenings, observers):
                result.add(event)
        _end(context, result, stop, as_json)


@contextmanager
def _trainers(workers: int | None, scheduler: str | None, many: bool, *, logged: bool) -> Iterator[Train | None]:
    """Yield what trains the members of a series on workers; None if they are trained here, one after another."""
    if not many:
        if workers is not None or scheduler is not None:
            raise click.UsageError(
                "workers train the runs of a series, such as --seeds 0..9; one network is too small to be divided"
            )
        yield None
        return
    if (address := address_of(workers, scheduler)) is None and workers is None:
        yield None
        return
    if logged:
        raise click.UsageError("--tensorboard logs what is trained here, not what workers train")
    with engine(workers, address) as found:
        from bpcli.cluster import series  # not needed by other trainings

        yield series.on(found)


def _require_compatible(
    settings: tuple[str, ...], out: Path | None, resume: str | None, grid: Grid, origin: str | None
) -> None:
    """Refuse options that contradict each other."""
    if resume is not None and out is not None:
        raise click.UsageError("--resume goes on in the run's own folder; -o is for a new run's")
    if resume is not None and grid:
        raise click.UsageError("--resume goes on with the runs there are; --seeds and --vary are for a new series")
    if resume is not None and origin is not None:
        raise click.UsageError("--resume goes on with the network of the run; --from is for a new run")
    for key in (setting.partition("=")[0].strip() for setting in settings):
        if key in grid:
            option = "--seeds says which seeds" if key == "seed" else f"--vary says which values {key} takes"
            raise click.UsageError(f"{option}; leave out -s {key}=...")


def _watched(events: Generator[Event, None, None], observers: Sequence[Observer]) -> Iterator[Event]:
    """Yield the events, each after the observers have handled it; at the end, close the events first, then them."""
    with ExitStack() as ends, closing(events):
        for observer in observers:
            ends.enter_context(closing(observer))
        for event in events:
            for observer in observers:
                observer.handle(event)
            yield event


def _with(settings: tuple[str, ...], origin: str | None) -> list[Setting]:
    """Return the settings of a new run with the network to start from."""
    return [*settings] if origin is None else [*settings, {"train.start": origin}]


def _begun(
    config: Config, name: str, out: Path | None, grid: Grid, should_stop: Callable[[], bool], by: Train | None
) -> Generator[Event, None, None]:
    """Return the events of a new run or series."""
    if not grid:
        return recorded_training(config, name, out, should_stop)
    return recorded_series(of_grid(config, grid), name, out, should_stop, train=by)


def _logs(tensorboard: str | None, resume: str | None) -> Iterator[Observer]:
    """Yield the log for TensorBoard, if one is wanted; "" is that in the run's folder."""
    if tensorboard is None:
        return
    from bpcli.training.tensorboard import TensorBoard, require_usable  # it needs Pillow

    if tensorboard:
        require_usable(Path(tensorboard), new=resume is None)
    yield TensorBoard(Path(tensorboard) if tensorboard else None)


def _resumed(
    resume: str, given: str | None, settings: tuple[str, ...], should_stop: Callable[[], bool], by: Train | None
) -> Generator[Event, None, None]:
    """Return the events of a resumed run or series."""
    if not is_series(find_run(resume)):
        return resumed_training(resume, given, settings, should_stop)
    if given is not None or settings:
        raise click.UsageError("a series goes on as it was begun; -c, -s and --epochs are for one of its runs")
    return resumed_series(resume, should_stop, train=by)


def _goes_on_as_series(resume: str | None) -> bool:
    """Return whether it is a series that goes on."""
    return resume is not None and is_series(find_run(resume))


def _end(context: click.Context, result: Result, stop: Stop, as_json: bool) -> None:
    """Print the result on stdout if the run is finished; else say on stderr what stopped it."""
    if not result.finished:
        kept = f"; go on with: bpcli train --resume {quote(shown(result.folder))}" if result.folder else ""
        say(f"stopped by {stop.name}{kept}")
        context.exit(stop.exit_code)
    values = with_paths_shown(result.values)
    if as_json:
        print_json(values)
    else:
        print_text(table(values) if "members" in values else summary(values))


def summary(result: Mapping[str, Any]) -> str:
    """Return the last line of a run: its accuracies and where it lies."""
    validation = result["validation_accuracy"]
    kept = f"validation accuracy {percent(validation)}, " if validation is not None else ""
    where = f"the run is in {result['run']}; see it with: bpcli report {quote(result['run'])}"
    return f"{kept}test accuracy {percent(result['test_accuracy'])}; {where}"
