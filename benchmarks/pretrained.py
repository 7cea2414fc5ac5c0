"""Puts the best network of a run into the package, in half precision, and says what the rounding costs.

python benchmarks/pretrained.py [RUN]
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from bpcli import resources
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import SplitName
from bpcli.inference.evaluation import evaluate, read_split_of
from bpcli.machine import usable_cores
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.find import NEWEST, find_checkpoint

LOST = 0.001  # the share of the validation digits that may be refused


def compare(whole: Checkpoint, half: Checkpoint, name: SplitName) -> None:
    """Prints both networks' errors on a split, and by how much their scores differ at most."""
    split, threads = read_split_of(whole.model, name), ThreadGroup(usable_cores())
    (_, whole_scores, labels), (_, half_scores, _) = (evaluate(each.model, split, threads) for each in (whole, half))
    errors = [int(np.sum(scores.argmax(axis=1) != labels)) for scores in (whole_scores, half_scores)]
    apart = float(abs(whole_scores - half_scores).max())
    accuracy = 100 * (1 - errors[1] / len(labels))
    print(f"{name}: {errors[0]} errors in full, {errors[1]} in half precision ({accuracy:.2f} %); scores ±{apart:.4f}")


def min_score(loaded: Checkpoint) -> float:
    """The best score that all but `LOST` of the validation digits reach, in hundredths."""
    model = loaded.model
    scores = evaluate(model, read_split_of(model, "validation"), ThreadGroup(usable_cores())).scores
    return int(100 * np.quantile(scores.max(axis=1), LOST, method="lower")) / 100


def main() -> None:
    """Writes the file and compares."""
    whole = checkpoint.load(find_checkpoint(sys.argv[1] if len(sys.argv) > 1 else NEWEST))
    path = resources.pretrained()
    metrics = dict(whole.metrics) | {"min_score": min_score(whole)}
    half = replace(whole, parameters=whole.parameters.astype(np.float16), environment={}, metrics=metrics)
    checkpoint.save(half, path)
    print(f"{path.relative_to(Path.cwd())}: {path.stat().st_size:,} bytes, trained for {whole.epoch} epochs")
    print(f"min-score {metrics['min_score']}")
    for name in ("validation", "test"):
        compare(whole, checkpoint.load(path), name)


if __name__ == "__main__":
    main()
