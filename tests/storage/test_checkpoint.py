"""Checkpoints: a round trip, NumPy alone as a second reader, and refusal of everything else."""

import io
import json
import os
import struct
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.data.spec import MNIST, DataSpec
from bpcli.errors import CheckpointError, ConfigError, OutputError
from bpcli.storage import checkpoint
from bpcli.storage.archive import pack
from bpcli.storage.checkpoint import MAX_CHECKPOINT, Checkpoint
from bpcli.storage.files import FileSystem
from bpcli.storage.state import State
from bpcli.training.builders import first_state

CONFIG = configuration.load("default", ["model.hidden=[5, 4]", "seed=7"])
ENVIRONMENT: dict[str, str | int] = {"workers": 3, "NumPy": "2.0"}
FIGURES = {"train_loss": 0.1 + 0.2, "train_accuracy": 0.75}


def some_state() -> State:
    state = first_state(CONFIG, MNIST)
    (velocity,) = state.optimizer_state
    velocity[:] = np.arange(velocity.size) / 7
    state.epoch, state.step, state.loss_sum, state.correct = 3, 17, 1 / 3, 99
    state.best_epoch, state.best_accuracy, state.best_metrics = 2, 0.5, {"train_loss": 1 / 7}
    state.best[:] = np.arange(state.best.size) / 3
    state.metrics = FIGURES
    state.silent_since[:], state.still_since[:] = np.arange(9) % 5, 2
    return state


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "last.npz"
    checkpoint.save(checkpoint.of_state(CONFIG, MNIST, some_state(), ENVIRONMENT), path)
    return path


def test_everything_comes_back(saved: Path) -> None:
    loaded, state = checkpoint.load(saved), some_state()
    assert (loaded.config, loaded.epoch, loaded.metrics, loaded.environment) == (CONFIG, 3, FIGURES, ENVIRONMENT)
    again = loaded.state()
    for field in fields(State):
        value, found = getattr(state, field.name), getattr(again, field.name)
        if field.name == "optimizer_state":
            (value,), (found,) = value, found
        assert value.tobytes() == found.tobytes() if isinstance(value, np.ndarray) else value == found


def test_a_file_of_a_version_that_did_not_watch_units_tells_of_none_that_was_silent() -> None:
    saved = checkpoint.of_state(CONFIG, MNIST, some_state(), ENVIRONMENT)
    state = replace(saved, since=None).state()
    assert (state.silent_since == 4).all()
    assert (state.still_since == 4).all()
    assert len(state.still_since) == 9


def test_the_best_epochs_network_is_saved_once(tmp_path: Path) -> None:
    state = some_state()
    state.best_epoch, state.step, state.best[:] = 2, 0, state.parameters
    checkpoint.save(checkpoint.of_state(CONFIG, MNIST, state, {}), tmp_path / "last.npz")
    with np.load(tmp_path / "last.npz") as arrays:
        assert not any(name.startswith("best") for name in arrays.files)
    again = checkpoint.load(tmp_path / "last.npz").state()
    assert again.best.tobytes() == state.best.tobytes()
    assert not np.shares_memory(again.best, again.parameters)


def test_half_precision_is_for_networks_alone(tmp_path: Path) -> None:
    state = some_state()
    half = state.best.astype(np.float16)
    checkpoint.save(Checkpoint(CONFIG, MNIST, 3, {}, half), tmp_path / "half.npz")
    loaded = checkpoint.load(tmp_path / "half.npz")
    assert loaded.parameters.dtype == np.float32
    assert np.array_equal(loaded.parameters, half)
    with np.load(tmp_path / "half.npz") as arrays:
        assert arrays["layer1.weight"].dtype == np.float16
    state.parameters = half
    checkpoint.save(checkpoint.of_state(CONFIG, MNIST, state, {}), tmp_path / "last.npz")
    with pytest.raises(CheckpointError, match="contradicts itself"):
        checkpoint.load(tmp_path / "last.npz")


