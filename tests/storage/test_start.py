"""The network that a run starts from: what it brings along, and what is refused."""

from pathlib import Path

import pytest

from bpcli import config as configuration
from bpcli.data.spec import DataSpec
from bpcli.errors import CheckpointError, ConfigError, DataError
from bpcli.storage import start

PRETRAINED = ["train.start=pretrained"]


def test_the_network_brings_its_form_and_preprocessing_along() -> None:
    plain, config = configuration.load(), start.load("default", PRETRAINED)
    assert configuration.differences(plain, config).keys() == {"train.start", "model.hidden", "data.deslant"}
    assert (config.model.hidden, config.data.deslant) == ((800, 400), True)


@pytest.mark.parametrize(
    ("source", "setting", "told"),
    [
        ("default", "model.hidden=[1024]", r"model\.hidden = \[1024\], but pretrained.* has \[800, 400\]; leave"),
        (
            "default",
            "data.deslant=false",
            r"data\.deslant = false, but pretrained.* has true; leave",
        ),
        ("default", "data.width=14", r"data\.width = 14, but pretrained.* has null; leave"),
        ("quick", "train.epochs=1", r"model\.hidden = \[320\], but pretrained"),
        ("default", "train.freeze=3", r"train\.freeze = 3, but model\.hidden = \[800, 400\]: expected at most 2"),
    ],
)
def test_whoever_gives_the_network_another_form_is_told(source: str, setting: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        start.load(source, [*PRETRAINED, setting])


def test_agreeing_with_the_network_is_allowed() -> None:
    config = start.load("pretrained", [*PRETRAINED, "model.hidden=[800, 400]", "train.freeze=2"])
    assert config == configuration.load("pretrained", ["train.start=pretrained", "train.freeze=2"])


def test_more_frozen_layers_than_there_are_is_refused_without_a_network_too() -> None:
    assert configuration.load("default", ["train.freeze=1"]).train.freeze == 1
    with pytest.raises(ConfigError, match=r"train\.freeze = 2, but model\.hidden = \[1024\]: expected at most 1; the"):
        configuration.load("default", ["train.freeze=2"])


def test_there_must_be_such_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"pretrain: no such file, .* did you mean pretrained"):
        start.load("default", ["train.start=pretrain"])
    with pytest.raises(CheckpointError, match="there is no finished run here yet"):
        start.load("default", ["train.start=latest"])


def test_the_images_keep_the_brightness_that_the_network_is_used_to() -> None:
    network = start.read("pretrained")
    mine = DataSpec(28, ("1", "7"), 0.2, 0.4, digits=False)
    assert network.spec(mine) == DataSpec(28, ("1", "7"), network.model.spec.mean, network.model.spec.deviation, False)
    with pytest.raises(DataError, match="pretrained expects images of 28×28 pixels; these have 20×20"):
        network.spec(DataSpec(20, ("1", "7"), 0.2, 0.4, digits=False))


def test_keys_that_old_checkpoints_lack_have_the_value_of_the_default() -> None:
    tree = configuration.to_tree(configuration.load())
    del tree["train"]["start"], tree["train"]["freeze"], tree["data"]["width"]
    assert configuration.from_tree(tree, "an old checkpoint") == configuration.load()
