"""The check passes whatever is configured, and fails for every planted mistake."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcli import config as configuration
from bpcli.core import network, optimizers
from bpcli.core.activations import ACTIVATIONS, Activation
from bpcli.core.erf import erf
from bpcli.core.initializers import INITIALIZERS
from bpcli.core.losses import OUTPUTS, difference
from bpcli.core.optimizers import OPTIMIZERS, Adam, Momentum
from bpcli.errors import ConfigError
from bpcli.gradcheck import check as checking
from bpcli.gradcheck import differences
from bpcli.gradcheck.check import Report, check
from bpcli.training import builders, trainer
from bpcli.training.trainer import Trainer
from tests.planting import plant

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module", autouse=True)
def _hurry() -> Iterator[None]:
    """How long a pass takes is nothing that these tests ask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "REPEATS", 1)
        patch.setattr(checking, "TIMED_IMAGES", checking.STEP_IMAGES)
        yield


def checked(folder: Path, *overrides: str, preset: str = "default") -> Report:
    settings = ["data.name=null", f"data.folder={folder}", "data.validation=100", *overrides]
    return check(configuration.load(preset, settings))


passed_before = cache(checked)  # before a mistake is planted: of several with the same settings, once


def wrong(report: Report) -> set[str]:
    """What the report says is wrong, as "layer quantity"."""
    return {f"{row.layer} {row.quantity.partition(' ∂')[0]}" for row in report.rows if not row.passed}


@pytest.mark.parametrize("preset", configuration.preset_names())
def test_every_preset_passes(small_mnist: Path, preset: str) -> None:
    hidden = configuration.load(preset).model.hidden
    report = checked(small_mnist, f"model.hidden={[min(width, 64) for width in hidden]}", preset=preset)
    assert wrong(report) == set()
    assert report.passed
    assert all(error is not None for row in report.rows for error in row.errors.values())


@given(
    hidden=st.lists(st.tuples(st.integers(1, 40), st.sampled_from(sorted(ACTIVATIONS))), max_size=3),
    output=st.sampled_from(sorted(OUTPUTS)),
    init=st.sampled_from(sorted(INITIALIZERS)),
    decay=st.sampled_from([0.0, 0.1, 5.0]),
    kind=st.sampled_from(sorted(OPTIMIZERS)),
    dropout=st.sampled_from([0.0, 0.0, 0.3]),
    momentum=st.sampled_from([0.0, 0.5, 0.9]),
    nesterov=st.booleans(),
    rate=st.sampled_from([0.01, 0.3, 3.0]),
    warmup=st.sampled_from([0, 2]),
    pixels=st.sampled_from(["standard", "unit"]),
    threads=st.integers(1, 2),
    seed=st.integers(0, 2**40),
)
@settings(max_examples=30, deadline=None)
def test_any_network_passes(
    small_mnist: Path, hidden: list[tuple[int, str]], output: tuple[str, str], init: str, decay: float,
    kind: str,
    dropout: float,
    momentum: float, nesterov: bool, rate: float, warmup: int, pixels: str, threads: int, seed: int,
) -> None:  # fmt: skip
    report = checked(
        small_mnist,
        f"model.hidden={[width for width, _ in hidden]}",
        f"model.activation={[name for _, name in hidden]}",
        f"model.output={output[0]}",
        f"loss={output[1]}",
        f"model.init={init}",
        f"optimizer.weight_decay={decay}",
        f"optimizer.momentum={momentum}",
        f"optimizer.kind={kind}",
        f"optimizer.nesterov={nesterov and kind == 'momentum'}",
        f"model.dropout={dropout}",
        f"optimizer.learning_rate={rate}",
        f"schedule.warmup={warmup}",
        f"data.normalize={pixels}",
        f"train.threads={threads}",
        f"seed={seed}",
    )
    assert wrong(report) == set()


