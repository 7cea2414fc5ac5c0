"""Reader of a run's folder: the best epoch's network, and the metrics of every epoch."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from bpcli.errors import CheckpointError
from bpcli.model import Model
from bpcli.storage import checkpoint, metrics_csv
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.find import find_checkpoint

MAX_LENGTH = 16 * 2**20  # bytes of metrics.csv: far more than 100,000 epochs take

Row = Mapping[str, float | None]  # an epoch's metrics by column of metrics.csv; None for an empty field


@dataclass(frozen=True, slots=True)
class Run:
    """A run with at least one finished epoch.

    Attributes:
        name: its name.
        folder: its folder.
        loaded: the network of its best epoch.
        epochs: the rows of metrics.csv.
    """

    name: str
    folder: Path
    loaded: Checkpoint
    epochs: tuple[Row, ...]

    @property
    def model(self) -> Model:
        """The network of the best epoch, ready to use."""
        return self.loaded.model

    def column(self, name: str) -> list[float]:
        """Return one column of metrics.csv; empty if the run had no such split."""
        return [value for row in self.epochs if (value := row[name]) is not None]

    @property
    def seconds(self) -> float:
        """The time of all epochs in seconds."""
        return sum(self.column("seconds"))


def read_run(source: str | None) -> Run:
    """Return the run in a folder, by default the latest run.

    Raises:
        CheckpointError: there is none, it has no finished epoch, or its files are damaged.
    """
    path = find_checkpoint(source)
    if source is not None and not Path(source).is_dir():
        wrong = "not the folder of a run" if Path(source).exists() else "no such folder"
        raise CheckpointError(f"{source}: {wrong}; a run is a folder such as runs/default-1")
    folder = path.parent
    return Run(folder.resolve().name, folder, checkpoint.load(path), read_metrics(folder / "metrics.csv"))


def read_metrics(path: Path) -> tuple[Row, ...]:
    """Return the rows of a metrics.csv.

    Raises:
        CheckpointError: the file is missing, has no row, or is not what `bpcli train` writes.
    """
    try:
        if path.stat().st_size > MAX_LENGTH:
            raise CheckpointError(f"{path}: larger than {MAX_LENGTH // 2**20} MB, which no metrics.csv is")
        with path.open(encoding="ascii", newline="") as file:
            whole = (line for line in file if line.endswith("\n"))  # an unfinished row is skipped
            rows = tuple(_rows(csv.reader(whole), path))
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CheckpointError(f"{path}: not the metrics of a run: {error}") from error
    if not rows:
        raise CheckpointError(f"{path}: no epoch of this run was finished")
    return rows


def _rows(lines: Iterable[list[str]], path: Path) -> Iterable[Row]:
    for number, line in enumerate(lines, 1):
        if number == 1 and tuple(line) != metrics_csv.COLUMNS:
            raise CheckpointError(
                f"{path}: not the metrics of a run: its columns are not {', '.join(metrics_csv.COLUMNS)}"
            )
        if number > 1:
            yield _row(line, f"{path}, line {number}")


def _row(line: list[str], where: str) -> Row:
    try:
        row = {name: _number(text) for name, text in zip(metrics_csv.COLUMNS, line, strict=True)}
    except ValueError:
        raise CheckpointError(f"{where}: expected {len(metrics_csv.COLUMNS)} finite numbers") from None
    if missing := [name for name, value in row.items() if value is None and not name.startswith("validation_")]:
        raise CheckpointError(f"{where}: {missing[0]} is empty")
    return row


def _number(text: str) -> float | None:
    if not text:
        return None
    if not isfinite(value := float(text)):
        raise ValueError(text)
    return value
