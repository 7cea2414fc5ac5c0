"""Training against a slow, obvious implementation, and the same run again and again."""

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import machine
from bpcli.core import processes, seeds
from bpcli.core.parameters import views
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import DataSet, Split
from bpcli.data.spec import MNIST
from bpcli.errors import ConfigError, TrainingError
from bpcli.storage.state import State
from bpcli.training import loop
from bpcli.training.builders import first_state, require_possible
from bpcli.training.events import EpochEnd, Finished, Step
from bpcli.training.loop import train

SMALL = ["model.hidden=[16]", "train.epochs=2", "train.batch_size=64"]


def trained(settings: list[str], split: Split, workers: int = 1) -> tuple[State, list[object]]:
    config = configuration.load("default", [*SMALL, *settings])
    state = first_state(config, MNIST)
    return state, list(train(config, state, data_of(split), ThreadGroup(workers)))


def data_of(split: Split) -> DataSet:
    return DataSet(MNIST, split, split.first(50), split.first(0))


def obvious(settings: list[str], split: Split) -> np.ndarray:
    """The default network's training, written out as the text gives it, in float64."""
    config = configuration.load("default", [*SMALL, *settings])
    layers = views(first_state(config, MNIST).parameters, (784, config.model.hidden[0], 10))
    parameters = [p.astype(float) for layer in layers for p in layer]
    velocity = [np.zeros_like(p) for p in parameters]
    size, images = config.train.batch_size, (split.images / 255 - 0.1307) / 0.3081
    for epoch in range(config.train.epochs):
        order = seeds.order(config.seed, epoch, len(split))
        eta = 0.1 if epoch < 8 else 0.01
        for start in range(0, len(split), size):
            chosen = order[start : start + size]
            x, y = images[chosen], np.eye(10)[split.labels[chosen]]
            w1, b1, w2, b2 = parameters
            z1 = x @ w1 + b1
            a1 = np.maximum(z1, 0)
            p = 1 / (1 + np.exp(-(a1 @ w2 + b2)))
            delta2 = (p - y) / len(chosen)
            delta1 = (delta2 @ w2.T) * (z1 > 0)
            gradients = [x.T @ delta1, delta1.sum(axis=0), a1.T @ delta2, delta2.sum(axis=0)]
            for i, gradient in enumerate(gradients):
                velocity[i] = 0.9 * velocity[i] - eta * gradient
                parameters[i] = parameters[i] + velocity[i]
    w1, b1, w2, b2 = parameters
    return np.concatenate([w1.T.ravel(), b1, w2.ravel(), b2])


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_training_is_what_the_obvious_implementation_does(small_split: Split, workers: int) -> None:
    state, _ = trained([], small_split, workers)
    np.testing.assert_allclose(state.parameters, obvious([], small_split), atol=2e-5)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_seed_gives_the_same_bytes(small_split: Split, workers: int) -> None:
    first, second, other = (trained([f"seed={seed}"], small_split, workers)[0] for seed in (3, 3, 4))
    assert first.parameters.tobytes() == second.parameters.tobytes() != other.parameters.tobytes()


@pytest.mark.parametrize("hidden", ["[]", "[16]", "[12, 7, 9]"])
def test_workers_learn_what_one_alone_learns(small_split: Split, hidden: str) -> None:
    settings = [f"model.hidden={hidden}", "model.activation=tanh", "optimizer.weight_decay=0.5"]
    states = [trained(settings, small_split, workers)[0] for workers in (1, 2, 3)]
    for state in states[1:]:
        np.testing.assert_allclose(state.parameters, states[0].parameters, atol=1e-5)


@pytest.fixture
def _every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHOWN", 0)


