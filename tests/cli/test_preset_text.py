"""What is read from the texts of the presets agrees with what the configuration knows."""

from bpcli import config as configuration
from bpcli.cli import preset_text
from bpcli.config import Config


def test_every_key_is_found() -> None:
    assert sorted(line.key for line in preset_text.settings()) == sorted(configuration.keys())


def test_the_comments_list_every_name_that_a_key_may_have() -> None:
    listed = {line.key: line.choices for line in preset_text.settings() if line.choices}
    names = {key: sorted(known) for key, known in configuration._NAMES.items()}
    names |= {"data.kind": ["any", "auto", "digits"], "data.outlier_kinds": ["classic", "clean"]}
    switches = [key for key, value in _values(configuration.load()).items() if isinstance(value, bool)]
    assert {key: sorted(each) for key, each in listed.items()} == names | {key: ["false", "true"] for key in switches}


def _values(config: Config) -> dict[str, object]:
    return {
        f"{section}.{key}": value
        for section, values in configuration.to_tree(config).items()
        if isinstance(values, dict)
        for key, value in values.items()
    }


def test_a_presets_summary_is_true() -> None:
    """What the lines say in figures is what the presets hold; the rest was read."""
    for name in configuration.preset_names():
        config, summary = configuration.load(name), preset_text.summary(name)
        assert 20 < len(summary) <= 100
        layers = {"No": 0, "One": 1, "two": 2, "Three": 3}
        for word, count in layers.items():
            assert f"{word} hidden layer" not in summary or len(config.model.hidden) == count
        assert ("hidden sigmoid" in summary) == (
            config.model.activation == "sigmoid"
        ) or "first network with" in summary
        assert ("distorted" in summary) == (config.augment.rotation > 0)
        assert " epochs" not in summary or f"{_word(config.train.epochs)} epochs" in summary
        assert "units" not in summary or f"{config.model.hidden[0]} hidden" in summary


def _word(number: int) -> str:
    return {2: "two", 10: "ten"}.get(number, str(number))
