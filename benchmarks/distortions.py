"""How long distorting a batch takes in one thread, beside a training step of the default network in one thread.

    OPENBLAS_NUM_THREADS=1 python benchmarks/distortions.py [-s KEY=VALUE]...

The shortest and the median time of a batch, of an undistorted step and of a distorted one, in turn in one process:
processor time, in which a busy machine shows less.
"""

import os

for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # users' machines don't set them
    os.environ.pop(variable, None)

import statistics  # noqa: E402
import sys  # noqa: E402
from time import process_time  # noqa: E402

import numpy as np  # noqa: E402

from bpcli import config as configuration  # noqa: E402
from bpcli import model as models  # noqa: E402
from bpcli.config import Config  # noqa: E402
from bpcli.core import seeds  # noqa: E402
from bpcli.core.distortions import Distorter, sample_transforms, smooth_fields  # noqa: E402
from bpcli.core.threads import ThreadGroup  # noqa: E402
from bpcli.data.datasets import Split, read_split  # noqa: E402
from bpcli.data.spec import MNIST  # noqa: E402
from bpcli.training import builders  # noqa: E402
from bpcli.training.trainer import Trainer  # noqa: E402

ROUNDS = 3
USUAL = ["rotation=15", "scale=0.15", "shear=0.15", "shift=1", "elastic_alpha=36"]


def batches(config: Config, training: Split) -> list[float]:
    """Seconds that it takes to gather, draw and distort each batch of an epoch."""
    ranges, size = builders.augment_ranges(config), config.train.batch_size
    fields = smooth_fields(ranges, config.seed, MNIST.side) if ranges.elastic_alpha else None
    normalization = models.preprocessing(config, MNIST).normalization
    distorter = Distorter(fields, ranges.stroke > 0, normalization, size, MNIST.side)
    pixels, out = np.empty((size, 784), np.uint8), np.empty((size, 784), np.float32)
    order = seeds.order(0, 0, len(training))
    seconds = []
    for step in range(len(training) // size):
        start = process_time()
        np.take(training.images, order[step * size : (step + 1) * size], axis=0, out=pixels, mode="clip")
        distorter(pixels, sample_transforms(ranges, config.seed, 0, step, size), out)
        seconds.append(process_time() - start)
    return seconds


def steps(config: Config, training: Split) -> list[float]:
    """Seconds of each step of an epoch but the first and the last, which is a short one."""
    state = builders.first_state(config, MNIST)
    model = models.build(config, MNIST, state.parameters)
    trainer = Trainer(model, state.optimizer_state, training, ThreadGroup(1))
    seconds, last = [], 0.0
    for _ in trainer.run(0, seeds.order(0, 0, len(training)), 0):
        now = process_time()
        seconds.append(now - last)
        last = now
    return seconds[1:-1]


def main() -> None:
    """Times all three and prints milliseconds."""
    given = [word for word in sys.argv[1:] if "=" in word]
    plain = configuration.load("default", [word for word in given if not word.startswith("augment.")])
    distorted = configuration.load("default", [*(f"augment.{each}" for each in USUAL), *given])
    training = read_split(plain.data.folder, "train", plain.data.validation, MNIST)
    found: dict[str, list[float]] = {"a batch distorted": [], "a plain step": [], "a step with distortions": []}
    for _ in range(ROUNDS):
        for seconds, new in zip(
            found.values(),
            (batches(distorted, training), steps(plain, training), steps(distorted, training)),
            strict=True,
        ):
            seconds += new
    for name, seconds in found.items():
        print(f"{name}: {1e3 * min(seconds):.2f} ms, median {1e3 * statistics.median(seconds):.2f} ms")


if __name__ == "__main__":
    main()
