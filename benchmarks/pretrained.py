"""Puts the best network of a run into the package, in half precision, and says what the rounding costs.

python benchmarks/pretrained.py [RUN]
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from bpcli import resources
from bpcli.data.mnist import SplitName
from bpcli.training import checkpoint, run
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.team import Team, usable_cores

LOST = 0.003  # the share of the validation digits that may be refused


def compare(whole: Checkpoint, half: Checkpoint, name: SplitName) -> None:
    """Prints both networks' errors on a split, and by how much their scores differ at most."""
    split, team = run.read_data(whole.config, name), Team(usable_cores())
    (_, whole_scores, labels), (_, half_scores, _) = (run.scored(each, split, team) for each in (whole, half))
    errors = [int(np.sum(scores.argmax(axis=1) != labels)) for scores in (whole_scores, half_scores)]
    apart = float(abs(whole_scores - half_scores).max())
    accuracy = 100 * (1 - errors[1] / len(labels))
    print(f"{name}: {errors[0]} errors in full, {errors[1]} in half precision ({accuracy:.2f} %); scores ±{apart:.4f}")


def min_score(loaded: Checkpoint) -> float:
    """The best score that all but `LOST` of the validation digits reach, in hundredths."""
    scores = run.scored(loaded, run.read_data(loaded.config, "validation"), Team(usable_cores()))[1]
    return int(100 * np.quantile(scores.max(axis=1), LOST, method="lower")) / 100


def main() -> None:
    """Writes the file and compares."""
    whole = checkpoint.load(run.find_checkpoint(sys.argv[1] if len(sys.argv) > 1 else None))
    path = resources.pretrained()
    figures = dict(whole.figures) | {"min_score": min_score(whole)}
    half = replace(whole, parameters=whole.parameters.astype(np.float16), environment={}, figures=figures)
    checkpoint.save(half, path)
    print(f"{path.relative_to(Path.cwd())}: {path.stat().st_size:,} bytes, trained for {whole.epoch} epochs")
    print(f"min-score {figures['min_score']}")
    for name in ("validation", "test"):
        compare(whole, checkpoint.load(path), name)


if __name__ == "__main__":
    main()