def test_numpy_alone_reads_it(saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as arrays:
        assert arrays["layer1.weight"].shape == (784, 5)
        assert arrays["layer3.bias"].shape == (10,)
        assert arrays["velocity.layer2.weight"].shape == (5, 4)
        assert {array.dtype.str for name, array in arrays.items() if "layer" in name} == {"<f4"}
        assert int(arrays["format_version"]) == checkpoint.VERSION
        meta = json.loads(str(arrays["meta"]))
        assert np.array_equal(arrays["layer1.weight"].T.ravel(), some_state().parameters[: 784 * 5])
    assert meta["config"]["model"]["hidden"] == [5, 4]
    assert meta["figures"] == FIGURES


def test_the_same_checkpoint_gives_the_same_bytes(saved: Path) -> None:
    content = saved.read_bytes()
    checkpoint.save(checkpoint.load(saved), saved)
    assert saved.read_bytes() == content
    assert [path.name for path in saved.parent.iterdir()] == ["last.npz"]


def test_a_network_alone_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    state = some_state()
    checkpoint.save(Checkpoint(CONFIG, MNIST, 3, {}, state.best), tmp_path / "best.npz")
    loaded = checkpoint.load(tmp_path / "best.npz")
    assert loaded.parameters.tobytes() == state.best.tobytes()
    with pytest.raises(CheckpointError, match="not what is needed to go on"):
        loaded.state()


def rewritten(path: Path, **changed: Any) -> None:
    """The file with some members replaced (or left out, for None), and a SHA-256 that is right."""
    with np.load(path) as arrays:
        members = {name: arrays[name] for name in arrays.files} | {
            name.replace("__", "."): value for name, value in changed.items()
        }
    path.write_bytes(pack({f"{name}.npy": npy(value) for name, value in members.items() if value is not None}))


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


def text(path: Path, **changed: object) -> np.ndarray:
    with np.load(path) as arrays:
        meta = json.loads(str(arrays["meta"]))
    return np.array(json.dumps(meta | changed))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"format_version": np.array(99, "<i4")}, "format version 99; this bpcli reads version 1"),
        ({"format_version": None}, "format_version"),
        ({"format_version": np.array(1, "<i8")}, r"format_version is <i8 \(\), not <i4"),
        ({"layer1__weight": np.zeros((784, 6), np.float32)}, "layer1.weight has 18944 bytes, not 15680 and a header"),
        ({"layer1__weight": np.zeros((5, 784), np.float32)}, r"layer1.weight is <f4 \(5, 784\), not <f4 \(784, 5\)"),
        ({"layer1__weight": np.zeros((784, 5), np.float16)}, "layer1.weight has 7968 bytes"),
        ({"layer1__weight": np.zeros((784, 5), np.int32)}, "layer1.weight is <i4"),
        (
            {"layer1__weight": np.zeros((784, 5), np.float32, order="F")},
            "layer1.weight is not an array of numbers, row",
        ),
        ({"layer1__weight": np.zeros((784, 5), np.float64)}, "layer1.weight"),
        ({"layer1__weight": np.zeros((784, 5), ">f4")}, "layer1.weight is >f4"),
        ({"layer1__weight": np.full((784, 5), np.nan, np.float32)}, "layer1.weight holds numbers that are not finite"),
        ({"layer1__bias": np.array([None] * 5)}, "layer1.bias"),
        ({"layer1__weight": np.full((784, 5), np.inf, np.float32)}, "not finite"),
        (
            {"velocity__layer1__bias": np.full(5, -np.inf, np.float32)},
            "velocity.layer1.bias holds numbers that are not",
        ),
        ({"layer2__bias": None}, "missing or unknown member 'layer2.bias.npy'"),
        ({"velocity__layer1__bias": None}, "missing or unknown member 'velocity.layer1.bias.npy'"),
        ({"best__layer1__bias": None}, "missing or unknown member 'best.layer1.bias.npy'"),
        ({"still_since": None}, "missing or unknown member 'still_since.npy'"),
        ({"silent_since": np.full(9, 5, np.int32)}, "silent_since or still_since holds numbers that are no epoch"),
        ({"still_since": np.full(9, -1, np.int32)}, "silent_since or still_since holds numbers that are no epoch"),
        ({"extra": np.zeros(3)}, "missing or unknown member 'extra.npy'"),
        ({"meta": None}, "meta is missing"),
        ({"meta": np.array(5)}, "meta is missing, or not a short text"),
        ({"meta": np.array(["{}"])}, "meta is missing, or not a short text"),
        ({"meta": np.array(b"{}")}, "meta is missing, or not a short text"),
        ({"meta": np.array(" " * 70_000)}, "meta is missing, or not a short text"),
        ({"meta": np.array("{")}, "not a checkpoint of bpcli"),
        ({"meta": np.array("[]")}, "not a checkpoint of bpcli"),
        ({"meta": np.array("{}")}, "not a checkpoint of bpcli"),
    ],
)
def test_what_is_not_a_checkpoint_is_refused(saved: Path, changed: dict[str, Any], complaint: str) -> None:
    rewritten(saved, **changed)
    with pytest.raises(CheckpointError, match=complaint) as caught:
        checkpoint.load(saved)
    assert str(saved) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_configuration_that_is_none_is_refused(saved: Path) -> None:
    rewritten(saved, meta=text(saved, config={"model": {"hidden": [-1]}}))
    with pytest.raises(CheckpointError, match=r"model\.hidden = \[-1\]: expected int >= 1"):
        checkpoint.load(saved)


