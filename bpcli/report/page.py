"""The report as one HTML file: a study rendered with the templates of `pages/`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from bpcli import config as configuration
from bpcli.report import plots, replay
from bpcli.report.findings import dying, findings
from bpcli.report.history import Run
from bpcli.report.plots import Painter
from bpcli.report.predictions import Indices, Predictions, cell, confident_mistakes, uncertain_hits
from bpcli.report.sketch import commonest, sketch
from bpcli.report.sprites import ACROSS, image_url, sheet_url, weights_url
from bpcli.report.study import LayerStudy, Study, overview, versions
from bpcli.report.svg import Inliner
from bpcli.report.tables import SHOWN
from bpcli.report.units import exciting
from bpcli.report.web import PAGES, digest, scripts
from bpcli.storage.start import origin

UNITS = 60  # units whose weights are shown: they fill whole rows on wide and on narrow screens
EXCITING = 3  # images below a unit's weights
MAX_IN_CELL = 1200  # images of one cell of the confusion matrix; MNIST's fullest cell has fewer
MAX_EPOCHS = 100  # rows of the table of epochs


SCRIPTS = tuple(f"report/{name}" for name in ("cells", "epochs", "replay", "main"))


class Digit(NamedTuple):
    """An image with the network's prediction."""

    url: str
    number: int
    label: int
    answer: int
    scores: list[float]


class Unit(NamedTuple):
    """A unit of the first layer: its weights and the images that excite it most, as URLs, and their labels."""

    url: str
    number: int
    use: float
    exciting: str
    labels: list[str]


def report_page(seen: Study) -> str:
    """Return the report of a run, an HTML document; a warning about the run stands at its top."""
    run, about = seen.run, seen.run.loaded.spec
    inliner = Inliner(plots.PROPERTIES)
    with plots.our_style():
        curves, live = _curves(inliner, run)
        drawn = drawings(inliner, _single_plots(seen))
        drawn |= {"layers": [_layer_plots(inliner, each) for each in seen.layers]}
    return render(
        "report.html.j2",
        inliner,
        plots=drawn | curves,
        title=run.name,
        warning=run.warning,
        side=about.side,
        classes=about.classes,
        digits=about.numerals,
        ink=about.digits,
        facts=overview(seen),
        splits=seen.splits,
        epochs=_thinned(run.epochs),
        bins=seen.bins,
        layers=seen.layers,
        mistakes=_digits(seen.test, confident_mistakes(seen.test, SHOWN)),
        uncertain=_digits(seen.test, uncertain_hits(seen.test, SHOWN)),
        units=_units(seen),
        cells=_cells(seen) | {"side": about.side, "classes": about.classes},
        settings=_settings(run),
        start=origin(run.loaded.environment),
        **_told(seen),
        **_replayed(seen, live),
    )


def _told(seen: Study) -> dict[str, Any]:
    """Return what the opening and the findings say."""
    return {
        "common": commonest(seen.splits["test"]["confusion"], seen.run.loaded.spec.classes),
        "sketch": sketch(seen),
        "dead": any(each.active.dead.any() for each in seen.layers if each.active),
        "findings": findings(seen),
        "dying": dying(seen.run.epochs),
        "training_differs": _training_differs(seen.run),
    }


def _replayed(seen: Study, live: Mapping[str, Any]) -> dict[str, Any]:
    """Return what curves and slider need."""
    run, about, snapshots = seen.run, seen.run.loaded.spec, replay.snapshots(seen)
    epochs = [int(each) for each in run.column("epoch")]
    story = {"curves": live, "epochs": epochs, "kept": run.loaded.epoch, "snapshots": snapshots}
    return {
        "replayed": len(snapshots["units"]),
        "validated": "validation" in seen.splits,
        "story": story | {"side": about.side, "classes": about.classes},
    }


def comparison_page(studies: Sequence[Study]) -> str:
    """Return the comparison of several runs, an HTML document; warnings about the runs stand at its top."""
    inliner = Inliner(plots.PROPERTIES)
    runs = [seen.run for seen in studies]
    shared = [run.loaded.spec for run in runs]
    painters: dict[str, tuple[str, Painter]] = {
        kind: (f"{name} of each run by epoch", lambda axes, kind=kind: plots.compared(axes, runs, kind))  # type: ignore[misc]
        for kind, name in (("loss", "loss"), ("error", "error rate"))
    }
    with plots.our_style():
        drawn = drawings(inliner, painters)
    return render(
        "comparison.html.j2",
        inliner,
        plots=drawn,
        title=f"{len(runs)} runs",
        warnings=[(run.name, run.warning) for run in runs if run.warning],
        classes=shared[0].classes if len({each.classes for each in shared}) == 1 else (),
        digits=all(each.numerals for each in shared),
        runs=[(overview(seen), seen.splits) for seen in studies],
        differences=_differences(runs),
    )


def _single_plots(seen: Study) -> dict[str, tuple[str, Painter]]:
    """Return the plots that a report has once: name, text for screen readers, and painter."""
    return {
        "reliability": ("share of right answers by score", lambda axes: plots.reliability(axes, seen)),
        "scores": ("right and wrong answers by score", lambda axes: plots.score_histogram(axes, seen)),
    }


