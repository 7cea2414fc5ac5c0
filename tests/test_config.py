"""Configurations: defaults, overrides, and the message of each mistake."""

import errno
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bpcli import config as configuration
from bpcli import hints
from bpcli.config import from_tree, load, preset_names, to_tree, to_yaml
from bpcli.errors import ConfigError


def test_the_default_is_the_articles_network() -> None:
    config = load()
    assert config.model.hidden == (1024,)
    assert (config.model.activation, config.model.output, config.loss) == ("relu", "sigmoid", "binary_cross_entropy")
    assert (config.optimizer.learning_rate, config.optimizer.momentum) == (0.1, 0.9)
    assert (config.schedule.kind, config.schedule.milestones, config.schedule.factor) == ("steps", (8,), 0.1)
    assert (config.train.epochs, config.train.batch_size) == (10, 256)
    assert (config.data.folder, config.data.validation, config.data.normalize) == (None, "auto", "standard")


@pytest.mark.parametrize("name", preset_names())
def test_presets_load_and_survive_a_round_trip(name: str, tmp_path: Path) -> None:
    config = load(name)
    (tmp_path / "again.yaml").write_text(to_yaml(config))
    assert load(str(tmp_path / "again.yaml")) == config
    assert from_tree(to_tree(config), "again") == config


def test_every_key_of_the_default_has_a_comment() -> None:
    lines = configuration.find("default").read_text().splitlines()
    keys = [line for line in lines if line.strip() and not line.startswith("#") and not line.rstrip().endswith(":")]
    assert [line for line in keys if "  # " not in line] == []


def test_a_file_may_leave_keys_out_and_settings_come_last(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("seed: 4\ntrain:\n  epochs: 3\ndata:\n")
    config = load(str(tmp_path / "mine.yaml"), ["train.epochs=5", "model.hidden=[30, 20]", "schedule.factor=1e-1"])
    assert (config.seed, config.train.epochs, config.train.batch_size) == (4, 5, 256)
    assert (config.model.hidden, config.schedule.factor) == ((30, 20), 0.1)


def test_a_tree_from_before_a_section_was_there_takes_its_defaults() -> None:
    tree = to_tree(load())
    del tree["augment"]
    assert from_tree(tree, "old") == load()


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load(str(tmp_path / "empty.yaml")) == load()


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("train.epoch=3", "-s train.epoch=3: unknown key train.epoch; did you mean train.epochs?"),
        ("epochs=3", "unknown key epochs; did you mean train.epochs?"),
        ("train.epochs=three", "train.epochs = three: expected int, got str"),
        ("train.epochs=true", "train.epochs = True: expected int, got bool"),
        ("train.epochs=2.5", "train.epochs = 2.5: expected int, got float"),
        ("train.epochs=0", "train.epochs = 0: expected int >= 1"),
        ("train.batch_size=-5", "train.batch_size = -5: expected int >= 1"),
        ("seed=-1", "seed = -1: expected int >= 0"),
        ("model.hidden=[0]", "model.hidden = [0]: expected int >= 1"),
        ("model.hidden=[-3, 4]", "model.hidden = [-3, 4]: expected int >= 1"),
        ("model.hidden=1024", "model.hidden = 1024: expected list, got int"),
        ("optimizer.learning_rate=.nan", "optimizer.learning_rate = nan: expected"),
        ("optimizer.learning_rate=.inf", "optimizer.learning_rate = inf: expected"),
        ("optimizer.learning_rate=0", "optimizer.learning_rate = 0: expected float > 0"),
        ("optimizer.learning_rate=fast", "optimizer.learning_rate = fast: expected float, got str"),
        ("optimizer.momentum=1", "optimizer.momentum = 1: expected float < 1"),
        (
            "model.activation=rellu",
            "expected one of relu, leaky_relu, elu, gelu, sigmoid, tanh, identity; did you mean relu?",
        ),
        ("model.activation=[relu, tanh]", "model.activation lists 2 for 1 hidden layers"),
        (
            "model.output=softmax",
            "model.output = softmax doesn't go with loss = binary_cross_entropy; these do: sigmoid",
        ),
        ("data.outliers=-1", "data.outliers = -1: expected int >= 0"),
        ("loss=mse", "loss = mse: expected one of"),
        ("data.normalize=zscore", "expected one of standard, unit"),
        ("schedule.milestones=[8, 4]", "schedule.milestones = [8, 4]: expected rising epochs"),
        ("augment.rotation=-1", "augment.rotation = -1: expected float >= 0"),
        ("augment.rotation=181", "augment.rotation = 181: expected float <= 180"),
        ("augment.scale=1", "augment.scale = 1: expected float <= 0.9"),
        ("augment.elastic_sigma=0", "augment.elastic_sigma = 0: expected float >= 1"),
        ("augment.stroke=true", "augment.stroke = True: expected float, got bool"),
        ("augment.rotatoin=3", "unknown key augment.rotatoin; did you mean augment.rotation?"),
        ("train=5", "train = 5: expected keys and values"),
        ("train.epochs", "-s train.epochs: expected KEY=VALUE"),
        ("=5", "expected KEY=VALUE"),
        ("train.epochs=[1", "not valid here"),
        ("train.epochs.x=1", "train.epochs"),
    ],
)
def test_a_mistake_is_named_with_key_value_and_limit(setting: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load("default", [setting])
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_outliers_want_scores_that_can_all_be_low() -> None:
    with pytest.raises(ConfigError, match=r"data\.outliers = 5 wants model\.output = sigmoid, not softmax"):
        load("softmax-regression", ["data.outliers=5"])


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("optimizer: {learning_rate: -1}")
    with pytest.raises(ConfigError, match=r"mine\.yaml: optimizer\.learning_rate = -1: expected"):
        load(str(path))


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=r"'defualt' is neither a file nor a preset \(.*default.*\); did you mean default"
    ):
        load("defualt")


