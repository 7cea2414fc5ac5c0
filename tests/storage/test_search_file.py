"""The description of a search: what is wrong in it is said before anything starts."""

from pathlib import Path

import pytest

from bpcli.errors import CheckpointError, ConfigError
from bpcli.storage import search_file
from bpcli.storage.search_file import Choice, Range

LONG = f"space: {{model.hidden: {{values: {[[n, 8, 8, 8] for n in range(1, 996)]}}}}}\n"
SPACE = "space: {optimizer.learning_rate: {min: 0.005, max: 1.0, log: true}}\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str) -> search_file.Search:
    Path("space.yaml").write_text(text)
    return search_file.read(Path("space.yaml"))


def test_a_description_is_read_and_written_whole() -> None:
    search = read(
        "config: quick\nset: {train.batch_size: 64, train: {epochs: 9}, data.validation: 500}\n"
        "metric: validation_loss\ntrials: 7\n"
        "rungs: [1, 3]\nseed: 5\nspace:\n  optimizer.learning_rate: {min: 0.005, max: 1.0, log: true}\n"
        "  model.hidden: {values: [[8], [16, 16]]}\n"
    )
    assert (search.config.train.batch_size, search.config.train.epochs) == (64, 9)
    assert (search.metric, search.trials, search.rungs, search.seed) == ("validation_loss", 7, (1, 3), 5)
    assert search.space == {
        "optimizer.learning_rate": Range(0.005, 1.0, log=True), "model.hidden": Choice(([8], [16, 16])),
    }  # fmt: skip
    Path("s").mkdir()
    search_file.write(Path("s"), search)
    assert search_file.read_folder(Path("s")) == search


def test_the_values_of_a_trial_come_back_from_its_configuration() -> None:
    search = read("space: {model.hidden: {values: [[8], [16, 16]]}, train.batch_size: {min: 8, max: 64}}\n")
    values = {"model.hidden": [16, 16], "train.batch_size": 33}
    config = search.trial(values)
    assert (config.model.hidden, config.train.batch_size) == ((16, 16), 33)
    assert search.values(config) == values


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("trials: 5\n", "missing required field space"),
        ("space: {}\n", "space names no key"),
        (f"{SPACE}trial: 5\n", "unknown field trial"),
        (f"{SPACE}trials: 0\n", ">= 1"),
        (f"{SPACE}metric: test_accuracy\n", "Invalid enum value 'test_accuracy'"),
        (f"{SPACE}config: quik\n", "did you mean quick?"),
        (f"{SPACE}set: {{train.epoch: 3}}\n", "unknown key train.epoch; did you mean train.epochs?"),
        (f"{SPACE}rungs: [3, 1]\n", "rungs = [3, 1]: expected rising epochs below train.epochs = 10"),
        (f"{SPACE}rungs: [10]\n", "rungs = [10]: expected rising epochs below train.epochs = 10"),
        (f"{SPACE}config: ciresan\n", "no validation split, by which trials are compared; give it one with set: {dat"),
        ("space: {lr: {min: 1, max: 2}}\n", "space: lr: unknown key; did you mean optimizer.learning_rate?"),
        ("space: {optimizer.learning_rate: 0.1}\n", "space"),
        ("space: {optimizer.learning_rate: {min: 0.1}}\n", "expected {min: ..., max: ...}"),
        ("space: {optimizer.learning_rate: {min: 1, max: 0.1}}\n", "expected min below max"),
        ("space: {optimizer.weight_decay: {min: 0, max: 0.1, log: true}}\n", "with log: true also above 0"),
        ("space: {optimizer.learning_rate: {min: 0.1, max: 5000}}\n", "optimizer.learning_rate = 5000"),
        ("space: {train.batch_size: {min: 0.5, max: 8}}\n", "train.batch_size = 0.5: expected int"),
        ("space: {model.activation: {values: [relu, swish]}}\n", "swish"),
        ("space: {model.hidden: {min: 10, max: 100}}\n", "expected list, got int"),
        ("space: {optimizer.kind: {values: [adam]}, optimizer.nesterov: {values: [true]}}\n", "wants optimizer.kind"),
        ("space: {seed: {min: 1, max: 5}}\n", "space: seed: can't be searched: trials are compared with one seed"),
        ("space: {train.epochs: {min: 1, max: 5}}\n", "can't be searched: rungs are epochs of runs of one length"),
        ("space: {data.name: {values: [usps, kmnist]}}\n", "data.name: can't be searched: trials are compared"),
        (f"{SPACE.rstrip()[:-1]}, loss: {{values: [quadratic]}}}}\nmetric: validation_loss\n", "which it changes"),
        ("space: {optimizer.learning_rate: {values: [1e-1, 0.1]}}\n", "optimizer.learning_rate: names a value twice"),
        (
            "config: nielsen-chapter3\nset: {data.validation: 500}\nmetric: validation_loss\n"
            "space: {optimizer.weight_decay: {min: 1, max: 5}}\n",
            "optimizer.weight_decay: can't be searched by validation_loss, which it changes",
        ),
        (LONG, "space.yaml, with the whole configuration, line "),
        ("[1, 2]\n", "not the description of a search"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert complaint in str(error.value)
    assert "space.yaml" in str(error.value) or "quik" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_combination_that_only_some_values_make_is_found() -> None:
    kinds = "optimizer.kind: {values: [momentum, adam]}, optimizer.nesterov: {values: [false, true]}"
    with pytest.raises(ConfigError, match=r"optimizer.nesterov = true wants optimizer.kind = momentum, not adam"):
        read(f"space: {{{kinds}, train.batch_size: {{min: 8, max: 64}}}}\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: can't be read: No such file"):
        search_file.read(Path("nowhere.yaml"))
    with pytest.raises(CheckpointError, match=r"search\.yaml: can't be read: No such file"):
        search_file.read_folder(tmp_path)


def test_values_are_those_that_the_configuration_has_for_them() -> None:
    """YAML reads 1e-4 as text, but the configuration takes it for a number; kaiming is an older name."""
    search = read(
        "space:\n  optimizer.learning_rate: {values: [1e-4, 1e-3]}\n  model.init: {values: [kaiming, glorot]}\n"
        "  optimizer.weight_decay: {min: 1e-4, max: 1e-1, log: true}\n"
    )
    assert search.space == {
        "optimizer.learning_rate": Choice((1e-4, 1e-3)), "model.init": Choice(("glorot_relu", "glorot")),
        "optimizer.weight_decay": Range(1e-4, 1e-1, log=True),
    }  # fmt: skip
    values = {"optimizer.learning_rate": 1e-3, "model.init": "glorot_relu", "optimizer.weight_decay": 0.01}
    assert search.values(search.trial(values)) == values


def test_an_older_search_that_would_be_refused_today_is_read() -> None:
    Path("s").mkdir()
    Path("s/search.yaml").write_text(
        "space: {data.test: {min: 0.1, max: 0.2}, optimizer.momentum: {values: [0, 0.0]}}\n"
    )
    assert list(search_file.read_folder(Path("s")).space) == ["data.test", "optimizer.momentum"]
