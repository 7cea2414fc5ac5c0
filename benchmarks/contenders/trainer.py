"""bpcli itself: the steps of an epoch with all that belongs to them, as `bpcli train` does them."""

from collections.abc import Callable
from contextlib import closing
from itertools import count

from benchmarks.cases import MOMENTUM, Case
from benchmarks.contenders.serving import Ready, serve
from bpcli import __version__
from bpcli import config as configuration
from bpcli.config import Config
from bpcli.core import seeds
from bpcli.data.mnist import Split
from bpcli.training import problem
from bpcli.training.loop import first_state
from bpcli.training.run import read_data
from bpcli.training.session import Order, Session


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
    """A session of a case with as many workers as the variant says."""
    config = configured(case, variant)
    whole = read_data(config, "train")
    training = Split(whole.images[: case.images], whole.labels[: case.images])
    state, epochs = first_state(config), count()
    session = Session(config, state.parameters, state.velocity, training, problem.team(config))

    def ready(steps: int) -> Callable[[], None]:
        order = seeds.order(0, next(epochs), len(training))
        return lambda: _steps(session, order, steps)

    return ready


def _steps(session: Session, order: Order, steps: int) -> None:
    """The first steps of an epoch, with the losses that they gave; the other workers have ended too at the end."""
    with closing(session.run(0, order, 0)) as running:
        for step in running:
            if session.full or step == steps - 1:
                session.tallies()
            if step == steps - 1:
                break


def about(case: Case) -> dict[str, str]:
    """The version, and how many workers it would choose."""
    return {"bpcli": __version__, "auto": str(problem.team(configured(case, "auto")).size)}


if __name__ == "__main__":
    serve(make, about)
