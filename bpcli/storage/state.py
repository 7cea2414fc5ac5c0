"""The state of a run: exactly what a checkpoint saves, and everything that training changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpcli.core.types import Array

Epochs: TypeAlias = NDArray[np.int32]


@dataclass(slots=True)
class State:
    """Where a run stands; training changes it in place.

    Attributes:
        parameters: all weights and biases, one vector (`core.parameters`).
        optimizer_state: the optimizer's vectors, of the same layout, in the order of its `state_names`.
        best: the parameters of the best epoch so far.
        silent_since: for each hidden unit, the first layer's first, the epoch, from 0, since whose start it has fired
            on no training image; the next epoch if it has fired in this one. A unit that isn't watched always fires.
        still_since: likewise, the epoch since whose start its weights have stood still; only of units of the first
            layer, and only where they may be left out once they are dead (`training.live`).
        epoch: the epoch that is under way or next, from 0.
        step: how many steps of that epoch are done.
        loss_sum, correct: sums over the images of these steps.
        best_epoch: −1 before the first epoch's end.
        best_accuracy: on the validation split, after `best_epoch`; −1 without one.
        metrics: of the last epoch that ended, as in metrics.csv.
        best_metrics: of `best_epoch`, likewise.
    """

    parameters: Array
    optimizer_state: tuple[Array, ...]
    best: Array
    silent_since: Epochs
    still_since: Epochs
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    best_epoch: int = -1
    best_accuracy: float = -1.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    best_metrics: Mapping[str, float] = field(default_factory=dict)

    def last_fired(self, epoch: int) -> dict[int, int]:
        """Return of the units that were silent in the whole of an epoch, from 0, how many fired last in which epoch.

        These epochs count from 1, as people count; 0 stands for never.
        """
        epochs, counts = np.unique(self.silent_since[self.silent_since <= epoch], return_counts=True)
        return dict(zip(epochs.tolist(), counts.tolist(), strict=True))

    @property
    def is_finite(self) -> bool:
        """Whether every parameter and every number of the optimizer's state is finite."""
        return all(bool(np.isfinite(vector).all()) for vector in (self.parameters, *self.optimizer_state))
