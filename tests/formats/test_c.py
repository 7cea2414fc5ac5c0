"""Exported C on all 10,000 test images: the labels of the model, and with int8 next to the same accuracy."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from bpcli import resources
from bpcli.cli import cli
from bpcli.core.pixels import Normalization
from bpcli.core.types import Bytes
from bpcli.data.datasets import Split, SplitName, read_split
from bpcli.data.preprocessing import Preprocessing
from bpcli.export.c import _preparation
from bpcli.export.quantize import calibration, quantize, scores
from bpcli.inference.evaluation import read_split_of
from bpcli.model import Model
from bpcli.storage import checkpoint
from tests.conftest import idx_bytes
from tests.export.compiler import FLAGS, answers, header, needs_cc, run

pytestmark = [pytest.mark.formats, needs_cc]

SANITIZED = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
NETWORKS = {
    "default": ["-s", "train.epochs=2"],
    "deep": ["-s", "model.hidden=[120, 90, 80, 70, 60]", "-s", "model.activation=[relu, gelu, tanh, elu, leaky_relu]",
             "-s", "model.init=he", "-s", "train.epochs=2", "-s", "optimizer.learning_rate=0.02"],
    "softmax regression": ["-c", "softmax-regression", "-s", "train.epochs=2"],
    "26 classes": ["-s", "data.folder=letters", "-s", "model.output=softmax", "-s", "loss=cross_entropy",
                   "-s", "model.hidden=[200]", "-s", "train.epochs=2", "-s", "optimizer.learning_rate=0.02"],
}  # fmt: skip


def write_letters(folder: Path) -> None:
    """A data set of 26 classes: MNIST's digits as they are, from 0 to 9 on white paper, and from 0 to 5 on grey."""
    folder.mkdir()
    (folder / "classes.txt").write_text("".join(f"letter {letter}\n" for letter in "abcdefghijklmnopqrstuvwxyz"))
    names: dict[str, SplitName] = {"train": "train", "t10k": "test"}
    for prefix, name in names.items():
        split = read_split(resources.mnist(), name, 0)
        labels = split.labels + np.uint8(10) * (np.arange(len(split)) % 3).astype(np.uint8)
        labels[labels > 25] -= 10
        images = np.choose(labels[:, None] // 10, [split.images, 255 - split.images, 128 + split.images // 2])
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images.reshape(-1, 28, 28)))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))


@pytest.fixture(scope="module", params=["pretrained", *NETWORKS])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    if request.param == "pretrained":
        yield checkpoint.load(resources.pretrained()).model
        return
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        if request.param == "26 classes":
            write_letters(folder / "letters")
        result = CliRunner().invoke(cli, ["train", "-q", *NETWORKS[request.param], "-o", "run"], prog_name="bpcli")
        assert result.exit_code == 0, result.output
        yield checkpoint.load(folder / "run" / "best.npz").model


def right(labels: NDArray[np.integer], split: Split) -> float:
    return float((labels == split.labels).mean())


def test_float32_gives_the_same_labels(model: Model, tmp_path: Path) -> None:
    test = read_split_of(model, "test")
    expected = model.scores(test.images)
    found = answers(header(model), test.images, tmp_path, "-O2")
    assert (found.labels == expected.argmax(axis=1)).all()
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)


def test_int8_is_as_accurate_within_a_tenth_of_a_point(model: Model, tmp_path: Path) -> None:
    test = read_split_of(model, "test")
    quantized = quantize(model, calibration(read_split_of(model, "train").images))
    found = answers(header(model, quantized), test.images, tmp_path, "-O2")
    before, after = right(model.scores(test.images).argmax(axis=1), test), right(found.labels, test)
    assert after == pytest.approx(before, abs=0.001)
    assert (found.labels == scores(quantized, test.images).argmax(axis=1)).mean() >= 0.9999


@pytest.mark.parametrize("int8", [False, True])
def test_nothing_is_read_or_written_outside_of_arrays_or_overflows(model: Model, int8: bool, tmp_path: Path) -> None:
    test = read_split_of(model, "test").first(1000)
    quantized = quantize(model, test.images) if int8 else None
    answers(header(model, quantized), test.images, tmp_path, *SANITIZED)


@pytest.mark.parametrize("side", [8, 20, 28, 63, 64])
@pytest.mark.parametrize(
    ("name", "deslanted", "width"), [("deslant", True, None), ("set_width", False, 7), ("set_width", True, 5)]
)
def test_upright_digits_are_the_same_bytes(
    side: int, name: str, deslanted: bool, width: int | None, tmp_path: Path
) -> None:
    prepare = Preprocessing(side, Normalization(1 / 255, 0.0), deslanted, width)
    functions = "\n".join(_preparation(prepare))
    rng = np.random.default_rng(side)
    images: Bytes = read_split(resources.mnist(), "test", 0).images
    if side != 28:
        images = (rng.integers(256, size=(2000, side**2)) * (rng.random((2000, side**2)) < 0.2)).astype(np.uint8)
        images[:, side // 2 * side :: side] = 0  # as if leaning
    (tmp_path / "upright.c").write_text(
        f"#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n#define BPCLI_SIDE {side}\n"
        f"#define BPCLI_PIXELS (BPCLI_SIDE * BPCLI_SIDE)\n{functions}"
        "int main(void) { uint8_t pixels[BPCLI_SIDE * BPCLI_SIDE], upright[BPCLI_SIDE * BPCLI_SIDE];"
        f"while (fread(pixels, sizeof pixels, 1, stdin)) {{ bpcli_{name}(pixels, upright);"
        "fwrite(upright, sizeof upright, 1, stdout); } return 0; }\n"
    )
    run(["cc", *FLAGS, "-O2", "upright.c", "-o", "upright", "-lm"], tmp_path)
    assert run(["./upright"], tmp_path, images.tobytes()) == prepare.upright(images).tobytes()
