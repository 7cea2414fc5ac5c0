"""Checkpoints: a round trip, NumPy alone as a second reader, and refusal of everything else."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.errors import CheckpointError
from bpcli.training import checkpoint
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.loop import State, first_state

CONFIG = configuration.load("default", ["model.hidden=[5, 4]", "seed=7"])
FIGURES = {"train_loss": 0.1 + 0.2, "train_accuracy": 0.75}


def some_state() -> State:
    state = first_state(CONFIG)
    state.velocity[:] = np.arange(state.velocity.size) / 7
    state.epoch, state.step, state.loss_sum, state.correct = 3, 17, 1 / 3, 99
    state.best_epoch, state.best_accuracy = 2, 0.5
    return state


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "last.npz"
    checkpoint.save(checkpoint.of_state(CONFIG, some_state(), FIGURES), path)
    return path


def test_everything_comes_back(saved: Path) -> None:
    loaded, state = checkpoint.load(saved), some_state()
    assert (loaded.config, loaded.epoch, loaded.figures) == (CONFIG, 3, FIGURES)
    again = loaded.state(state.best)
    for name in ("parameters", "velocity"):
        assert getattr(again, name).tobytes() == getattr(state, name).tobytes()
    for name in ("epoch", "step", "loss_sum", "correct", "best_epoch", "best_accuracy"):
        assert getattr(again, name) == getattr(state, name)


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
    checkpoint.save(Checkpoint(CONFIG, 3, {}, state.best), tmp_path / "best.npz")
    loaded = checkpoint.load(tmp_path / "best.npz")
    assert loaded.parameters.tobytes() == state.best.tobytes()
    with pytest.raises(CheckpointError, match="not what is needed to go on"):
        loaded.state(state.best)


def rewritten(path: Path, **changed: Any) -> None:
    """The file with some members replaced (or left out, for None), written as np.savez does it."""
    with np.load(path) as arrays:
        members = {name: arrays[name] for name in arrays.files} | {
            name.replace("__", "."): value for name, value in changed.items()
        }
    np.savez(path, **{name: value for name, value in members.items() if value is not None})


def text(path: Path, **changed: object) -> np.ndarray:
    with np.load(path) as arrays:
        meta = json.loads(str(arrays["meta"]))
    return np.array(json.dumps(meta | changed))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"format_version": np.array(99, "<i4")}, "format version 99; this bpcli reads version 1"),
        ({"format_version": None}, "format_version"),
        ({"layer1__weight": np.zeros((784, 6), np.float32)}, r"layer1.weight is float32 \(784, 6\)"),
        ({"layer1__weight": np.zeros((5, 784), np.float32)}, r"layer1.weight is float32 \(5, 784\)"),
        ({"layer1__weight": np.zeros((784, 5), np.float64)}, "layer1.weight"),
        ({"layer1__weight": np.zeros((784, 5), ">f4")}, "layer1.weight is >f4"),
        ({"layer1__weight": np.full((784, 5), np.nan, np.float32)}, "layer1.weight holds numbers that are not finite"),
        ({"layer1__bias": np.array([None] * 5)}, "layer1.bias"),
        ({"layer2__bias": None}, "missing, unknown or repeated member 'layer2.bias.npy'"),
        ({"extra": np.zeros(3)}, "missing, unknown or repeated member 'extra.npy'"),
        ({"meta": np.array(5)}, "meta is not a short text"),
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


def test_a_repeated_member_is_refused(saved: Path) -> None:
    with zipfile.ZipFile(saved, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("layer1.bias.npy", b"x")
    with pytest.raises(CheckpointError):
        checkpoint.load(saved)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x93NUMPY\x01\0"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CheckpointError, match="not a checkpoint of bpcli"):
        checkpoint.load(tmp_path / "file")


def test_a_pickle_is_never_opened(saved: Path) -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.array([print], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("format_version.npy", content.getvalue())
    with pytest.raises(CheckpointError, match="format_version"):
        checkpoint.load(saved)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.npz: can't be read: No such file"):
        checkpoint.load(tmp_path / "nowhere.npz")