def test_extremes_pass(small_mnist: Path) -> None:
    """Vanishing and exploding gradients, units that saturate, layers of one unit, rates that overflow."""
    for overrides in (
        ["model.hidden=[9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]", "model.activation=sigmoid"],
        ["model.hidden=[50, 50, 50, 50, 50, 50]", "model.init=nielsen_large"],
        ["model.hidden=[50, 50, 50]", "model.activation=tanh", "model.init=nielsen_large", "data.normalize=unit"],
        ["model.hidden=[1, 1, 1]", "model.activation=tanh", "model.init=nielsen_large"],
        ["model.hidden=[20, 20]", "optimizer.learning_rate=1000", "optimizer.weight_decay=1000000"],
    ):
        assert wrong(checked(small_mnist, *overrides)) == set()


def test_vanishing_gradients_are_left_to_the_exact_methods(small_mnist: Path) -> None:
    report = checked(small_mnist, f"model.hidden={[8] * 12}", "model.activation=sigmoid")
    first = next(row for row in report.rows if row.layer == "1")
    assert first.errors["central"] is None
    assert isinstance(first.errors["complex_step"], float)


def test_kinks_are_counted(small_mnist: Path) -> None:
    assert any(checked(small_mnist, "model.hidden=[128]", f"seed={seed}").kinks for seed in (5, *range(40)))
    assert checked(small_mnist, "model.hidden=[128]", "model.activation=tanh").kinks == 0


def test_too_much_memory_is_refused_before_it_is_allocated(small_mnist: Path) -> None:
    with pytest.raises(ConfigError, match="GiB of memory"):
        checked(small_mnist, "model.hidden=[100000, 100000]")


def test_the_cost_of_differences(small_mnist: Path) -> None:
    report = checked(small_mnist)
    assert report.difference_passes == 814_091
    assert report.timing.forward > 0
    assert report.timing.backward > 0


SQUARE = ["model.hidden=[10, 10]", "optimizer.weight_decay=5", "model.activation=sigmoid"]
BP4 = "np.matmul(inputs[l].T, mine, out=gradients[l].weight[:, u])"
TRANSPOSED = "gradients[l].weight[:, u] = mine.T @ inputs[l] if l else inputs[l].T @ mine"
OUTPUT_BP4 = "np.matmul(inputs[-1][:, u].T, delta, out=gradients[-1].weight[u])"
STEPPED_TOO_EARLY = f"{OUTPUT_BP4}; layers[-1].weight[u] -= 0.1 * gradients[-1].weight[u]"
BP3 = "np.matmul(room.ones, mine, out=gradients[l].bias[u])"
OUTPUT_BP3 = "np.matmul(room.ones, delta, out=gradients[-1].bias)"
OUTPUT_BP3_MEAN = OUTPUT_BP3.replace("room.ones", "room.ones / len(delta)")
BP2 = "layers[l + 1].weight[u].T"
# where the shapes allow it, for others NumPy refuses by itself
NOT_TRANSPOSED = "(lambda w: w if len(w.T) == len(w) else w.T)(layers[l + 1].weight[u])"
BP3_ABOVE = BP3.replace("mine", "delta if delta.shape == mine.shape else mine")
DERIVATIVE = "mine *= net.hidden[l].derivative(here.kept[:, u], here.f_prime[:, u])"
BIAS, VALUE = "z += layers[l].bias[u]", "f.value(z, here.a[:, u])"
SAME_LAYER = "np.matmul(inputs[l + 1 if l else 0].T, mine"
DECAYS, DECAYS_TOO = "s.bias[mine] for s in state), False", "s.bias[mine] for s in state), True"
NO_BACKWARD = "[layer.bias.fill(0) for layer in self._gradients]; (lambda *_: 0)(net"
ADAM, DROPOUT = ["optimizer.kind=adam"], ["model.dropout=0.4"]
OPPOSITE = "v *= -self.momentum"
LOOKAHEAD = "w += g\n        np.multiply(v, self.momentum, out=g)\n        w += g"


