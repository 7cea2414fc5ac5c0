"""Training that starts from another network: which weights it takes over, which stay, and how it goes on."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli.config import Config
from bpcli.core.parameters import Layer, count, views
from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Array
from bpcli.data.datasets import DataSet, Split
from bpcli.data.spec import MNIST, DataSpec
from bpcli.errors import CheckpointError, ConfigError
from bpcli.storage import checkpoint, start
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.members import of_seeds
from bpcli.training import builders, loop
from bpcli.training.builders import first_state
from bpcli.training.events import Started, Step
from bpcli.training.run import recorded_training, resumed_training
from bpcli.training.series import recorded_series, resumed_series
from tests.reliability.disks import QUICK
from tests.reliability.test_kill import contents

FORM = ["model.hidden=[12, 7]", "model.activation=tanh", "data.deslant=true"]
SIZES = (784, 12, 7, 10)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop, "SHOWN", 0)  # so that a run can be stopped after any step


@pytest.fixture
def network() -> Checkpoint:
    """A network of any weights, in the file any.npz."""
    weights = np.random.default_rng(1).normal(0, 0.05, count(SIZES)).astype(np.float32)
    spec = DataSpec(28, MNIST.classes, 0.2, 0.4, digits=True)
    made = Checkpoint(configuration.load("default", FORM), spec, 1, {}, weights)
    checkpoint.save(made, Path("any.npz"))
    return made


@pytest.fixture
def config(network: Checkpoint, small_mnist: Path) -> Config:
    """Two epochs of five steps from this network."""
    settings = ["data.validation=500", "train.epochs=2", "train.batch_size=20", "train.start=any.npz"]
    return start.load("default", [f"data.folder={small_mnist}", *settings])


def trained(config: Config, folder: str) -> tuple[Layer, ...]:
    """The layers after a run."""
    list(recorded_training(config, "x", Path(folder), fs=QUICK))
    return checkpoint.load(Path(folder, "last.npz")).model.layers


def unchanged(layers: Sequence[Layer], before: Sequence[Layer]) -> list[bool]:
    """Whether each layer has the weights and biases of before, bit for bit."""
    pairs = zip(layers, before, strict=True)
    return [np.array_equal(a.weight, b.weight) and np.array_equal(a.bias, b.bias) for a, b in pairs]


def first(classes: str, config: Config) -> Array:
    """The first parameters of a run on data with these classes."""
    return first_state(config, DataSpec(28, tuple(classes), 0, 1, digits=False), start.of(config)).parameters


def test_all_weights_are_taken_over(network: Checkpoint, config: Config) -> None:
    assert np.array_equal(first("0123456789", config), network.parameters)


def test_output_units_are_taken_over_by_the_names_of_their_classes(network: Checkpoint, config: Config) -> None:
    *hidden, output = views(first("7x1", config), (784, 12, 7, 3))
    *theirs, digits = network.model.layers
    assert unchanged(hidden, theirs) == [True, True]
    assert np.array_equal(output.weight[:, [0, 2]], digits.weight[:, [7, 1]])
    assert np.array_equal(output.bias[[0, 2]], digits.bias[[7, 1]])
    drawn = configuration.override(config, ["train.start=null"])
    assert np.array_equal(output.weight[:, 1], views(first("7x1", drawn), (784, 12, 7, 3))[-1].weight[:, 1])


def test_the_network_sees_the_images_as_in_its_own_training(network: Checkpoint, config: Config) -> None:
    trained(config, "run")
    loaded = checkpoint.load(Path("run/last.npz"))
    assert loaded.spec == network.spec
    assert loaded.model.preprocessing == models.preprocessing(network.config, network.spec)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("freeze", [1, 2])
def test_frozen_layers_stay_bit_for_bit(network: Checkpoint, config: Config, freeze: int, threads: int) -> None:
    settings = [f"train.freeze={freeze}", f"train.threads={threads}", "optimizer.weight_decay=5", "model.dropout=0.2"]
    layers = trained(configuration.override(config, settings), "run")
    assert unchanged(layers, network.model.layers) == [True] * freeze + [False] * (3 - freeze)


@pytest.mark.parametrize("decay", [0, 5])
def test_the_layers_above_move_as_without_freezing(config: Config, decay: int) -> None:
    """In the first step, that is: it sees the same weights below."""
    once = ["train.epochs=1", "train.batch_size=100", f"optimizer.weight_decay={decay}"]
    free = trained(configuration.override(config, once), "free")
    frozen = trained(configuration.override(config, [*once, "train.freeze=1"]), "frozen")
    for mine, other in zip(frozen[1:], free[1:], strict=True):
        np.testing.assert_allclose(mine.weight, other.weight, rtol=1e-5, atol=1e-7)
    assert not np.array_equal(frozen[0].weight, free[0].weight)


def test_drawn_weights_can_be_frozen_too(config: Config) -> None:
    drawn = configuration.override(config, ["train.start=null", "train.freeze=2"])
    layers = views(first_state(drawn, MNIST).parameters, SIZES)
    assert unchanged(trained(drawn, "run"), layers) == [True, True, False]


@pytest.mark.parametrize("steps", [0, 3, 7])
def test_a_run_goes_on_to_the_same_bytes_without_the_file_it_started_from(config: Config, steps: int) -> None:
    config = configuration.override(config, ["train.freeze=1"])
    trained(config, "whole")
    events = recorded_training(config, "x", Path("run"), fs=QUICK)
    started = next(events)
    for _ in range(steps):
        next(event for event in events if isinstance(event, Step))
    events.close()
    digest = sha256(Path("any.npz").read_bytes()).hexdigest()
    Path("any.npz").unlink()
    again = next(event for event in resumed_training("run", fs=QUICK) if isinstance(event, Started))
    assert isinstance(started, Started)
    assert started.start == again.start == {"name": "any.npz", "sha256": digest}
    list(resumed_training("run", fs=QUICK))
    assert contents(Path("run")) == contents(Path("whole"))
    assert sha256(Path("run/start.npz").read_bytes()).hexdigest() == digest


def test_a_run_keeps_to_the_network_it_started_from(config: Config) -> None:
    for folder, steps in (("early", 0), ("later", 1)):
        events = recorded_training(config, "x", Path(folder), fs=QUICK)
        for _ in range(1 + steps):
            next(events)
        events.close()
        with pytest.raises(ConfigError, match=r"train\.start can't change in a run"):
            list(resumed_training(folder, overrides=["train.start=null"], fs=QUICK))
    Path("early/start.npz").unlink()
    with pytest.raises(CheckpointError, match=r"early/start\.npz: can't be read: No such file"):
        list(resumed_training("early", fs=QUICK))


def test_a_series_starts_each_run_from_the_network_though_its_file_is_gone(config: Config) -> None:
    seeds = (0, 1)
    for seed in seeds:
        trained(configuration.override(config, [f"seed={seed}"]), f"alone{seed}")
    events = recorded_series(of_seeds(config, seeds), "x", Path("series"), fs=QUICK)
    next(event for event in events if isinstance(event, Step))
    events.close()
    Path("any.npz").unlink()
    list(resumed_series("series", fs=QUICK))
    for seed in seeds:
        assert contents(Path(f"series/seed-{seed}")) == contents(Path(f"alone{seed}"))


def test_a_folder_that_a_killed_run_left_with_the_network_alone_is_used_again(config: Config) -> None:
    Path("run").mkdir()
    for name in (".lock", "start.npz"):
        Path("run", name).touch()
    trained(configuration.override(config, ["train.start=null"]), "run")
    assert not Path("run/start.npz").exists()


@pytest.mark.parametrize("group", ["threads", "processes"])
def test_a_frozen_layer_with_workers_gives_what_one_worker_does(
    small_split: Split, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layer above reads all activations of the frozen one, which the next step overwrites."""
    if group == "threads":
        monkeypatch.setattr(builders, "workers", lambda threads: threads)
    settings = ["model.hidden=[512, 128]", "train.freeze=1", "train.batch_size=64", "train.epochs=2"]
    config = configuration.load("default", settings)
    data = DataSet(MNIST, small_split, small_split.first(50), small_split.first(0))
    states = [first_state(config, MNIST) for _ in range(3)]
    for state, workers in zip(states, (1, 2, 2), strict=True):
        list(loop.train(config, state, data, ThreadGroup(workers)))
    alone, two, again = (state.parameters for state in states)
    np.testing.assert_allclose(two, alone, atol=2e-5)
    assert two.tobytes() == again.tobytes()
