"""What a wrong name may mean."""

import pytest

from bpcli import config as configuration
from bpcli import hints


def test_every_table_leads_to_what_there_is_and_hides_nothing_of_ours() -> None:
    keys = configuration.keys()
    assert set(hints.KEYS.values()) <= set(keys)
    assert set(hints.SECTIONS.values()) <= set(configuration.to_tree(configuration.load()))
    assert set(hints.VALUES) <= set(keys)
    assert set(hints.KEYS).isdisjoint(key.rpartition(".")[2] for key in keys)


def test_a_name_of_another_tool_leads_to_our_key() -> None:
    keys = configuration.keys()
    for theirs, ours in hints.KEYS.items():
        assert hints.nearest_keys(theirs, keys) == hints.nearest_keys(f"model.{theirs}", keys) == [ours]
        assert hints.nearest_keys(theirs.upper().replace("_", "-"), keys) == [ours]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    {
        "lr": "optimizer.learning_rate", "epochs": "train.epochs", "batch": "train.batch_size",
        "hidden": "model.hidden",
        "batch_size": "train.batch_size", "dropout": "model.dropout", "lr_decay": "schedule.factor",
        "weight_decay": "optimizer.weight_decay", "l2": "optimizer.weight_decay", "loss_fn": "loss",
        "num_epochs": "train.epochs", "n_epochs": "train.epochs", "max_iter": "train.epochs",
        "hidden_layer_sizes": "model.hidden", "learning_rate_init": "optimizer.learning_rate",
        "batchsize": "train.batch_size", "optim": "optimizer.kind", "solver": "optimizer.kind", "random_state": "seed",
        "seed": "seed", "learning_rat": "optimizer.learning_rate", "patiense": "train.patience",
    }.items(),
)  # fmt: skip
def test_names_that_people_bring_along(theirs: str, ours: str) -> None:
    assert hints.nearest_keys(theirs, configuration.keys()) == [ours]


def test_what_means_nothing_gets_no_hint() -> None:
    assert hints.nearest_keys("zzzz", configuration.keys()) == []
    assert hints.question([]) == ""


@pytest.mark.parametrize("text", ["300,100", "300, 100", "300 100", "(300, 100)", "300-100", "300x100", "[300,100"])
def test_numbers_are_put_in_brackets(text: str) -> None:
    assert hints.in_brackets(text) == "[300, 100]"


@pytest.mark.parametrize("text", ["", "wide", "3.5", "-1", "300;100", "1e3"])
def test_other_text_is_not(text: str) -> None:
    assert hints.in_brackets(text) == ""