def in_pass(which: str, right: str, mistake: str) -> Plant:
    def planted(monkeypatch: pytest.MonkeyPatch) -> None:
        plant(monkeypatch, network, which, right, mistake)
        for user in (differences, trainer):
            monkeypatch.setattr(user, which, getattr(network, which))

    return planted


def in_forward(right: str, mistake: str) -> Plant:
    return in_pass("forward", right, mistake)


def in_backward(right: str, mistake: str) -> Plant:
    return in_pass("backward", right, mistake)


def in_step(right: str, mistake: str) -> Plant:
    return lambda monkeypatch: plant(monkeypatch, Momentum, "step", right, mistake)


def in_adam(right: str, mistake: str) -> Plant:
    return lambda monkeypatch: plant(monkeypatch, Adam, "step", right, mistake)


def in_derivative(name: str, derivative: Callable[[np.ndarray, np.ndarray], object]) -> Plant:
    def wrong(a: np.ndarray, out: np.ndarray) -> np.ndarray:
        derivative(a, out)
        return out

    return lambda monkeypatch: monkeypatch.setitem(ACTIVATIONS, name, replace(ACTIVATIONS[name], derivative=wrong))


def in_delta(output: tuple[str, str], delta: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Plant:
    return lambda monkeypatch: monkeypatch.setitem(OUTPUTS, output, replace(OUTPUTS[output], delta=delta))


def decay_on_biases(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, optimizers, "_hidden_blocks", DECAYS, DECAYS_TOO)


def derivative_twice(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray((p - y) * p * (1 - p))


# mistake: how it is planted, settings that bring the line into play, and one quantity that must come out wrong
MISTAKES: dict[str, tuple[Plant, list[str], str]] = {
    "a missing 1/n": (in_backward("delta /= len(delta)", "pass"), [], "3 BP1 δ"),
    "p and y exchanged": (in_delta(("sigmoid", "binary_cross_entropy"), lambda p, y: y - p),
        [], "3 BP1 δ"),
    "a missing σ′ at the output": (in_delta(("sigmoid", "quadratic"), difference),
        ["loss=quadratic"], "3 BP1 δ"),
    "σ′ where the loss has cancelled it": (in_delta(("softmax", "cross_entropy"), derivative_twice),
        ["model.output=softmax", "loss=cross_entropy"], "3 BP1 δ"),
    "a missing σ′ in the hidden layers": (in_backward(DERIVATIVE, "pass"),
        [], "2 BP2 δ"),
    "weights transposed on the way back": (in_backward(BP2, NOT_TRANSPOSED),
        [], "1 BP2 δ"),
    "a transposed product": (in_backward(BP4, TRANSPOSED), [], "2 BP4"),
    "weights updated before use": (in_backward(OUTPUT_BP4, STEPPED_TOO_EARLY), [], "2 BP2 δ"),
    "activations of the layer above": (in_backward("np.matmul(inputs[l].T, mine", SAME_LAYER), [], "2 BP4"),
    "a bias off by one layer": (in_backward(BP3, BP3_ABOVE), [], "1 BP3"),
    "the mean for the sum over a batch": (in_backward(OUTPUT_BP3, OUTPUT_BP3_MEAN), [], "3 BP3"),
    "a bias forgotten": (in_forward("z += layers[-1].bias", "pass"), [], "all loss C"),
    "a bias added after the function": (
        in_forward(f"{BIAS}  # z = a·W + b\n        {VALUE}", f"{VALUE}\n        z = here.a[:, u]\n        {BIAS}"),
        [], "all loss C"),
    "a wrong mask": (in_derivative("relu", lambda a, out: np.greater_equal(a, 0, out=out)),
        ["model.activation=relu"], "1 BP2 δ"),
    "no slope below zero": (in_derivative("leaky_relu", lambda a, out: np.copyto(out, a > 0)),
        ["model.activation=leaky_relu"], "1 BP2 δ"),
    "1 − a for 1 − a²": (in_derivative("tanh", lambda a, out: np.subtract(1, a, out=out)),
        ["model.activation=tanh"], "1 BP2 δ"),
    "a for a(1 − a)": (in_derivative("sigmoid", lambda a, out: np.copyto(out, a)), [], "1 BP2 δ"),
    "decay on biases": (decay_on_biases, [], "all bias after a step"),
    "decay of the wrong sign": (in_step("g += self.decay", "g -= self.decay"), [], "all weight after a step"),
    "decay not divided by n": (
        lambda monkeypatch: plant(monkeypatch, builders, "optimizer", "weight_decay / images", "weight_decay"),
        [], "all weight after a step"),
    "momentum of the wrong sign": (in_step("v *= self.momentum", OPPOSITE),
        [], "all velocity of weight after a step"),
    "velocity not kept": (in_step("v += g", "v[:] = g"), [], "all velocity of bias after a step"),
    "ascent": (
        in_step("g *= -learning_rate", "g *= learning_rate"), [], "all weight after a step"),
    "Nesterov without looking ahead": (in_step(LOOKAHEAD, "w += g"),
        ["optimizer.nesterov=true"], "all weight after a step"),
    "a step with the gradient of the step before": (
        lambda monkeypatch: plant(monkeypatch, Trainer, "_step", "backward(net", NO_BACKWARD),
        [], "all bias after a step"),
    "Adam without its correction": (in_adam("(1 - self.beta1**t)", "1"), ADAM, "all weight after a step"),
    "Adam's mean for the mean of squares": (in_adam("g *= g", "pass"), ADAM, "all second moment of bias after a step"),
    "AdamW's decay in the gradient": (in_adam("if self.decoupled", "if not self.decoupled"),
        [*ADAM, "optimizer.kind=adamw"], "all first moment of weight after a step"),
    "dropout forgotten on the way back": (in_backward("mine *= here.mask[:, u]", "pass"), DROPOUT, "1 BP2 δ"),
    "dropout forgotten on the way up": (
        in_forward("np.multiply(here.a[:, u], here.mask[:, u], out", "np.multiply(here.a[:, u], 1, out"),
        DROPOUT, "all loss C"),
    "GELU's derivative without its density": (
        in_derivative("gelu", lambda z, out: np.copyto(out, (1 + erf(z / 2**0.5)) / 2)), ["model.activation=gelu"],
        "1 BP2 δ"),
    "ELU's derivative from z": (in_derivative("elu", lambda a, out: np.copyto(out, np.where(a > 0, 1, np.exp(a)))),
        ["model.activation=elu"], "1 BP2 δ"),
    "labels of other images": (
        lambda monkeypatch: plant(monkeypatch, Trainer, "_fill", "self._targets.take(chosen,",
            "self._targets.take(chosen[::-1],"), [], "all bias after a step"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_planted_mistake_is_caught(small_mnist: Path, monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    plant_it, overrides, quantity = MISTAKES[mistake]
    assert passed_before(small_mnist, *SQUARE, *overrides).passed
    plant_it(monkeypatch)
    report = checked(small_mnist, *SQUARE, *overrides)
    assert not report.passed
    assert quantity in wrong(report)


def test_an_activation_that_is_not_its_formula_is_caught(small_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Value and derivative agree with each other, so only the formula tells."""
    half = Activation("z", lambda z, out: np.multiply(z, 0.5, out=out), lambda a, out: np.full_like(out, 0.5))
    monkeypatch.setitem(ACTIVATIONS, "half", half)
    report = checked(small_mnist, *SQUARE, "model.activation=half")
    assert "all loss C" in wrong(report)
    rows = {row.quantity: row for row in report.rows if row.layer == "1"}
    assert rows["BP2 δ"].errors["central"] < 1e-6  # type: ignore[operator]
