"""The members of a series: their names, their titles and their configurations."""

from collections.abc import Sequence

import pytest

from bpcli import config as configuration
from bpcli.errors import ArgumentError, ConfigError
from bpcli.storage.members import of_grid, of_seeds, title


def test_each_combination_is_a_member() -> None:
    config = configuration.load("default", ["seed=7"])
    grid: dict[str, Sequence[object]] = {"model.hidden": [[30, 10], [5]], "data.deslant": [True, False], "seed": (1, 0)}
    members = of_grid(config, grid).members
    assert [member.name for member in members] == [
        f"hidden-{hidden}-deslant-{deslant}-seed-{seed}"
        for hidden in ("30-10", "5")
        for deslant in ("true", "false")
        for seed in (1, 0)
    ]
    for member in members:
        settings = [f"{key}={value}" for key, value in member.settings.items()]
        assert member.config == configuration.load("default", ["seed=7", *settings])


def test_a_series_of_seeds_has_the_names_that_it_always_had() -> None:
    series = of_seeds(configuration.load(), (3, 0))
    assert [(member.name, title(member.settings)) for member in series.members] == [
        ("seed-3", "seed 3"), ("seed-0", "seed 0"),
    ]  # fmt: skip
    assert series.with_finished("seed-0").with_finished("seed-3").finished == ("seed-3", "seed-0")
    assert [member.name for member in series.with_finished("seed-3").unfinished] == ["seed-0"]


@pytest.mark.parametrize(
    ("key", "value", "name", "text"),
    [
        ("model.hidden", [], "hidden-none", "hidden []"),
        ("train.patience", None, "patience-null", "patience null"),
        ("optimizer.weight_decay", 1e-05, "weight_decay-1.0e-05", "weight_decay 1.0e-05"),
        ("optimizer.kind", "adam", "optimizer.kind-adam", "optimizer.kind adam"),
        ("model.activation", "leaky_relu", "activation-leaky_relu", "activation leaky_relu"),
    ],
)
def test_names_of_folders(key: str, value: object, name: str, text: str) -> None:
    (member,) = of_grid(configuration.load(), {key: [value]}).members
    assert (member.name, title(member.settings)) == (name, text)


def test_values_go_together_or_are_refused() -> None:
    config = configuration.load("default", ["model.hidden=[9]"])
    grid: dict[str, Sequence[object]] = {"model.hidden": [[3, 3], [4, 4]], "model.activation": [["tanh", "relu"]]}
    assert of_grid(config, grid).members[0].config.model.activations == ("tanh", "relu")
    with pytest.raises(ConfigError, match=r"^--vary: optimizer.kind adam, nesterov true: optimizer.nest"):
        of_grid(config, {"optimizer.kind": ["adam"], "optimizer.nesterov": [True]})
    with pytest.raises(ArgumentError, match="more than 80 characters"):
        of_grid(config, {"schedule.milestones": [list(range(1, 50))]})
