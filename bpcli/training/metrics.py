"""metrics.csv, a row an epoch: only ever added to while a run lasts, and mended when it goes on."""

import math
from collections.abc import Iterator
from pathlib import Path

from bpcli.errors import OutputError
from bpcli.training import files
from bpcli.training.events import EpochEnd
from bpcli.training.files import SYSTEM, Calls

NAME = "metrics.csv"
COLUMNS = (
    "epoch", "learning_rate", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds",
)  # fmt: skip
_HEADER = ",".join(COLUMNS)


def begin(folder: Path, calls: Calls = SYSTEM) -> None:
    """Makes the file, without rows.

    Raises:
        OutputError: it can't be written.
    """
    _write(folder, [], calls)


def add(folder: Path, event: EpochEnd, calls: Calls = SYSTEM) -> None:
    """Adds an epoch's row; the columns of a split that is not there stay empty.

    Raises:
        OutputError: the row can't be written; a part of it may stand there.
    """
    numbers = event.figures | {"learning_rate": event.learning_rate, "seconds": round(event.seconds, 3)}
    row = [str(event.epoch + 1), *(f"{numbers[name]:.6g}" if name in numbers else "" for name in COLUMNS[1:])]
    files.append(folder / NAME, f"{','.join(row)}\n".encode(), calls)


def mend(folder: Path, epochs: int, calls: Calls = SYSTEM) -> None:
    """Leaves the whole rows of the first `epochs` epochs: none torn by a crash, none of epochs that will be redone.

    Raises:
        OutputError: the file can't be read or written.
    """
    found = _read(folder / NAME)
    rows = list(_whole_rows(found.decode("ascii", "replace"), epochs))
    if found != _content(rows):
        _write(folder, rows, calls)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise OutputError(f"{path}: can't be read: {error.strerror or error}") from error


def _whole_rows(text: str, epochs: int) -> Iterator[str]:
    """The lines that are rows, of rising epochs up to the last."""
    last = 0
    for line in text.splitlines(keepends=True):
        row = line.removesuffix("\n")
        epoch = _epoch(row) if row != line else 0
        if last < epoch <= epochs:
            last = epoch
            yield row


def _epoch(row: str) -> int:
    """The epoch of a whole row, 0 of anything else."""
    epoch, *numbers = row.split(",")
    if len(numbers) != len(COLUMNS) - 1 or not epoch.isdecimal() or len(epoch) > 9:
        return 0
    try:
        return int(epoch) if all(math.isfinite(float(number or 0)) for number in numbers) else 0
    except ValueError:
        return 0


def _write(folder: Path, rows: list[str], calls: Calls) -> None:
    files.write_file(folder / NAME, _content(rows), calls=calls)


def _content(rows: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in (_HEADER, *rows)).encode()
