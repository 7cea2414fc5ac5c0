"""docs/backpropagation.md: its quotations, its examples and its claims."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import bpcli.core.network
from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS, Activation
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Network
from bpcli.gradcheck import differences
from bpcli.gradcheck.differences import Direction, Point
from bpcli.gradcheck.reference import Formulas
from tests.documents.console import difference, steps
from tests.gradcheck.test_check import MISTAKES

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/backpropagation.md").read_text()
QUOTATIONS = re.findall(r"\[(\S+)\]\(\.\./\1\)\n```python\n(.*?)```", TEXT, re.DOTALL)
CUSTOM = re.findall(r"\n\n```python\n(ACTIVATIONS.*?)```", TEXT, re.DOTALL)
QUADRATIC = ("identity", "quadratic")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_every_python_block_is_a_quotation_or_the_custom_row() -> None:
    assert len(QUOTATIONS) >= 10
    assert len(CUSTOM) == 1
    assert TEXT.count("```python") == len(QUOTATIONS) + len(CUSTOM)


@pytest.mark.parametrize(("path", "quotation"), QUOTATIONS)
def test_a_quotation_stands_in_its_file(path: str, quotation: str) -> None:
    quoted, there = lines(quotation), lines((ROOT / path).read_text())
    runs = [there[start : start + len(quoted)] for start in range(len(there))]
    assert quoted in runs, f"{path} no longer has:\n{quotation}"


def test_links_and_names_lead_somewhere() -> None:
    for path in re.findall(r"\]\(\.\./(\S+?)\)", TEXT):
        assert (ROOT / path).is_file()
    for name, attribute in re.findall(r"`([A-Z]\w+)\.(\w+)`", TEXT):
        assert hasattr(getattr(bpcli.core.network, name), attribute)
    assert (ROOT / "tests/test_backpropagation.py").samefile(__file__)


def test_the_examples_print_what_is_shown(bpcli: Callable[..., Result]) -> None:
    examples = [step for step in steps(TEXT) if step.command.startswith("bpcli explain")]
    assert len(examples) == 2
    for step in examples:
        assert not difference(step.printed, bpcli(*shlex.split(step.command)[1:]).stdout.splitlines())


def test_figures() -> None:
    sizes = (784, 1024, 10)
    assert f"{parameters.count(sizes) + 1:,}" in TEXT
    assert f"784·1024 + 1024·10 = {784 * 1024 + 1024 * 10:,}" in TEXT
    assert f"10·1024 = {10 * 1024:,}" in TEXT
    assert len(MISTAKES) == 33
    assert "thirty-three mistakes" in TEXT


def test_the_rules_for_products() -> None:
    """dA = G Bᵀ and dB = Aᵀ G, by differences of C = Σ G ⊙ (A B), which is linear in both."""
    rng = np.random.default_rng(0)
    a, b, g = rng.standard_normal((3, 4)), rng.standard_normal((4, 5)), rng.standard_normal((3, 5))
    for place in np.ndindex(a.shape):
        moved = a.copy()
        moved[place] += 1
        assert (g * (moved @ b)).sum() - (g * (a @ b)).sum() == pytest.approx((g @ b.T)[place])
    for place in np.ndindex(b.shape):
        moved = b.copy()
        moved[place] += 1
        assert (g * (a @ moved)).sum() - (g * (a @ b)).sum() == pytest.approx((a.T @ g)[place])


def custom(monkeypatch: pytest.MonkeyPatch) -> Activation:
    """The row of the text, in the table until the test ends."""
    monkeypatch.setitem(ACTIVATIONS, "softplus", ACTIVATIONS["relu"])
    exec(CUSTOM[0], {"ACTIVATIONS": ACTIVATIONS, "Activation": Activation, "np": np})
    return ACTIVATIONS["softplus"]


@pytest.mark.parametrize("hidden", ["[1]", "[12, 1, 9]"])
def test_the_custom_activation_passes_the_check(
    bpcli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, small_settings: list[str], hidden: str
) -> None:
    custom(monkeypatch)
    settings = [*small_settings, "model.activation=softplus", f"model.hidden={hidden}"]
    result = bpcli("check", *(part for setting in settings for part in ("-s", setting)))
    assert result.exit_code == 0, result.output


def point(network: Network, seed: int) -> Point:
    rng = np.random.default_rng(seed)
    vector = rng.standard_normal(parameters.count(network.sizes))
    x, y = rng.standard_normal((6, network.sizes[0])), rng.standard_normal((6, network.sizes[-1]))
    return Point(network, Formulas(("z",) * len(network.hidden), QUADRATIC), vector, x, y)


def test_exercise_one_neuron_with_another_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unit 2 of the middle layer is softplus, all others are sigmoid; only its derivative changes."""
    sigmoid, softplus, one = ACTIVATIONS["sigmoid"], custom(monkeypatch), np.s_[:, 2:3]

    def value(z: np.ndarray, out: np.ndarray) -> None:
        other = z[one].copy()
        sigmoid.value(z, out)
        softplus.value(other, out[one])

    def derivative(a: np.ndarray, out: np.ndarray) -> np.ndarray:
        sigmoid.derivative(a, out)
        softplus.derivative(a[one], out[one])
        return out

    network = Network((5, 4, 4, 3), (sigmoid, Activation("", value, derivative)), OUTPUTS[QUADRATIC])
    here = point(network, 1)
    found = differences.kernels(here)
    for layer in range(3):
        errors, kinks = differences.check_central(here, found, list(differences.every_parameter(here, layer)))
        assert kinks == 0
        assert all(error is not None and error < 1e-8 for error in errors.values())
    unchanged = Network(network.sizes, (sigmoid, sigmoid), network.output)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(differences.kernels(point(unchanged, 1)).deltas[1], found.deltas[1])


def test_exercise_linear_neurons() -> None:
    network = Network((5, 4, 6, 3), (ACTIVATIONS["identity"],) * 2, OUTPUTS[QUADRATIC])
    here = point(network, 2)
    found, ((w1, b1), (w2, b2), (w3, b3)) = differences.kernels(here), here.layers
    p = here.x @ (w1 @ w2 @ w3) + (b1 @ w2 + b2) @ w3 + b3  # one linear map
    delta = (p - here.y) / len(here.x)
    for index, expected in enumerate((delta @ w3.T @ w2.T, delta @ w3.T, delta)):
        np.testing.assert_allclose(found.deltas[index], expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found.gradients[index].bias, expected.sum(axis=0), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.gradients[0].weight, here.x.T @ delta @ w3.T @ w2.T, rtol=1e-12, atol=1e-13)
    values, _ = differences.central(here, Direction(0, "bias", np.eye(1, 4, 0)[0]), 1e-4)
    assert values.mean() == pytest.approx((delta @ w3.T @ w2.T).sum(axis=0)[0], rel=1e-9)