@pytest.mark.parametrize("text", ["1e-1", "1E-1", "1.e-1", ".1e0", "+1e-1", "10e-2"])
def test_exponents_are_numbers_even_where_pyyaml_reads_text(text: str) -> None:
    assert load("default", [f"optimizer.learning_rate={text}"]).optimizer.learning_rate == pytest.approx(0.1)


@given(
    epochs=st.integers(1, 100_000),
    rate=st.floats(1e-9, 1000),
    hidden=st.lists(st.integers(1, 9999), max_size=5),
    folder=st.none() | st.text(min_size=1) | st.sampled_from(["\x85", "é 数", "a\nb", "1e-1", "null", ": #"]),
)
def test_any_valid_configuration_survives_yaml(epochs: int, rate: float, hidden: list[int], folder: str | None) -> None:
    tree = to_tree(load())
    tree["train"]["epochs"], tree["optimizer"]["learning_rate"] = epochs, rate
    tree["model"]["hidden"], tree["data"]["folder"] = hidden, folder
    config = from_tree(tree, "made up")
    assert from_tree(yaml.safe_load(to_yaml(config)), "again") == config


def test_a_whole_configuration_is_written_in_the_order_of_its_keys() -> None:
    text = to_yaml(load("default", ["model.hidden=[30, 20]", "model.activation=[relu, tanh]"]))
    first = "folder: null, name: null, validation: auto, test: 0.15, side: 28, normalize: standard,\n  deslant: false"
    second = "width: null, kind: auto, outliers: 0, outlier_kinds: classic, hands: 0,\n  printed: 0"
    assert text.startswith(f"seed: 0\ndata: {{{first}, {second}}}\nmodel:\n")
    assert "  hidden: [30, 20]\n  activation: [relu, tanh]\n  output: sigmoid\n" in text
    assert list(yaml.safe_load(text)) == [
        "seed", "data", "model", "loss", "optimizer", "schedule", "augment", "train",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["off", "Off", "false", "null", "~", "'off'"])
def test_a_width_may_be_off_and_is_written_as_null(text: str) -> None:
    config = load("default", ["data.width=12", f"data.width={text}"])
    assert config.data.width is None
    assert configuration.to_lines(config)["data.width"] == "null"
    assert load("default", [{"width": "off"}]) == load("default", [{"data.width": False}]) == load()


def test_settings_on_top_of_a_configuration() -> None:
    config = load("default", ["seed=4", "train.epochs=7"])
    assert configuration.override(config, ["train.epochs=9", "data.folder=a=b"]) == load(
        "default", ["seed=4", "train.epochs=9", "data.folder=a=b"]
    )
    assert configuration.override(config, []) == config
    with pytest.raises(ConfigError) as caught:
        configuration.override(config, ["model.activation=[relu, tanh]"])
    assert str(caught.value) == (
        "-s: model.activation lists 2 for 1 hidden layers; give one for each, or one name for all"
    )


