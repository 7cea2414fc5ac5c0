"""result.json: the outcome of a run that has ended, in its folder. A run that goes on removes it first."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from bpcli.errors import CheckpointError
from bpcli.storage import files
from bpcli.storage.files import SYSTEM, FileSystem

NAME = "result.json"
_MAX_LENGTH = 64 * 1024  # bytes; it has about 500

Fraction = Annotated[float, Meta(ge=0, le=1)]


class Outcome(Struct, frozen=True):
    """How a run ended.

    Attributes:
        epochs: how many were trained.
        best_epoch: the one whose network was kept, from 1; 0 if none ended.
        train_accuracy, validation_accuracy, test_accuracy: of that network; None where there is no such split, or where
            the run failed. The first is over the epoch's batches as they were trained on.
        train_loss, validation_loss, test_loss: likewise.
        dead_units: how many hidden units fired on no training image of the last epoch; None if none could die.
        warning: why the network should not be trusted, or "".
        failed: why the run could not go on, or "".
    """

    epochs: int
    best_epoch: int
    train_accuracy: Fraction | None = None
    train_loss: float | None = None
    validation_accuracy: Fraction | None = None
    validation_loss: float | None = None
    test_accuracy: Fraction | None = None
    test_loss: float | None = None
    dead_units: int | None = None
    warning: str = ""
    failed: str = ""


def write(folder: Path, outcome: Outcome, fs: FileSystem = SYSTEM) -> None:
    """Write the outcome of a run into its folder.

    Raises:
        OutputError: it can't be written.
    """
    files.write_file(folder / NAME, msgspec.json.format(msgspec.json.encode(outcome)) + b"\n", fs=fs)


def remove(folder: Path, fs: FileSystem = SYSTEM) -> None:
    """Remove the outcome of a run that goes on.

    Raises:
        OutputError: it can't be removed.
    """
    files.remove(folder / NAME, fs)


def read(folder: Path) -> Outcome | None:
    """Return the outcome of a run; None if it has not ended, or was made by a version that kept none.

    Raises:
        CheckpointError: the file can't be read, or is not what `write` writes.
    """
    path = folder / NAME
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_LENGTH), type=Outcome)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise CheckpointError(f"{path}: not the result of a run: {error}") from error
