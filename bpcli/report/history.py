"""Reader of a run's folder: the best epoch's network, and the metrics of every epoch."""

from dataclasses import dataclass
from pathlib import Path

from bpcli.errors import CheckpointError
from bpcli.inference.doubts import mistrust
from bpcli.model import Model
from bpcli.storage import checkpoint, metrics_csv, outcome, snapshots
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.find import find_checkpoint
from bpcli.storage.metrics_csv import Row
from bpcli.storage.outcome import Outcome
from bpcli.storage.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Run:
    """A run with at least one finished epoch.

    Attributes:
        name: its name.
        folder: its folder.
        loaded: the network of its best epoch.
        epochs: the rows of metrics.csv.
        warning: why its network should not be trusted, or "".
        failed: why the run could not go on, or "".
        snapshots: of some of its epochs; none if its version of bpcli kept none.
    """

    name: str
    folder: Path
    loaded: Checkpoint
    epochs: tuple[Row, ...]
    warning: str = ""
    failed: str = ""
    snapshots: tuple[Snapshot, ...] = ()

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


def read_run(source: str | Path) -> Run:
    """Return the run in a folder, or of a name.

    Raises:
        CheckpointError: there is none, it has no finished epoch, or its files are damaged.
    """
    path = find_checkpoint(source)
    if path == Path(source):
        raise CheckpointError(f"{source}: not the folder of a run; a run is a folder such as runs/default-1")
    folder = path.parent
    name = folder.resolve().name.encode(errors="backslashreplace").decode()  # it may not be Unicode
    loaded = checkpoint.load(path)
    ended = outcome.read(folder)
    return Run(
        name,
        folder,
        loaded,
        metrics_csv.read(folder),
        _warning(ended, loaded),
        ended.failed if ended else "",
        _snapshots(folder, loaded),
    )


def _snapshots(folder: Path, loaded: Checkpoint) -> tuple[Snapshot, ...]:
    pixels, width, *_ = loaded.model.network.sizes
    return snapshots.read(folder, width, pixels, len(loaded.spec.classes))


def _warning(ended: Outcome | None, loaded: Checkpoint) -> str:
    """Return the warning with which a run ended; for one that has not, or that kept none, that of its network."""
    if ended is not None:
        return ended.warning
    return f"this run {text}" if (text := mistrust(loaded)) else ""