def test_differences_are_keys_with_both_values() -> None:
    one, other = load("default", ["seed=4", "train.epochs=7"]), load("default", ["train.epochs=9", "model.hidden=[5]"])
    assert configuration.differences(one, other) == {
        "seed": (4, 0), "model.hidden": ((1024,), (5,)), "train.epochs": (7, 9),
    }  # fmt: skip
    assert configuration.differences(one, one) == {}


def test_plain_data_are_called_by_their_source() -> None:
    for tree, complaint in (
        ({"seed": -1}, "the file: seed = -1: expected int >= 0"),
        ([], "the file: a configuration = []: expected keys and values, such as seed: 1"),
        ({"train": {"epoch": 3}}, "the file: unknown key train.epoch; did you mean train.epochs?"),
        (
            {"loss": "cross_entropy"},
            "the file: model.output = sigmoid doesn't go with loss = cross_entropy; these do: sigmoid with "
            "binary_cross_entropy; softmax with cross_entropy; sigmoid with quadratic; identity with quadratic",
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            from_tree(tree, "the file")
        assert str(caught.value) == complaint


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("data.folder=a\udcff", "not UTF-8 text, at byte 1"),
        ("train.epochs=[1", "line 1, column 3: not valid here: expected ',' or ']', but got '<stream end>'"),
        ("model.hidden=[3, 0]", "model.hidden = [3, 0]: expected int >= 1"),
        ("treads=1", "unknown key treads; did you mean train.threads?"),
        ("trian.epochs=1", "unknown key trian; did you mean train?"),
        ("optim.lr=1", "unknown key optim; did you mean optimizer?"),
        ("optimizer.lr=1", "unknown key optimizer.lr; did you mean optimizer.learning_rate?"),
        ("loss_fn=mse", "unknown key loss_fn; did you mean loss?"),
        ("Learning-Rate=1", "unknown key Learning-Rate; did you mean optimizer.learning_rate?"),
        ("schedule=cosine", "schedule = cosine: expected keys and values; did you mean schedule.kind=cosine?"),
        ("model.hidden=(300, 100)", "model.hidden = (300, 100): expected list, got str; did you mean [300, 100]?"),
        ("data.deslant=1", "data.deslant = 1: expected true or false, got int"),
        ("data.width=3", "data.width = 3: expected int >= 4"),
        ("data.width=true", "data.width = True: expected int | null, got bool"),
        ("data.width=wide", "data.width = wide: expected int | null, got str"),
        (
            "schedule=true",
            "schedule = True: expected keys and values; its keys are kind, milestones, factor, warmup",
        ),
        ("model.hidden=0", "model.hidden = 0: expected list, got int"),
        ("schedule.milestones=8", "schedule.milestones = 8: expected list, got int; did you mean [8]?"),
        (
            "loss=MSE",
            "loss = MSE: expected one of binary_cross_entropy, cross_entropy, quadratic; did you mean quadratic?",
        ),
        ("a.b.epohcs=1", "unknown key a"),
        ("zzzz=1", "unknown key zzzz"),
        ("kind=1", "unknown key kind; did you mean data.kind or optimizer.kind or schedule.kind?"),
        ("model.epochs=1", "unknown key model.epochs; did you mean train.epochs?"),
        ("model.hiden=1", "unknown key model.hiden; did you mean model.hidden?"),
        (f"loss={'x' * 60}", f"loss = {'x' * 60}: expected one of binary_cross_entropy, cross_entropy, quadratic"),
        (f"loss={'x' * 61}", f"loss = {'x' * 57}...: expected one of binary_cross_entropy, cross_entropy, quadratic"),
    ],
)
def test_a_mistake_is_one_message(setting: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load("default", [setting])
    assert str(caught.value).replace(f"-s {setting}, ", "").replace(f"-s {setting}: ", "") == complaint
    assert str(caught.value).startswith(f"-s {setting}")


def test_no_more_of_a_file_is_read_than_shows_that_it_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    with path.open("wb") as file:
        file.write(b"#" * 2000)
        file.truncate(200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match=r"long\.yaml: longer than 64 KiB"):
            load(str(path))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_cant_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "mine.yaml").touch()
    load()
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path / "mine.yaml"))
    assert str(caught.value) == f"{tmp_path}/mine.yaml: can't be read: Permission denied"


def test_a_contradiction_in_a_file_is_called_by_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("schedule: {milestones: [8, 4]}")
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path / "mine.yaml"))
    assert str(caught.value) == f"{tmp_path}/mine.yaml: schedule.milestones = [8, 4]: expected rising epochs"


