"""`bpcli search`: try settings, stop the worse ones early, keep every trial."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from bpcli.cli.engines import address_of, carried_by, engine, require
from bpcli.cli.output import print_json, print_text, say, shown, with_paths_shown
from bpcli.cli.progress import STYLES
from bpcli.cli.signals import noted_signals
from bpcli.cli.tally import TallyReporter
from bpcli.cluster.engine import Engine
from bpcli.errors import CheckpointError
from bpcli.machine import quote
from bpcli.report import search_text
from bpcli.search.halving import likely_epochs
from bpcli.search.plan import sampled
from bpcli.search.run import newest_search, recorded_search, resumed_search
from bpcli.storage import search_file, trials
from bpcli.storage.find import NEWEST, named
from bpcli.storage.run_folder import SEARCH
from bpcli.storage.search_file import MAX_TRIALS, Search
from bpcli.training.events import Event

_SAMPLES = 2 * 5  # configurations that --dry-run shows


@click.command()
@click.argument("space", required=False, type=click.Path(path_type=Path), metavar="[SPACE.yaml]")
@carried_by
@click.option(
    "--trials",
    "count",
    type=click.IntRange(1, MAX_TRIALS),
    metavar="N",
    help="How many, instead of what the file says.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="The search's folder, new or empty, instead of runs/search-<n>.",
)  # fmt: skip
@click.option(
    "--resume", is_flag=False, flag_value=NEWEST, metavar="[SEARCH]",
    help="Go on with a search, by default the latest, instead of starting anew.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print ten configurations and what the search may cost; train nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout at the end.")
@click.option(
    "--progress", type=click.Choice(STYLES),
    help="bar: a bar over all trials; lines: a line for each that has ended or pauses; none: only warnings.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Short for --progress none.")
@click.pass_context
def search(
    context: click.Context,
    space: Path | None,
    workers: int | None,
    scheduler: str | None,
    count: int | None,
    out: Path | None,
    resume: str | None,
    dry_run: bool,
    as_json: bool,
    progress: str | None,
    quiet: bool,
) -> None:
    """Search for better settings: each trial is a run, compared with the others on the validation split.

    SPACE.yaml names the settings that vary and their limits. Optuna chooses what the next trial tries; at each rung,
    the worse two thirds pause.
    """
    _require_compatible(space, resume, out, dry_run)
    require("optuna", "bpcli search")
    folder = None if resume is None else _folder(resume)
    found = search_file.read(space or Path(), count) if folder is None else _extended(folder, count)
    if dry_run:
        _preview(found)
        return
    with noted_signals() as stop:
        with (
            engine(workers, address_of(workers, scheduler)) as by,
            closing(TallyReporter("none" if quiet else progress)) as reporter,
        ):
            folder = _followed(_happenings(folder, found, out, by, stop.arrived), reporter)
        if stop.arrived():
            say(f"stopped by {stop.name}; go on with: bpcli search --resume {quote(shown(folder))}")
            context.exit(stop.exit_code)
    _print(folder, found, as_json)


def _require_compatible(space: Path | None, resume: str | None, out: Path | None, dry_run: bool) -> None:
    """Refuse arguments that contradict each other."""
    if resume is None and space is None:
        raise click.UsageError("Missing argument 'SPACE.yaml'; for example: bpcli search space.yaml")
    if resume is not None and (space is not None or out is not None or dry_run):
        raise click.UsageError("--resume goes on with a search as its folder describes it; only --trials may change")


def _folder(resume: str) -> Path:
    """Return the folder of a search to go on with."""
    folder = newest_search() if resume == NEWEST else named(resume)
    if not search_file.is_search(folder):
        raise CheckpointError(f"{resume}: not the folder of a search: it holds no {SEARCH}")
    return folder


def _extended(folder: Path, count: int | None) -> Search:
    """Return the search in a folder, with another number of trials if that is wanted."""
    found = search_file.read_folder(folder)
    return found if count is None else replace(found, trials=count)


def _preview(found: Search) -> None:
    """Print what a search would begin with."""
    from bpcli.search import tpe  # Optuna takes a second to import; a mistake in the file need not wait for it

    samples = sampled(found, tpe.sample, min(_SAMPLES, found.trials))
    print_text(search_text.preview(found, samples, likely_epochs(found)))


def _happenings(
    folder: Path | None, found: Search, out: Path | None, by: Engine, should_stop: Callable[[], bool]
) -> Generator[Event, None, Path]:
    """Return the events of a new or resumed search."""
    from bpcli.search import tpe

    if folder is None:
        return recorded_search(found, out, by, tpe.sample, should_stop)
    return resumed_search(folder, found, by, tpe.sample, should_stop)


def _followed(happenings: Generator[Event, None, Path], reporter: TallyReporter) -> Path:
    """Report a search to its end; return its folder."""
    with closing(happenings):
        while True:
            try:
                reporter.handle(next(happenings))
            except StopIteration as end:
                folder: Path = end.value
                return folder


def _print(folder: Path, found: Search, as_json: bool) -> None:
    """Print what the search has found."""
    from bpcli.search import tpe

    all_trials = trials.read(folder, found)
    mattered = tpe.importances(found, all_trials)
    if as_json:
        print_json(with_paths_shown(search_text.as_record(folder, found, all_trials, mattered)))
    else:
        print_text(search_text.text(folder, found, all_trials, mattered))
