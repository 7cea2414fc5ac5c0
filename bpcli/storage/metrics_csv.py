"""metrics.csv, one row per epoch: a run only appends to it; a run that is resumed repairs it first."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bpcli.config import Config
from bpcli.errors import CheckpointError, OutputError
from bpcli.storage import files
from bpcli.storage.files import SYSTEM, FileSystem

NAME = "metrics.csv"
COLUMNS = (
    "epoch", "learning_rate", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
    "dead_units", "seconds",
)  # fmt: skip
_OLD_COLUMNS = tuple(name for name in COLUMNS if name != "dead_units")  # of runs that older versions began
_MAY_BE_EMPTY = ("validation_loss", "validation_accuracy", "dead_units")
MAX_LENGTH = 16 * 2**20  # bytes: far more than 100,000 epochs take
_HEADER = ",".join(COLUMNS)

Row = Mapping[str, float | None]  # an epoch's numbers by column; None for an empty field


def begin(folder: Path, fs: FileSystem = SYSTEM) -> None:
    """Make the file, with its header but no rows.

    Raises:
        OutputError: it can't be written.
    """
    _write(folder, [], fs)


def add(folder: Path, epoch: int, numbers: Mapping[str, float], fs: FileSystem = SYSTEM) -> None:
    """Add an epoch's row; the columns of what the run lacks stay empty.

    Args:
        folder: of the run.
        epoch: from 1.
        numbers: by the names of the other columns.
        fs: the system calls.

    Raises:
        OutputError: the row can't be written; a part of it may have been.
    """
    row = [str(epoch), *(as_text(numbers[name]) if name in numbers else "" for name in COLUMNS[1:])]
    files.append(folder / NAME, f"{','.join(row)}\n".encode(), fs)


def as_text(number: float) -> str:
    """Return a number as the file holds it: with six digits."""
    return f"{number:.6g}"


def repair(folder: Path, epochs: int, fs: FileSystem = SYSTEM) -> None:
    """Keep the complete rows of the first `epochs` epochs; drop torn rows and those of epochs that will be redone.

    Raises:
        OutputError: the file can't be read or written.
    """
    found = _read(folder / NAME)
    rows = list(_whole_rows(found.decode("ascii", "replace"), epochs))
    if found != _content(rows):
        _write(folder, rows, fs)


def read(folder: Path) -> tuple[Row, ...]:
    """Return the rows of a run's metrics.csv, one for each epoch.

    Raises:
        CheckpointError: the file is missing, has no row, or is not what `bpcli train` writes.
    """
    path = folder / NAME
    try:
        if path.stat().st_size > MAX_LENGTH:
            raise CheckpointError(f"{path}: larger than {MAX_LENGTH // 2**20} MB, which no metrics.csv is")
        with path.open(encoding="utf-8-sig", newline="") as file:
            whole = (line for line in file if line.endswith("\n"))  # an unfinished row is skipped
            rows = tuple(_parsed(csv.reader(whole), path))
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CheckpointError(f"{path}: not the metrics of a run: {error}") from error
    if not rows:
        raise CheckpointError(f"{path}: no epoch of this run was finished")
    return rows


def _parsed(lines: Iterable[list[str]], path: Path) -> Iterable[Row]:
    columns: tuple[str, ...] = COLUMNS
    for number, line in enumerate(lines, 1):
        if number > 1:
            yield _numbers(columns, line, f"{path}, line {number}")
        elif tuple(line) == _OLD_COLUMNS:
            columns = _OLD_COLUMNS
        elif tuple(line) != COLUMNS:
            raise CheckpointError(f"{path}: not the metrics of a run: its columns are not {', '.join(COLUMNS)}")


def _numbers(columns: tuple[str, ...], line: list[str], where: str) -> Row:
    try:
        row = {name: _number(text) for name, text in zip(columns, line, strict=True)}
    except ValueError:
        raise CheckpointError(f"{where}: expected {len(columns)} finite numbers") from None
    if missing := [name for name, value in row.items() if value is None and name not in _MAY_BE_EMPTY]:
        raise CheckpointError(f"{where}: {missing[0]} is empty")
    return {name: row.get(name) for name in COLUMNS}


def _number(text: str) -> float | None:
    if not text:
        return None
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value


def has_ended(config: Config, rows: tuple[Row, ...]) -> bool:
    """Return whether a configuration asks for no further epoch after those in metrics.csv."""
    wait = config.train.patience
    return len(rows) >= config.train.epochs or (wait is not None and len(rows) - best_row(rows) >= wait)


def best_row(rows: tuple[Row, ...]) -> int:
    """Return the number, from 1, of the first row with the best validation accuracy; without any, the last."""
    accuracies = [row["validation_accuracy"] for row in rows]
    known = [value for value in accuracies if value is not None]
    return accuracies.index(max(known)) + 1 if known else len(rows)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise OutputError(f"{path}: can't be read: {error.strerror or error}") from error


def _whole_rows(text: str, epochs: int) -> Iterator[str]:
    """Yield the complete rows whose epochs rise and are at most `epochs`, with the columns of this version."""
    last = 0
    lines = text.splitlines(keepends=True)
    is_old = bool(lines) and lines[0].strip() == ",".join(_OLD_COLUMNS)
    for line in lines:
        row = line.removesuffix("\n").removesuffix("\r")  # an editor on Windows may have written \r\n
        row = _renewed(row) if is_old else row
        epoch = _epoch(row) if line.endswith("\n") else 0
        if last < epoch <= epochs:
            last = epoch
            yield row


def _renewed(row: str) -> str:
    """Return an old version's row with an empty field for the number of dead units."""
    before, _, seconds = row.rpartition(",")
    return f"{before},,{seconds}"


def _epoch(row: str) -> int:
    """Return the epoch of a complete row; 0 for anything else."""
    epoch, *numbers = row.split(",")
    if len(numbers) != len(COLUMNS) - 1 or not epoch.isdecimal() or len(epoch) > 9:
        return 0
    try:
        return int(epoch) if all(math.isfinite(float(number or 0)) for number in numbers) else 0
    except ValueError:
        return 0


def _write(folder: Path, rows: list[str], fs: FileSystem) -> None:
    files.write_file(folder / NAME, _content(rows), fs=fs)


def _content(rows: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in (_HEADER, *rows)).encode()
