"""What the programs for ONNX make of exported networks, on 10,000 images each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from bpcli.export.onnx import onnx as written
from tests.export.networks import CHANGES, member, spec_of
from tests.formats.networks import CASES, CLOSE, case, images, quantized, quantized_scores, scores

pytestmark = pytest.mark.formats

NEXT_BYTE = 0.01  # how far scores may be apart where an activation falls to the next byte
FEW = 0.0005  # the share of images whose label may then differ


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(name: str, tmp_path: Path) -> Path:
    """The file of a network."""
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(written(case(name)))
    return path


def require_same(name: str, found: Sequence[Any]) -> None:
    """The same labels on all images, and the scores almost."""
    expected = scores(name)
    assert np.abs(found[0] - expected).max() < CLOSE
    assert np.array_equal(found[1].ravel(), expected.argmax(axis=1))


def test_onnxs_own_checker_finds_nothing(path: Path) -> None:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)


def test_the_package_onnx_writes_the_very_same_bytes(path: Path) -> None:
    content = path.read_bytes()
    assert onnx.load_from_string(content).SerializeToString() == content


def test_onnxruntime_answers_as_bpcli(name: str, path: Path) -> None:
    session = onnxruntime.InferenceSession(path)
    require_same(name, session.run(["scores", "label"], {"images": images(name)}))


def test_opencv_answers_as_bpcli(name: str, path: Path) -> None:
    net = cv2.dnn.readNetFromONNX(str(path))
    net.setInput(images(name), "images")
    require_same(name, net.forward(["scores", "label"]))


@pytest.fixture
def small_path(name: str, tmp_path: Path) -> Path:
    """The file of a network with int8 weights."""
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(written(quantized(name)))
    return path


def test_int8_passes_the_checker_and_is_a_quarter_as_large(name: str, small_path: Path) -> None:
    content = small_path.read_bytes()
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    assert onnx.load_from_string(content).SerializeToString() == content
    assert len(content) < len(written(case(name))) / 3


def test_onnxruntime_multiplies_the_integers_that_bpcli_multiplies(name: str, small_path: Path) -> None:
    session = onnxruntime.InferenceSession(small_path)
    found, label = session.run(["scores", "label"], {"images": images(name)})
    within = NEXT_BYTE if name == "deep" else CLOSE  # tanh and others may differ in the last bit
    assert np.abs(found - quantized_scores(name)).max() < within
    assert np.mean(label != quantized_scores(name).argmax(axis=1)) < FEW


def test_opencv_multiplies_what_the_integers_stand_for(name: str, small_path: Path) -> None:
    net = cv2.dnn.readNetFromONNX(str(small_path))
    net.setInput(images(name), "images")
    found, label = net.forward(["scores", "label"])
    assert (
        np.abs(found - quantized_scores(name)).max() < 0.02
    )  # sums of floats; an activation may fall to the next byte
    assert np.mean(label.ravel() != quantized_scores(name).argmax(axis=1)) < 0.0005


@pytest.mark.parametrize("side", [8, 20, 28, 51, 64])
@pytest.mark.parametrize(("settings", "name"), CHANGES)
def test_onnxruntime_changes_pixels_to_the_very_same_bytes(side: int, settings: list[str], name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (500, side, side), dtype=np.uint8)
    pixels[:250] = np.where(pixels[:250] < 200, 0, pixels[:250])
    model = onnx.load_from_string(written([one := member(*settings, spec=spec_of(side))]))
    model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, None))
    (found,) = onnxruntime.InferenceSession(model.SerializeToString()).run([name], {"images": pixels})
    assert np.array_equal(
        found.reshape(len(pixels), -1), one.model.preprocessing.upright(pixels.reshape(len(pixels), -1))
    )
