"""bpcli itself: the steps of an epoch with all that belongs to them, as `bpcli train` does them."""

from collections.abc import Callable
from contextlib import closing
from itertools import count

from benchmarks.cases import MOMENTUM, Case
from benchmarks.contenders.serving import Ready, serve
from bpcli import __version__
from bpcli import config as configuration
from bpcli import model as models
from bpcli.config import Config
from bpcli.core import seeds
from bpcli.data.datasets import read_split
from bpcli.data.spec import MNIST
from bpcli.training import builders
from bpcli.training.trainer import Order, Trainer


def configured(case: Case, threads: str) -> Config:
    """The configuration of a case."""
    hidden = ", ".join(map(str, case.sizes[1:-1]))
    settings = {
        "model.hidden": f"[{hidden}]",
        "model.activation": case.activation,
        "optimizer.learning_rate": case.learning_rate,
        "optimizer.momentum": MOMENTUM,
        "train.batch_size": case.batch,
        "train.threads": threads,
    }
    return configuration.load("default", [f"{key}={value}" for key, value in settings.items()])


def make(case: Case, variant: str, folder: str) -> Ready:
    """A trainer of a case with as many workers as the variant says: `2`, or `2 threads` if no processes are wanted."""
    workers, _, threads = variant.partition(" ")
    config = configured(case, workers)
    training = read_split(config.data.folder, "train", config.data.validation, MNIST).first(case.images)
    state, epochs = builders.first_state(config, MNIST), count()
    model = models.build(config, MNIST, state.parameters)
    group = builders.thread_group(config, MNIST)
    trainer = Trainer(model, state.optimizer_state, training, group if threads else builders.workers(group))

    def ready(steps: int) -> Callable[[], None]:
        order = seeds.order(0, next(epochs), len(training))
        return lambda: _steps(trainer, order, steps)

    return ready


def _steps(trainer: Trainer, order: Order, steps: int) -> None:
    """The first steps of an epoch, with the losses that they gave; the other workers have ended too at the end."""
    asked, done = count(1), 0
    with closing(trainer.run(0, order, 0, lambda: next(asked) == steps)) as running:
        for batches in running:
            done += len(batches)
            if done == steps:
                break


def about(case: Case) -> dict[str, str]:
    """The version, and how many workers it would choose."""
    return {"bpcli": __version__, "auto": str(builders.thread_group(configured(case, "auto"), MNIST).size)}


if __name__ == "__main__":
    serve(make, about)
