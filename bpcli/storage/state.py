"""The state of a run: exactly what a checkpoint saves, and everything that training changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bpcli.core.types import Array


@dataclass(slots=True)
class State:
    """Where a run stands; training changes it in place.

    Attributes:
        parameters: all weights and biases, one vector (`core.parameters`).
        optimizer_state: the optimizer's vectors, of the same layout, in the order of its `state_names`.
        best: the parameters of the best epoch so far.
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
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    best_epoch: int = -1
    best_accuracy: float = -1.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    best_metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_finite(self) -> bool:
        """Whether every parameter and every number of the optimizer's state is finite."""
        return all(bool(np.isfinite(vector).all()) for vector in (self.parameters, *self.optimizer_state))
