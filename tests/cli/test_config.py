from collections.abc import Callable
from json import dumps as json
from pathlib import Path

import pytest
from click.testing import Result

from bpcli import config as configuration
from bpcli.errors import ConfigError
from bpcli.storage import start


def test_the_resolved_configuration_is_printed(bpcli: Callable[..., Result]) -> None:
    result = bpcli("config", "-s", "train.epochs=3")
    assert result.exit_code == 0
    Path("printed.yaml").write_text(result.stdout)
    assert configuration.load("printed.yaml") == configuration.load("default", ["train.epochs=3"])


SETTINGS = [
    "seed=9223372036854775807", "model.hidden=[30, 20]", "model.activation=[relu, tanh]", "data.folder='a #: é\\n'",
    "data.name=null", "optimizer.epsilon=1e-12", "train.patience=3", "train.checkpoint_minutes=null", "train.threads=2",
    "train.start=null",
]  # fmt: skip


@pytest.mark.parametrize("preset", configuration.preset_names())
@pytest.mark.parametrize("settings", [[], SETTINGS], ids=["alone", "with settings"])
def test_what_is_printed_is_read_back(bpcli: Callable[..., Result], preset: str, settings: list[str]) -> None:
    result = bpcli("config", "-c", preset, *(part for setting in settings for part in ("-s", setting)))
    Path("printed.yaml").write_bytes(result.stdout_bytes)
    assert configuration.load("printed.yaml") == start.load(preset, settings)


@pytest.mark.parametrize("folder", ["\x85", "a\nb", "1e-1", "null", ": #", " é  ", "it's", '"', "x" * 300])
def test_any_text_is_read_back(bpcli: Callable[..., Result], folder: str) -> None:
    Path("mine.yaml").write_text(configuration.to_yaml(configuration.load("default", [f"data.folder={json(folder)}"])))
    Path("printed.yaml").write_bytes(bpcli("config", "-c", "mine.yaml").stdout_bytes)
    assert configuration.load("printed.yaml").data.folder == folder


def test_every_key_comes_with_the_comment_of_the_default(bpcli: Callable[..., Result]) -> None:
    lines = bpcli("config", "-c", "ciresan", "-s", "train.epochs=3").stdout.splitlines()
    assert lines[0] == "# The whole configuration of ciresan with train.epochs=3."
    assert "  epochs: 3                  # passes over the training split; 1 to 100,000" in lines
    assert (
        "  hidden: [1500, 1000, 500]  # units of each hidden layer, 1 to 100,000 each, at most 32 layers; [] for none"
        in lines
    )
    comments = [line.partition(" # ")[2] for line in configuration.find("default").read_text().splitlines()[2:]]
    assert [line.partition(" # ")[2] for line in lines[1:]] == comments


def test_the_presets_are_listed_with_a_line_each(bpcli: Callable[..., Result]) -> None:
    lines = bpcli("config", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == configuration.preset_names()
    assert "simard                One hidden layer and distorted images, 160 epochs: some minutes." in lines


def test_a_mistake_is_one_line(bpcli: Callable[..., Result]) -> None:
    Path("mine.yaml").write_text("train: {epochs: 1, epochs: 2}")
    result = bpcli("config", "-c", "mine.yaml")
    assert result.exit_code == ConfigError.exit_code
    assert result.stderr == "Error: mine.yaml, line 1, column 20: not valid here: duplicate key 'epochs'\n"
    assert result.stdout == ""
