import json
from collections.abc import Callable

import pytest
from click.testing import Result

from bpcli.core import network
from bpcli.errors import ConfigError, DataError
from bpcli.gradcheck import differences
from bpcli.training import trainer
from tests.planting import plant


@pytest.fixture
def small(small_settings: list[str]) -> list[str]:
    return [part for setting in small_settings for part in ("-s", setting)]


def test_the_table_and_the_cost(bpcli: Callable[..., Result], small: list[str]) -> None:
    result = bpcli("check", *small, "-s", "model.hidden=[64]")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[-1] == "passed: all 11 quantities are right"
    assert sum(line.endswith("  ok") for line in lines) == 11
    assert sum("BP" in line for line in lines) == 6
    assert any("50,891 forward passes" in line for line in lines)
    assert result.stderr == ""


def test_json(bpcli: Callable[..., Result], small: list[str]) -> None:
    record = json.loads(bpcli("check", "--json", *small).stdout)
    assert record["passed"]
    assert record["sizes"] == [784, 16, 10]
    assert record["difference_passes"] == 784 * 16 + 16 + 160 + 10 + 1
    assert record["limits"] == {"central": 1e-6, "complex_step": 1e-12, "graph": 1e-12, "formula": 1e-12}
    for row in record["rows"]:
        assert row["passed"]
        assert all(error <= record["limits"][method] for method, error in row["errors"].items())
    assert {row["layer"] for row in record["rows"]} == {"all", "1", "2"}


def test_a_wrong_gradient_is_exit_code_1(
    bpcli: Callable[..., Result], small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, network, "backward", "delta /= len(delta)", "pass")
    for user in (differences, trainer):
        monkeypatch.setattr(user, "backward", network.backward)
    result = bpcli("check", *small)
    assert result.exit_code == 1
    assert "WRONG" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("failed: 6 of 11 quantities are wrong")
    assert json.loads(bpcli("check", "--json", *small).stdout)["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["-c", "nosuch"], ConfigError.exit_code, "'nosuch' is neither a file nor a preset"),
        (["-s", "model.activation=rlu"], ConfigError.exit_code, "did you mean relu?"),
        (["-s", "model.hidden=[5, 5]", "-s", "model.activation=[relu]"], ConfigError.exit_code, "lists 1 for 2 hidden"),
        (["-s", "loss=cross_entropy"], ConfigError.exit_code, "doesn't go with"),
        (["-s", "model.hidden=[100000, 100000]"], ConfigError.exit_code, "GiB of memory"),
        (["-s", "data.folder=nowhere"], DataError.exit_code, "nowhere: no such folder"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    bpcli: Callable[..., Result], small: list[str], arguments: list[str], code: int, complaint: str
) -> None:
    result = bpcli("check", *small, *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