def test_any_truncation_is_refused(saved: Path) -> None:
    content = saved.read_bytes()
    for length in {0, 1, 100, len(content) - 1, *range(0, len(content), 997)}:
        saved.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            checkpoint.load(saved)


def test_flipped_bits_in_the_data_are_noticed(saved: Path) -> None:
    content = saved.read_bytes()
    for place in range(len(content) // 4, len(content) // 2, 1009):
        saved.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(CheckpointError):
            checkpoint.load(saved)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x93NUMPY\x01\0"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CheckpointError, match="not a checkpoint of bpcli"):
        checkpoint.load(tmp_path / "file")


def test_a_pickle_is_never_opened(saved: Path) -> None:
    rewritten(saved, format_version=np.array([print], dtype=object))
    with pytest.raises(CheckpointError, match="format_version"):
        checkpoint.load(saved)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.npz: can't be read: No such file"):
        checkpoint.load(tmp_path / "nowhere.npz")


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"epoch": -1}, "Expected `int` >= 0"),
        ({"epoch": 2}, "its progress contradicts itself"),
        ({"epoch": 1.5}, "Expected `int`, got `float`"),
        ({"figures": {"train_loss": "low"}}, "Expected `float`, got `str`"),
        ({"surprise": 1}, "unknown field `surprise`"),
        ({"dtype": "<f8"}, "Invalid enum value '<f8'"),
    ],
)
def test_a_text_that_is_none_is_refused(saved: Path, changed: dict[str, object], complaint: str) -> None:
    rewritten(saved, meta=text(saved, **changed))
    with pytest.raises(CheckpointError, match=complaint):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"step": -1}, "Expected `int` >= 0"),
        ({"epoch": 4}, "its progress contradicts itself"),
        ({"best_epoch": 3}, "its progress contradicts itself"),
        ({"best_epoch": -2}, "Expected `int` >= -1"),
        ({"best_accuracy": 1.5}, "Expected `float` <= 1"),
        ({"surprise": 1}, "unknown field `surprise`"),
        ({"step": 0}, "missing or unknown member"),
    ],
)
def test_progress_that_is_none_is_refused(saved: Path, changed: dict[str, object], complaint: str) -> None:
    with np.load(saved) as arrays:
        progress = json.loads(str(arrays["meta"]))["progress"]
    rewritten(saved, meta=text(saved, progress=progress | changed))
    with pytest.raises(CheckpointError, match=complaint):
        checkpoint.load(saved)


def test_a_nested_text_is_refused(saved: Path) -> None:
    rewritten(saved, meta=np.array('{"config": ' + "[" * 60_000))
    with pytest.raises(CheckpointError, match="not a checkpoint of bpcli"):
        checkpoint.load(saved)


def test_a_folder_or_a_pipe_is_no_checkpoint(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(CheckpointError, match="not a file"):
            checkpoint.load(path)


def test_what_is_larger_than_a_checkpoint_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_CHECKPOINT + 1)
    with pytest.raises(CheckpointError, match="larger than 256 MB"):
        checkpoint.load(tmp_path / "large")


def test_what_could_not_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = Checkpoint(CONFIG, MNIST, 3, {}, some_state().best)
    monkeypatch.setattr(checkpoint, "MAX_CHECKPOINT", 10_000)
    with pytest.raises(OutputError, match=r"last\.npz: would be larger than"):
        checkpoint.save(saved, tmp_path / "last.npz")
    assert list(tmp_path.iterdir()) == []


def test_the_program_in_the_documentation_writes_a_checkpoint(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[2] / "docs/formats.md").read_text()
    program = next(part for part in text.split("```python\n")[1:] if "hashlib" in part).partition("```")[0]
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files}
    monkeypatch.chdir(tmp_path)
    exec(program, {"np": np, "arrays": arrays})
    made, original = checkpoint.load(tmp_path / "made.npz"), checkpoint.load(saved)
    assert made.optimizer_state[0].tobytes() == original.optimizer_state[0].tobytes()
    assert made.config == original.config


