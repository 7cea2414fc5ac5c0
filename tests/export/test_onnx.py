"""Networks as ONNX: what the file says, and that its graph computes what the network computes."""

import json

import numpy as np
import pytest

from bpcli import resources
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.deslant import deslant
from bpcli.core.types import Bytes
from bpcli.data.datasets import Split
from bpcli.errors import ArgumentError
from bpcli.export import onnx as writer
from bpcli.export.member import Member, tensors
from bpcli.export.onnx import onnx
from bpcli.export.quantize import quantize, scores
from bpcli.inference.ensemble import MEAN, Combination, Ensemble
from bpcli.storage import checkpoint
from tests.export.networks import CHANGES, member, spec_of
from tests.export.onnx_reader import read, run

LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
CLOSE = 3e-6  # three times what rounding makes of scores


def some(side: int, n: int = 20) -> Bytes:
    """Images with sharp edges, an empty and a full one, (n, side, side)."""
    images = np.random.default_rng(1).integers(0, 256, (n, side, side), dtype=np.uint8)
    images[: n // 2, :, : side // 2] = 0
    images[0], images[1] = 0, 255
    images[2, 3:] = 0  # flat ink
    return images


def require_same(members: list[Member], images: Bytes, how: Combination = MEAN) -> None:
    """The graph's scores and labels are those of the networks as one."""
    found = run(read(onnx(members, how)), images)
    expected = Ensemble([each.model for each in members], how).scores(images)
    assert found["scores"].dtype == np.float32
    assert np.abs(found["scores"] - expected).max() < CLOSE
    assert np.array_equal(found["label"], expected.argmax(axis=1))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_the_graph_computes_every_activation_and_output(activation: str, output: str) -> None:
    require_same([member(f"model.activation={activation}", output=output)], some(28))


@pytest.mark.parametrize(
    "members",
    [
        [member("model.hidden=[]")],
        [member("model.hidden=[9, 8, 7, 6]", "model.activation=[relu, tanh, gelu, elu]")],
        [member(seed=seed) for seed in range(3)],
        [member("data.normalize=unit"), member("data.deslant=true", "model.hidden=[]", output="sigmoid")],
        [member(*settings, seed=seed) for seed, (settings, _) in enumerate(CHANGES * 2)],
        [member(spec=spec_of(20, LETTERS))],
    ],
    ids=["regression", "deep", "committee", "mixed committee", "widths", "letters"],
)
def test_the_graph_computes_networks_of_every_shape(members: list[Member]) -> None:
    require_same(members, some(members[0].checkpoint.spec.side))


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "identity"])
@pytest.mark.parametrize(
    "how",
    [Combination("logits"), Combination("logits", (0.7, 0.1, 0.2)), Combination("scores", (0.7, 0.1, 0.2))],
    ids=["logits", "weighted logits", "weighted scores"],
)
def test_the_graph_combines_as_asked(output: str, how: Combination) -> None:
    require_same([member(output=output, seed=seed) for seed in range(3)], some(28), how)


def test_the_metadata_of_a_committee_says_how_it_answers() -> None:
    two = [member(), member(seed=1)]
    plain, other = (read(onnx(two, how)).metadata for how in (MEAN, Combination("logits", (0.25, 0.75))))
    assert (plain["combine"], json.loads(plain["weights"])) == ("scores", [0.5, 0.5])
    assert (other["combine"], json.loads(other["weights"])) == ("logits", [0.25, 0.75])
    assert "combine" not in read(onnx(two[:1])).metadata


def test_scores_without_an_output_function_keep_their_size() -> None:
    linear = member("model.hidden=[]", output="identity")
    found = run(read(onnx([linear])), some(28))["scores"]
    assert np.allclose(found, linear.model.scores(some(28)), rtol=1e-5)
    assert np.abs(found).max() > 1


