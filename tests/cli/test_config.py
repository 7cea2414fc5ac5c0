from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from bpcli import config as configuration
from bpcli.errors import ConfigError


def test_the_resolved_configuration_is_printed(bpcli: Callable[..., Result]) -> None:
    result = bpcli("config", "-s", "train.epochs=3")
    assert result.exit_code == 0
    Path("printed.yaml").write_text(result.stdout)
    assert configuration.load("printed.yaml") == configuration.load("default", ["train.epochs=3"])


def test_the_presets_are_listed(bpcli: Callable[..., Result]) -> None:
    assert bpcli("config", "--list").stdout.split() == configuration.preset_names()


def test_a_mistake_is_one_line(bpcli: Callable[..., Result]) -> None:
    Path("mine.yaml").write_text("train: {epochs: 1, epochs: 2}")
    result = bpcli("config", "-c", "mine.yaml")
    assert result.exit_code == ConfigError.exit_code
    assert result.stderr == "Error: mine.yaml, line 1, column 20: not valid here: duplicate key 'epochs'\n"
    assert result.stdout == ""