def test_the_best_epochs_network_alone() -> None:
    state = some_state()
    best = checkpoint.of_best(CONFIG, MNIST, state, ENVIRONMENT)
    assert (best.config, best.epoch, best.metrics, best.environment) == (CONFIG, 3, {"train_loss": 1 / 7}, ENVIRONMENT)
    assert best.parameters is state.best
    assert (best.optimizer_state, best.best, best.progress) == ((), None, None)


def test_a_state_needs_the_optimizers_state_and_progress() -> None:
    whole = checkpoint.of_state(CONFIG, MNIST, some_state(), {})
    for missing in ({"optimizer_state": ()}, {"progress": None}):
        with pytest.raises(CheckpointError) as caught:
            replace(whole, **missing).state()
        assert str(caught.value) == "this checkpoint holds a network, but not what is needed to go on training"


def test_the_one_before_is_kept_by_the_calls_that_are_given(saved: Path) -> None:
    before, linked = saved.read_bytes(), []

    def link(source: Path, target: Path) -> None:
        linked.append(source.name)
        os.link(source, target)

    newer = checkpoint.of_state(CONFIG, MNIST, some_state(), {})
    checkpoint.save(newer, saved, previous="previous.npz", fs=FileSystem(link=link))
    assert saved.with_name("previous.npz").read_bytes() == before
    assert saved.read_bytes() == checkpoint.to_bytes(newer)
    assert linked == ["last.npz"]


def test_the_limit_of_a_files_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configuration.load("default", ["model.hidden=[400]"])
    saved = Checkpoint(config, MNIST, 1, {}, first_state(config, MNIST).parameters)
    size = len(checkpoint.to_bytes(saved))
    monkeypatch.setattr(checkpoint, "MAX_CHECKPOINT", size)
    checkpoint.save(saved, tmp_path / "a.npz")
    assert checkpoint.load(tmp_path / "a.npz").epoch == 1
    monkeypatch.setattr(checkpoint, "MAX_CHECKPOINT", size - 1)
    with pytest.raises(OutputError) as not_written:
        checkpoint.save(saved, tmp_path / "b.npz")
    assert str(not_written.value) == f"{tmp_path}/b.npz: would be larger than 1 MB, the most that is read"
    with pytest.raises(CheckpointError) as not_read:
        checkpoint.load(tmp_path / "a.npz")
    assert str(not_read.value) == f"{tmp_path}/a.npz: larger than 1 MB, which no checkpoint is"


def padded(path: Path, characters: int) -> np.ndarray:
    """The text with so many characters."""
    return np.array(str(text(path)).ljust(characters))


def test_the_limit_of_the_text(saved: Path) -> None:
    for characters in (64 * 1024, 64 * 1024 + 218):  # with a header of 128 bytes instead of 1,000
        rewritten(saved, meta=padded(saved, characters))
        assert checkpoint.load(saved).epoch == 3
    rewritten(saved, meta=padded(saved, 64 * 1024 + 219))
    with pytest.raises(CheckpointError, match="meta is missing, or not a short text"):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"meta": None}, "meta is missing, or not a short text"),
        ({"meta": np.array(5)}, "meta is missing, or not a short text"),
        ({"layer2__bias": None}, "missing or unknown member 'layer2.bias.npy'"),
        ({"format_version": None}, "missing or unknown member 'format_version.npy'"),
        ({"x" * 200: np.zeros(1)}, f"missing or unknown member '{'x' * 90}..."),
        ({"layer1__weight": np.zeros((784, 6), np.float32)}, "layer1.weight has 18944 bytes, not 15680 and a header"),
        ({"layer1__bias": np.zeros(5, np.int32)}, "layer1.bias is <i4 (5,), not <f4 (5,)"),
        ({"layer1__bias": np.array([[0.0] * 5], np.float32)}, "layer1.bias is <f4 (1, 5), not <f4 (5,)"),
    ],
)
def test_a_refusal_is_one_message(saved: Path, changed: dict[str, Any], complaint: str) -> None:
    rewritten(saved, **changed)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(saved)
    assert str(caught.value) == f"{saved}: not a checkpoint of bpcli, or damaged: {complaint}"


def test_progress_that_contradicts_the_text_is_one_message(saved: Path) -> None:
    rewritten(saved, meta=text(saved, epoch=2))
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(saved)
    assert str(caught.value) == f"{saved}: not a checkpoint of bpcli, or damaged: its progress contradicts itself"