@pytest.mark.parametrize("side", [8, 28, 51, 64])
@pytest.mark.parametrize(("settings", "name"), CHANGES)
def test_the_graph_changes_pixels_to_the_very_same_bytes(side: int, settings: list[str], name: str) -> None:
    images, one = some(side, 100), member(*settings, spec=spec_of(side))
    found = run(read(onnx([one])), images)[name]
    expected = one.model.preprocessing.upright(images.reshape(len(images), -1))
    assert np.array_equal(found.reshape(len(images), -1), expected)


def test_the_packaged_network_reads_as_bpcli_does(small_split: Split) -> None:
    packaged = Member(checkpoint.load(resources.pretrained()), "")
    images = small_split.images[:200].reshape(-1, 28, 28)
    found = run(read(onnx([packaged])), images)
    assert np.array_equal(found["upright"].reshape(len(images), -1), deslant(images.reshape(len(images), -1)))
    assert np.abs(found["scores"] - packaged.model.scores(images)).max() < CLOSE


@pytest.mark.parametrize(
    "settings", [["model.hidden=[]"], ["model.hidden=[30, 20]", "model.activation=[identity, tanh]"]]
)
def test_a_quantized_network_computes_with_bytes(settings: list[str]) -> None:
    one, images = member(*settings, "data.deslant=true"), some(28)
    quantized = quantize(one.model, images)
    file = read(onnx([one._replace(quantized=quantized)]))
    for number, layer in enumerate(quantized.layers, 1):
        weight, zero = file.tensors[f"layer{number}.weight"], file.tensors[f"layer{number}.weight.zero"]
        assert weight.dtype == np.uint8
        assert np.array_equal(weight.astype(int) - zero, layer.weight)
    found = run(file, images)["scores"]
    assert np.abs(found - scores(quantized, images)).max() < 0.005  # an activation may fall to the next byte
    assert np.abs(found - one.model.scores(images)).max() > 1e-4


def test_the_file_says_what_goes_in_and_what_comes_out() -> None:
    file = read(onnx([member(spec=spec_of(20, LETTERS))]))
    assert (file.ir, file.opset) == (8, 13)
    assert file.inputs == {"images": (2, ["n", 20, 20])}  # uint8
    assert file.outputs == {"scores": (1, ["n", 26]), "label": (7, ["n"])}  # float32, int64


def test_the_metadata_says_what_the_network_is() -> None:
    about = read(onnx([member("data.deslant=true", spec=spec_of(20, LETTERS), sha256="abc")])).metadata
    assert json.loads(about["classes"]) == list(LETTERS)
    assert json.loads(about["sizes"]) == [400, 12, 26]
    assert json.loads(about["preprocessing"]) == {
        "deslant": True, "width": None, "scale": 1 / (255 * 0.3), "shift": 0.2 / 0.3
    }  # fmt: skip
    assert (about["sha256"], about["validation_accuracy"], about["output"]) == ("abc", "0.9832", "softmax")


def test_the_constants_have_the_names_of_a_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> None:
    one, path = member("model.hidden=[5, 4]"), tmp_path_factory.mktemp("saved") / "one.npz"
    checkpoint.save(one.checkpoint, path)
    found = read(onnx([one])).tensors
    with np.load(path) as saved:
        names = [name for name in saved.files if name.startswith("layer")]
        assert len(names) == 6
        assert all(np.array_equal(found[name], saved[name]) for name in names)
    assert tensors([one, one]).keys() == {f"member{number}.{name}" for number in (1, 2) for name in names}


def test_the_same_network_gives_the_same_bytes() -> None:
    assert onnx([member(), member(seed=1)]) == onnx([member(), member(seed=1)])


def test_an_activation_without_an_operator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(writer.ACTIVATIONS, "gelu")
    with pytest.raises(ArgumentError, match="the activation gelu can't be written as ONNX; these can: relu, "):
        onnx([member("model.activation=gelu")])


def test_networks_that_no_file_can_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST", 2 * member().checkpoint.parameters.nbytes)
    onnx([member(), member()])
    with pytest.raises(ArgumentError, match=r"have 114,600 bytes of parameters; an ONNX file holds at most 76,400"):
        onnx([member(), member(), member()])