def test_a_contradiction_in_the_settings_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^-s: schedule.milestones = \[8, 4\]: expected rising epochs$"):
        load("quick", ["schedule.milestones=[8, 4]"])
    (tmp_path / "mine.yaml").write_text("schedule: {milestones: [8, 4]}")
    with pytest.raises(ConfigError, match=r"/mine.yaml: schedule.milestones"):
        load(str(tmp_path / "mine.yaml"), ["seed=3"])
    assert load(str(tmp_path / "mine.yaml"), ["schedule.milestones=[4, 8]"]).schedule.milestones == (4, 8)


def test_a_name_that_is_no_file_is_one_message() -> None:
    with pytest.raises(ConfigError) as caught:
        load("x" * 300)
    assert str(caught.value) == f"{'x' * 300}: can't be read: File name too long"
    with pytest.raises(ConfigError) as caught:
        load("nowhere")
    assert str(caught.value) == f"'nowhere' is neither a file nor a preset ({', '.join(preset_names())})"


def test_a_value_of_another_tool_leads_to_our_name() -> None:
    for key, names in hints.VALUES.items():
        for theirs, ours in names.items():
            with pytest.raises(ConfigError) as caught:
                load("default", [f"{key}={theirs}"])
            known = str(caught.value).partition("expected one of ")[2]
            assert known.endswith(f"; did you mean {ours}?")
            assert ours in known.partition(";")[0].split(", ")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"PK\x03\x04\0\0"])
def test_a_file_that_is_no_text_is_told_what_is_wanted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "digit.png"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"digit\.png: not a text file; -c wants a preset \(see .*\) or a YAML file$"):
        load(str(path))


def test_old_names_are_read_as_the_new_ones_and_say_nothing() -> None:
    old = load("default", ["data.strangers=5", "model.init=kaiming"])
    assert old == load("default", ["data.outliers=5", "model.init=glorot_relu"])
    assert "strangers" not in to_yaml(old)
    assert from_tree({"data": {"strangers": 7}, "model": {"init": "kaiming"}}, "old").data.outliers == 7


def test_an_old_name_beside_the_new_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="are the same key; give one of them"):
        from_tree({"data": {"strangers": 7, "outliers": 7}}, "both")


def test_a_mistake_in_an_old_key_names_it_by_its_new_name() -> None:
    with pytest.raises(ConfigError, match=r"data\.outliers = -1: expected int >= 0"):
        load("default", ["data.strangers=-1"])


@pytest.mark.parametrize(
    "settings",
    [
        {"train.epochs": 3, "model.hidden": [5, 4], "data.folder": "x", "optimizer.kind": "adam"},
        {"train": {"epochs": 3}, "model": {"hidden": [5, 4]}, "data": {"folder": "x"}, "optimizer": {"kind": "adam"}},
        {"epochs": 3, "hidden": (5, 4), "folder": Path("x"), "optimizer": {"kind": "adam"}},
        {"epochs": np.int64(3), "hidden": np.array([5, 4]), "data": {"folder": Path("x")}, "optimizer.kind": "adam"},
    ],
)
def test_settings_from_python_are_those_of_the_command_line(settings: dict[str, object]) -> None:
    overrides = ["train.epochs=3", "model.hidden=[5, 4]", "data.folder=x", "optimizer.kind=adam"]
    assert configuration.changed(load("quick"), settings, "settings") == load("quick", overrides)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"kind": "adam"}, "unknown key kind; did you mean data.kind or optimizer.kind or schedule.kind?"),
        ({"learning_rate": -1}, "optimizer.learning_rate = -1: expected float > 0.0"),
        ({"optimizer": 3}, "optimizer = 3: expected keys and values"),
        ({"output": "softmax"}, "model.output = softmax doesn't go with loss = binary_cross_entropy"),
        ({3: 1}, "unknown key 3"),
    ],
)
def test_a_wrong_setting_from_python_is_named(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        configuration.changed(load(), settings, "settings")
    assert str(error.value).startswith(f"settings: {complaint}")


@pytest.mark.parametrize("value", ["[1]", "[adam]", "7", "adam", "nonsense"])
def test_a_value_where_a_section_belongs_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^-s optimizer=.*: expected keys and values"):
        load("default", [f"optimizer={value}"])


def test_a_checkpoint_that_knows_no_names_of_data_sets_is_still_read_without_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = to_tree(load())
    del tree["data"]["name"]
    monkeypatch.setattr(configuration, "_defaults", lambda: pytest.fail("the defaults were read, which takes time"))
    assert from_tree(tree, "a checkpoint").data.name is None