@pytest.mark.usefixtures("_every_step")
def test_the_events_of_a_run(small_split: Split) -> None:
    state, events = trained([], small_split)
    steps = -(-len(small_split) // 64)
    kinds = [type(event) for event in events]
    assert kinds == 2 * [*[Step] * steps, EpochEnd] + [Finished]
    ends = [event for event in events if isinstance(event, EpochEnd)]
    assert [end.epoch for end in ends] == [0, 1]
    assert ends[1].train.loss < ends[0].train.loss
    assert isinstance(events[0], Step)
    assert events[0].loss == pytest.approx(7, rel=0.5)  # ten outputs that know nothing: 10·ln 2
    assert state.epoch == 2


@pytest.mark.usefixtures("_every_step")
def test_the_epochs_figures_are_the_means_of_its_steps(small_split: Split) -> None:
    _, events = trained(["train.epochs=1", "train.batch_size=100"], small_split)
    losses = [event.loss for event in events if isinstance(event, Step)]
    (end,) = (event for event in events if isinstance(event, EpochEnd))
    assert end.train.loss == pytest.approx(np.mean(losses), rel=1e-6)  # 500 images are five whole batches


def test_looking_seldom_gives_the_same_figures(small_split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit, for a resumed run looks at other times."""
    settings = ["train.epochs=1", "train.batch_size=9"]
    metrics = []
    for seconds in (0, 0.003, 1000):
        monkeypatch.setattr(loop, "SHOWN", seconds)
        state, events = trained(settings, small_split)
        metrics.append({name: value for name, value in state.metrics.items() if name != "seconds"})
        (*steps, _) = (event for event in events if isinstance(event, Step))
    assert len(steps) < 10
    assert metrics[0] == metrics[1] == metrics[2]


def test_a_batch_larger_than_the_split_is_the_split(small_split: Split) -> None:
    _, events = trained(["train.batch_size=100000"], small_split)
    assert sum(isinstance(event, Step) for event in events) == 2


def test_the_state_goes_on_where_it_was_left(small_split: Split) -> None:
    whole, _ = trained([], small_split)
    config = configuration.load("default", SMALL)
    state = first_state(config, MNIST)
    data = data_of(small_split)
    for _ in range(40):
        events = train(config, state, data, ThreadGroup(1))
        next(events)
        events.close()
    for _ in train(config, state, data, ThreadGroup(1)):
        pass
    assert state.parameters.tobytes() == whole.parameters.tobytes()
    assert state.best.tobytes() == whole.best.tobytes()


def test_patience_ends_a_run_early(small_split: Split) -> None:
    _, events = trained(["train.epochs=50", "train.patience=2", "optimizer.learning_rate=1e-9"], small_split)
    first = next(event for event in events if isinstance(event, EpochEnd))
    last = events[-1]
    assert isinstance(last, Finished)
    assert (last.epochs, last.best_epoch, last.metrics) == (3, 0, first.metrics)
    assert last.warning.startswith("this run learned nothing: the validation accuracy, ")


def test_the_penalty_is_in_the_loss_when_asked(small_split: Split) -> None:
    settings = ["optimizer.weight_decay=3.0", "train.epochs=1"]
    state, without = trained(settings, small_split)
    _, with_it = trained([*settings, "train.penalty_in_loss=true"], small_split)
    weights = np.concatenate([state.parameters[: 784 * 16], state.parameters[785 * 16 : 785 * 16 + 160]])
    penalty = 3.0 / (2 * len(small_split)) * float(weights.astype(float) @ weights)
    ends = [next(event for event in events if isinstance(event, EpochEnd)) for events in (without, with_it)]
    assert ends[1].train.loss - ends[0].train.loss == pytest.approx(penalty, rel=1e-4)
    assert ends[0].validation is not None
    assert ends[1].validation is not None
    assert ends[1].validation.loss - ends[0].validation.loss == pytest.approx(penalty, rel=1e-4)


def test_divergence_stops_at_its_step(small_split: Split) -> None:
    with pytest.raises(TrainingError, match=r"no longer finite at epoch 1, step \d+, with the learning rate 1000"):
        trained(["optimizer.learning_rate=1000", "model.output=identity", "loss=quadratic"], small_split)


def test_a_network_larger_than_memory_is_refused_before_it_is_allocated() -> None:
    config = configuration.load("default", ["model.hidden=[100000, 100000, 100000]"])
    with pytest.raises(ConfigError, match=r"needs .* GiB of memory; this machine has"):
        first_state(config, MNIST)


@pytest.mark.parametrize(("threads", "vectors"), [(1, 4), (2, 6 if processes.available() else 4)])
def test_workers_count_their_copies_among_the_memory(
    monkeypatch: pytest.MonkeyPatch, threads: int, vectors: int
) -> None:
    config = configuration.load("default", ["model.hidden=[5000]", f"train.threads={threads}"])
    batch = 4 * 3 * 256 * (784 + 5000 + 10)
    needed = 4 * vectors * (784 * 5000 + 5000 + 5000 * 10 + 10) + batch
    monkeypatch.setattr(machine, "memory", lambda: needed)
    require_possible(config, MNIST)
    monkeypatch.setattr(machine, "memory", lambda: needed - 1)
    with pytest.raises(ConfigError, match="GiB of memory"):
        require_possible(config, MNIST)
