"""What the programs for ONNX make of exported networks, on 10,000 images each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from bpcli.core.deslant import deslant
from bpcli.export.onnx import onnx as written
from tests.export.networks import member, spec_of
from tests.formats.networks import CASES, CLOSE, case, images, scores

pytestmark = pytest.mark.formats


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


@pytest.mark.parametrize("side", [8, 20, 28, 51, 64])
def test_onnxruntime_deslants_to_the_very_same_bytes(side: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (500, side, side), dtype=np.uint8)
    pixels[:250] = np.where(pixels[:250] < 200, 0, pixels[:250])
    model = onnx.load_from_string(written([member("data.deslant=true", spec=spec_of(side))]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("upright", onnx.TensorProto.FLOAT, None))
    (found,) = onnxruntime.InferenceSession(model.SerializeToString()).run(["upright"], {"images": pixels})
    assert np.array_equal(found.reshape(len(pixels), -1), deslant(pixels.reshape(len(pixels), -1)))