def test_half_a_character_is_no_text(saved: Path) -> None:
    half = npy(np.array("ab"))[:-8] + b"\0\xd8\0\0" * 2
    with np.load(saved) as arrays:
        members = {f"{name}.npy": npy(arrays[name]) for name in arrays.files}
    saved.write_bytes(pack(members | {"meta.npy": half}))
    with pytest.raises(CheckpointError, match="damaged: meta is not text: 'utf-32-le' codec can't decode bytes"):
        checkpoint.load(saved)


def test_a_member_of_a_longer_header(saved: Path) -> None:
    with np.load(saved) as arrays:
        members = {f"{name}.npy": npy(arrays[name]) for name in arrays.files}
    bias = members["layer1.bias.npy"]
    header, data = bias[10:-20], bias[-20:]
    for room, complaint in (
        (990, None),
        (991, "layer1.bias has 1021 bytes, not 20 and a header"),
    ):
        longer = bias[:8] + struct.pack("<H", room) + header.rstrip().ljust(room - 1) + b"\n" + data
        saved.write_bytes(pack(members | {"layer1.bias.npy": longer}))
        if complaint is None:
            assert checkpoint.load(saved).epoch == 3
            continue
        with pytest.raises(CheckpointError, match=complaint):
            checkpoint.load(saved)
    saved.write_bytes(pack(members | {"layer1.bias.npy": bias[:-4]}))
    with pytest.raises(CheckpointError, match=r"damaged: layer1\.bias has 16 bytes of data, not 20$"):
        checkpoint.load(saved)
    saved.write_bytes(pack(members | {"layer1.bias.npy": bytes(20)}))
    with pytest.raises(CheckpointError, match=r"damaged: layer1\.bias has 20 bytes, not 20 and a header$"):
        checkpoint.load(saved)


LETTERS = DataSpec(20, tuple("abcdefghijklmnopqrstuvwxyz"), 0.17, 0.33, digits=False)


def test_what_the_network_expects_comes_back(tmp_path: Path) -> None:
    parameters = first_state(CONFIG, LETTERS).parameters
    checkpoint.save(Checkpoint(CONFIG, LETTERS, 1, {}, parameters), tmp_path / "x.npz")
    loaded = checkpoint.load(tmp_path / "x.npz")
    assert loaded.spec == LETTERS
    assert loaded.model.network.sizes == (400, 5, 4, 26)
    with np.load(tmp_path / "x.npz") as arrays:
        meta = json.loads(str(arrays["meta"]))
    assert meta["input"] == {
        "side": 20, "classes": [*"abcdefghijklmnopqrstuvwxyz"], "mean": 0.17, "deviation": 0.33, "digits": False,
    }  # fmt: skip


def test_a_text_without_input_is_of_version_0_1_and_about_mnist(saved: Path) -> None:
    with np.load(saved) as arrays:
        meta = json.loads(str(arrays["meta"]))
    del meta["input"]
    rewritten(saved, meta=np.array(json.dumps(meta)))
    assert checkpoint.load(saved).spec == MNIST


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"classes": [*"0123456789", "x"], "digits": False}, "layer3.weight is <f4 (4, 10), not <f4 (4, 11)"),
        ({"side": 20}, "layer1.weight has"),
        ({"side": 7}, "its input: a side of 7 pixels; expected 8 to 64"),
        ({"side": 2**40}, "its input: a side of"),
        ({"classes": ["a"] * 10, "digits": False}, "its input: two classes are called a"),
        ({"classes": [*"012345678", "9\x07"], "digits": False}, r"its input: the class's name '9\x07'"),
        ({"classes": [*"012345678", 10_000 * "x"], "digits": False}, "its input: a class's name has 10,000"),
        ({"deviation": 0.0}, "its input: pixels of the mean 0.1307 and the deviation 0"),
        ({"mean": "low"}, "Expected `float`, got `str`"),
        ({"colour": 3}, "unknown field `colour`"),
    ],
)
def test_input_that_contradicts_the_weights_or_itself_is_refused(
    saved: Path, changed: dict[str, object], complaint: str
) -> None:
    with np.load(saved) as arrays:
        given = json.loads(str(arrays["meta"]))["input"]
    rewritten(saved, meta=text(saved, input=given | changed))
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(saved)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_whose_checkpoints_would_be_too_large_is_refused() -> None:
    config = configuration.load("default", ["model.hidden=[20000, 2000]"])
    with pytest.raises(ConfigError, match=r"makes 55,7.* parameters; a checkpoint, of 256 MB at most, has room"):
        checkpoint.require_room(config, MNIST)
