"""Every number of a report as CSV or JSON, in the folder `report` of the run. `docs/formats.md` describes the files."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bpcli.errors import OutputError
from bpcli.report.predictions import Bin, Indices, Predictions, confident_mistakes, uncertain_hits
from bpcli.report.study import SPLITS, LayerStudy, Study, overview
from bpcli.report.units import Histogram
from bpcli.storage.files import write_file

FOLDER = "report"
SHOWN = 24  # number of mistakes, and of uncertain answers

_COLUMNS = ("run", "parameters", "epochs", "best_epoch", "seconds", "calibration_error")  # of comparison.csv
_SCORES = [(split, kind) for split in SPLITS for kind in ("loss", "accuracy")]
_COMPARED = [*_COLUMNS, *(f"{split}_{kind}" for split, kind in _SCORES)]
COMPARISON_MARK = ",".join(_COMPARED).encode() + b"\n"  # matches the beginning of every comparison.csv


def write_tables(seen: Study) -> Path:
    """Write the tables of a run.

    Returns:
        Their folder.

    Raises:
        OutputError: a file or the folder can't be written.
    """
    folder = make_folder(seen.run.folder / FOLDER)
    for name, content in tables(seen).items():
        write_text(folder / name, content)
    return folder


def tables(seen: Study) -> dict[str, str]:
    """Return the content of each file by its name."""
    test, metrics, classes = seen.test, seen.splits["test"], seen.run.loaded.spec.classes
    per_class = zip(classes, metrics["precision"], metrics["recall"], map(sum, metrics["confusion"]), strict=True)
    heading = "digit" if seen.run.loaded.spec.numerals else "class"
    return {
        "summary.json": _json(overview(seen)),
        "confusion_matrix.csv": _csv(["label", *classes], _confusion(metrics["confusion"], classes)),
        "classes.csv": _csv([heading, "precision", "recall", "images"], per_class),
        "answers.csv": _answers(test, range(len(test.labels)), classes),
        "mistakes.csv": _answers(test, confident_mistakes(test, SHOWN), classes),
        "uncertain.csv": _answers(test, uncertain_hits(test, SHOWN), classes),
        "reliability.csv": _csv(Bin._fields, seen.bins),
        "units.csv": _units(seen),
        "layers.json": _json([_layer(each) for each in seen.layers]),
    }


def comparison(studies: Sequence[Study]) -> str:
    """Return the content of comparison.csv: a row for each run."""
    rows = [(overview(seen), seen.splits) for seen in studies]
    return _csv(
        _COMPARED,
        ([*(row[name] for name in _COLUMNS), *(splits.get(s, {}).get(k) for s, k in _SCORES)] for row, splits in rows),
    )


def make_folder(folder: Path) -> Path:
    """Create a folder if it does not exist, and return it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be made: {error.strerror or error}") from error
    return folder


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_file(path, text.encode())


def _confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Iterable[list[object]]:
    return ([name, *row] for name, row in zip(classes, matrix, strict=True))


def _answers(given: Predictions, chosen: Iterable[int] | Indices, classes: Sequence[str]) -> str:
    """Return CSV with a row for each image: its index in the test file, label, answer and scores."""
    header = ["index", "label", "answer", *(f"score_{name}" for name in classes)]
    answers = given.answers
    rows = ([i, classes[given.labels[i]], classes[answers[i]], *map(_short, given.scores[i])] for i in chosen)
    return _csv(header, rows)


def _units(seen: Study) -> str:
    """Return CSV with a row for each unit of the first layer, the most used first."""
    active = seen.layers[0].active
    header = ["unit", "use", "mean_activation", "fired", "dead"]
    rows = zip(seen.ranking, seen.use, strict=True)
    if active is None:
        return _csv(header[:2], rows)
    return _csv(header, ([u, n, active.strength[u], active.fired[u], int(active.dead[u])] for u, n in rows))


def _layer(each: LayerStudy) -> dict[str, Any]:
    return {
        "layer": each.name,
        "weights": _histogram(each.weights),
        "log10_gradients": _histogram(each.gradients) | {"zero": each.zero_gradients},
        "units": None if each.active is None else len(each.active.dead),
        "dead": None if each.active is None else int(each.active.dead.sum()),
        "fired": None if each.active is None else [_short(share) for share in each.active.fired],
    }


def _histogram(histogram: Histogram) -> dict[str, Any]:
    return {"counts": histogram.counts.tolist(), "edges": [_short(edge) for edge in histogram.edges]}


def _short(number: float) -> float:
    """Return a number rounded to the seven digits of float32."""
    return float(f"{number:.7g}")


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _csv(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
