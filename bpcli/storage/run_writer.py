"""The files that a run writes into its folder."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import numpy as np

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.data.folder.remarks import Refused, Remarks
from bpcli.data.spec import DataSpec
from bpcli.errors import CheckpointError
from bpcli.storage import checkpoint, files, metrics_csv, outcome
from bpcli.storage.files import FileSystem
from bpcli.storage.outcome import Outcome
from bpcli.storage.run_folder import BEST, CONFIG, LAST, PREVIOUS, REFUSED
from bpcli.storage.state import State


class RunWriter:
    """The writer of one run's files; each method raises OutputError if it can't write.

    Args:
        folder: of the run; no other process writes to it.
        config: the configuration that its checkpoints record.
        spec: of the data set, recorded likewise.
        environment: recorded likewise.
        fs: the system calls.
    """

    def __init__(
        self, folder: Path, config: Config, spec: DataSpec, environment: checkpoint.Environment, fs: FileSystem
    ) -> None:
        self.folder, self._config, self._spec, self._environment, self._fs = folder, config, spec, environment, fs

    def begin(self) -> None:
        """Write the first files of a run: its configuration, and metrics.csv without rows."""
        self.save_config()
        metrics_csv.begin(self.folder, self._fs)

    def save_refused(self, remarks: Remarks | None) -> None:
        """Write which pictures of a folder can't be used, and why; no file if there are none."""
        rows = remarks.refused if remarks else ()
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows([Refused._fields, *rows])
        if rows:
            files.write_file(self.folder / REFUSED, text.getvalue().encode("utf-8", "backslashreplace"), fs=self._fs)
        else:
            files.remove(self.folder / REFUSED, self._fs)

    def save_config(self, comments: str = "") -> None:
        """Write the configuration, with lines of comments before it."""
        content = f"{comments}{configuration.to_yaml(self._config)}".encode()
        files.write_file(self.folder / CONFIG, content, fs=self._fs)

    def save_epoch(self, state: State, numbers: Mapping[str, float], *, is_best: bool) -> None:
        """Save an epoch that has just ended: its row, its network if it is the best, and the state to continue from.

        Args:
            state: after the epoch.
            numbers: the row, by the columns of metrics.csv.
            is_best: whether no earlier epoch was as good.
        """
        metrics_csv.add(self.folder, state.epoch, numbers, self._fs)
        if is_best:
            self.save_best(state)
        self.save_last(state)

    def save_last(self, state: State) -> None:
        """Save the state to continue from, and keep the previous one."""
        saved = checkpoint.of_state(self._config, self._spec, state, self._environment)
        checkpoint.save(saved, self.folder / LAST, previous=PREVIOUS, fs=self._fs)

    def save_best(self, state: State) -> None:
        """Save the network of the best epoch so far."""
        saved = checkpoint.of_best(self._config, self._spec, state, self._environment)
        checkpoint.save(saved, self.folder / BEST, fs=self._fs)

    def save_outcome(self, ended: Outcome) -> None:
        """Write how the run ended."""
        outcome.write(self.folder, ended, self._fs)

    def repair(self, state: State) -> None:
        """Restore metrics.csv and best.npz as they were when the state was saved; the run has not ended any more."""
        outcome.remove(self.folder, self._fs)
        metrics_csv.repair(self.folder, state.epoch, self._fs)
        if state.best_epoch >= 0 and not self._holds_best(state):
            self.save_best(state)

    def _holds_best(self, state: State) -> bool:
        try:
            kept = checkpoint.load(self.folder / BEST)
        except CheckpointError:
            return False
        return kept.epoch == state.best_epoch + 1 and np.array_equal(kept.parameters, state.best)
