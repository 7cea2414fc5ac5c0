"""The report of a search as one HTML file."""

from collections.abc import Sequence
from pathlib import Path

from bpcli.report import plots, search_plots, search_text
from bpcli.report.page import drawings, render
from bpcli.report.plots import Painter
from bpcli.report.svg import Inliner
from bpcli.storage.search_file import Search
from bpcli.storage.trials import Trial, ranked, short

_ROWS = 100  # trials in the table, the best ones


def search_page(folder: Path, search: Search, trials: Sequence[Trial]) -> str:
    """Return the report of a search, an HTML document.

    Args:
        folder: of the search.
        search: what was searched.
        trials: all of them.
    """
    best = ranked(trials, search)
    inliner = Inliner(plots.PROPERTIES)
    with plots.our_style():
        drawn = drawings(inliner, _painters(search, trials, best)) if best else {}
    found = search_text.as_record(folder, search, trials, {})
    return render(
        "search.html.j2",
        inliner,
        plots=drawn,
        title=folder.name,
        metric=search.metric.replace("_", " "),
        keys=list(search.space),
        rungs=search.rungs,
        of=search.config.train.epochs,
        epochs=found["epochs"],
        count=len(trials),
        states=search_text.counted(trials, search),
        next=found["next"],
        rows=[(t.number, t.state(search.rungs), t.epochs, _score(search, t), _shown(t)) for t in best[:_ROWS]],
        failed=[(t.number, _shown(t), t.failed) for t in trials if t.failed],
    )


def _score(search: Search, trial: Trial) -> str:
    return search_text.score(search, trial.score or 0.0)


def _shown(trial: Trial) -> list[str]:
    """Return a trial's values as people read them."""
    return [short(value) for value in trial.values.values()]


def _painters(search: Search, trials: Sequence[Trial], best: Sequence[Trial]) -> dict[str, tuple[str, Painter]]:
    """Return the plots: name, text for screen readers, and painter."""
    metric = search.metric.replace("_", " ")
    painters: dict[str, tuple[str, Painter]] = {
        "history": (f"{metric} of each trial", lambda axes: search_plots.history(axes, search, trials)),
        "parallel": (
            f"values and {metric} of each trial, as lines",
            lambda axes: search_plots.parallel(axes, search, best),
        ),
    }
    for key in search.space:
        painters[key] = (
            f"{metric} against {key}",
            lambda axes, key=key: search_plots.against(axes, search, trials, key),  # type: ignore[misc]
        )
    return painters