def _curves(inliner: Inliner, run: Run) -> tuple[dict[str, Markup], dict[str, Any]]:
    """Return the plots by epoch, and what makes them live."""
    painters: dict[str, tuple[str, Painter]] = {
        "loss": ("training and validation loss by epoch", lambda axes: plots.loss(axes, run)),
        "error": ("training and validation error rate by epoch", lambda axes: plots.error(axes, run)),
        "rate": ("learning rate by epoch", lambda axes: plots.learning_rate(axes, run)),
    }
    drawn, live = {}, {}
    for name, (label, paint) in painters.items():
        whole = plots.figure([paint])
        drawn[name] = _inlined(inliner, whole, label)
        live[name] = replay.curve(whole, run, name)
    return drawn, live


def _training_differs(run: Run) -> str:
    """Return what else differs while a network is trained, in words."""
    config = run.loaded.config
    parts = (
        ("on distorted images", config.augment.distorts),
        ("with a part of the units left out", config.model.dropout > 0),
    )
    return "".join(f", {words}" for words, differs in parts if differs)


def _units(seen: Study) -> list[Unit]:
    """Return the most used units of the first layer."""
    shown, names = seen.ranking[:UNITS], seen.run.loaded.spec.classes
    found = exciting(seen.run.model, seen.test.images, shown, EXCITING)
    return [
        Unit(
            weights_url(weights), number, use, sheet_url(seen.test.images[top]) if top else "",
            [names[label] for label in seen.test.labels[top]],
        )
        for weights, number, use, top in zip(seen.weight_images, shown, seen.use, found, strict=False)
    ]  # fmt: skip


def _layer_plots(inliner: Inliner, layer: LayerStudy) -> list[Markup]:
    painters: dict[str, tuple[str, Painter]] = {
        "weights": (f"histogram of the weights, {layer.name}", lambda axes: plots.weights(axes, layer)),
        "gradients": (f"histogram of the gradient's size, {layer.name}", lambda axes: plots.gradients(axes, layer)),
    }
    if (active := layer.active) is not None:
        painters["firing"] = (
            f"how often units fire, {layer.name}",
            lambda axes: plots.firing(axes, layer.name, active),
        )
    return list(drawings(inliner, painters).values())


def drawings(inliner: Inliner, painters: dict[str, tuple[str, Painter]]) -> dict[str, Any]:
    """Return plots as SVG by name, from the text for screen readers and the painter of each."""
    return {name: _inlined(inliner, plots.figure([paint]), label) for name, (label, paint) in painters.items()}


def _inlined(inliner: Inliner, whole: Figure, label: str) -> Markup:
    return Markup(inliner.inline(whole, label))  # noqa: S704 (ElementTree's)  # nosec B704


def _digits(given: Predictions, chosen: Indices) -> list[Digit]:
    answers = given.answers
    return [
        Digit(image_url(given.images[i]), int(i), int(given.labels[i]), int(answers[i]), given.scores[i].tolist())
        for i in chosen
    ]


def _cells(seen: Study) -> dict[str, Any]:
    """Return the images of each nonempty cell of the confusion matrix: a sheet, and their indices and scores."""
    pairs = np.argwhere(seen.splits["test"]["confusion"]).tolist()
    found = {f"{label}-{answer}": cell(seen.test, label, answer) for label, answer in pairs}
    return {
        "across": ACROSS,
        "cells": {name: _sheet(seen.test, inside) for name, inside in found.items()},
    }


def _sheet(given: Predictions, inside: Indices) -> dict[str, Any]:
    shown = inside[:MAX_IN_CELL]
    scores = [round(float(score), 3) for score in given.winning[shown]]
    return {"of": len(inside), "sheet": sheet_url(given.images[shown]), "index": shown.tolist(), "scores": scores}


def _thinned(epochs: Sequence[Any]) -> Sequence[Any]:
    """Return at most `MAX_EPOCHS` rows, evenly spaced, including the last."""
    stride = -(-len(epochs) // MAX_EPOCHS)
    return epochs[(len(epochs) - 1) % stride :: stride]


def _settings(run: Run) -> dict[str, object]:
    """Return the configuration's values by dotted key."""
    return dict(_flat(configuration.to_tree(run.loaded.config)))


def _flat(tree: dict[str, Any], path: str = "") -> Iterable[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", list(value) if isinstance(value, tuple) else value


def _differences(runs: Sequence[Run]) -> dict[str, list[object]]:
    """Return the keys in which the runs' configurations differ, with each run's value."""
    settings = [_settings(run) for run in runs]
    rows = {key: [each[key] for each in settings] for key in settings[0]}
    return {key: row for key, row in rows.items() if any(value != row[0] for value in row)}


def render(template: str, inliner: Inliner, **context: object) -> str:
    """Return a page: a template of `pages/`, with the plots' CSS and a policy that allows only its own scripts."""
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": _percent, "duration": _duration}
    css, script = (
        (PAGES / "report.css").read_text(encoding="utf-8") + inliner.css(),
        f'"use strict";\n{scripts(*SCRIPTS)}',
    )
    policy = f"style-src '{digest(css)}'; script-src '{digest(script)}'"
    files = {"css": css, "script": script, "policy": policy}
    own = {name: Markup(text) for name, text in files.items()}  # noqa: S704 (our own)  # nosec B704
    return environment.get_template(template).render(own | {"versions": versions()} | context)


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.2f}\u00a0%"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}\u00a0min {rest}\u00a0s" if minutes else f"{seconds:.1f}\u00a0s"
