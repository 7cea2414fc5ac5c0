"""Exported C, held against the model and its quantized twin: compiled with every warning as an error, and run."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.losses import OUTPUTS
from bpcli.data.datasets import Split
from bpcli.data.spec import MNIST, DataSpec
from bpcli.errors import ArgumentError
from bpcli.export import c as exported
from bpcli.export.quantize import quantize, scores
from bpcli.inference.predictions import MIN_SCORE
from bpcli.model import Model
from bpcli.training.builders import first_state
from tests.export.compiler import answers, header, may_skip, needs_cc, run

EVERY_ACTIVATION = [
    f"model.hidden={[9 + n for n in range(len(ACTIVATIONS))]}", f"model.activation=[{', '.join(ACTIVATIONS)}]"
]  # fmt: skip
ODD_NAMES = DataSpec(
    9, ("*/ int x;", "/*", 'a "b" \\', "été 中", "??/", "%s", *(f"0{n}" for n in range(20))), 0.4, 0.3, digits=False
)


def made(*settings: str, spec: DataSpec = MNIST) -> Model:
    config = configuration.load("default", settings)
    state = first_state(config, spec)
    state.parameters[:] += np.random.default_rng(0).normal(0, 0.1, state.parameters.shape)  # biases begin as zeros
    return models.build(config, spec, state.parameters)


@needs_cc
def test_float32_gives_the_scores_of_the_model_with_every_activation(tmp_path: Path, small_split: Split) -> None:
    model = made(*EVERY_ACTIVATION, "model.output=softmax", "loss=cross_entropy", "data.deslant=true")
    found, expected = answers(header(model), small_split.images, tmp_path), model.scores(small_split.images)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert (found.labels == expected.argmax(axis=1)).all()
    assert len(set(found.labels)) > 1
    assert found.names == MNIST.classes


@needs_cc
def test_int8_gives_the_scores_of_the_quantized_network_with_every_activation(
    tmp_path: Path, small_split: Split
) -> None:
    quantized = quantize(made(*EVERY_ACTIVATION), small_split.images)
    text = header(quantized.model, quantized)
    found, expected = answers(text, small_split.images, tmp_path), scores(quantized, small_split.images)
    step = max(layer.factor.max() for layer in quantized.layers[1:])  # e^x may round to the neighbouring byte
    np.testing.assert_allclose(found.scores, expected, atol=127 * step)
    assert np.mean(np.abs(found.scores - expected) < 1e-6) > 0.95
    assert np.ptp(expected) > 0.1


@needs_cc
@pytest.mark.parametrize("more", [[], ["data.deslant=true"]], ids=str)
def test_digits_get_their_width_in_the_function(tmp_path: Path, small_split: Split, more: list[str]) -> None:
    model = made("model.hidden=[20]", "data.width=14", *more)
    images = np.concatenate([small_split.images, np.zeros((1, 784), np.uint8)])
    found, expected = answers(header(model), images, tmp_path), model.scores(images)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert (found.labels == expected.argmax(axis=1)).all()


@needs_cc
@pytest.mark.parametrize("output", ["identity", "sigmoid"])
def test_other_sides_classes_and_names_without_a_hidden_layer(tmp_path: Path, output: str) -> None:
    model = made("model.hidden=[]", f"model.output={output}", "loss=quadratic", "data.deslant=true", spec=ODD_NAMES)
    rng = np.random.default_rng(0)
    images = (rng.integers(256, size=(300, 81)) * (rng.random((300, 81)) < 0.3)).astype(np.uint8)
    images[:2] = [[0], [255]]
    found, expected = answers(header(model), images, tmp_path), model.scores(images)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert (found.labels == expected.argmax(axis=1)).all()
    assert found.names == ODD_NAMES.classes


@needs_cc
@pytest.mark.skipif(shutil.which("c++") is None, reason="there is no C++ compiler")
def test_several_files_include_it_and_cpp_does(tmp_path: Path) -> None:
    (tmp_path / "network.h").write_text(header(made("model.hidden=[5]", "data.deslant=true")), encoding="utf-8")
    (tmp_path / "network.c").write_text('#define BPCLI_IMPLEMENTATION\n#include "network.h"\n#include "network.h"\n')
    (tmp_path / "main.cc").write_text(
        '#include "network.h"\nint main() { static uint8_t pixels[BPCLI_PIXELS]; float scores[BPCLI_CLASSES];'
        "return bpcli_predict(pixels, scores) >= BPCLI_CLASSES || !*bpcli_class_names[0]; }\n"
    )
    (tmp_path / "whole.cc").write_text('#define BPCLI_IMPLEMENTATION\n#include "main.cc"\n')
    strict = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-pedantic"]
    run(["cc", *strict, "-std=c99", "-c", "network.c"], tmp_path)
    run(["c++", *strict, "-std=c++11", "main.cc", "network.o", "-o", "both", "-lm"], tmp_path)
    run(["c++", *strict, "-std=c++11", "whole.cc", "-o", "whole", "-lm"], tmp_path)
    assert run(["./both"], tmp_path) == run(["./whole"], tmp_path) == b""


@needs_cc
def test_the_program_of_the_documents_prints_the_names_of_the_classes(tmp_path: Path, small_split: Split) -> None:
    document = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    (tmp_path / "main.c").write_text(document.partition("```c\n")[2].partition("```")[0], encoding="utf-8")
    model = made("model.hidden=[5]")
    model.parameters[-len(MNIST.classes) :] -= np.median(model.outputs(small_split.images).logits.max(axis=1)) + 2.2
    (tmp_path / "digits.h").write_text(header(model), encoding="utf-8")
    run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "main.c", "-o", "main", "-lm"], tmp_path)
    said = run(["./main"], tmp_path, small_split.images.tobytes()).decode().split()
    expected = model.scores(small_split.images)
    names = [str(row.argmax()) if row.max() >= MIN_SCORE else "none" for row in expected]
    assert said[::2] == names
    assert 0.2 < names.count("none") / len(names) < 0.8
    np.testing.assert_allclose(np.array(said[1::2], float), expected.max(axis=1), atol=0.00051)


def test_weights_are_written_so_that_they_are_read_as_the_same_bits() -> None:
    numbers = np.random.default_rng(0).integers(0, 0x7F800000, 5000, np.uint32).view(np.float32)
    text = exported._numbers(np.concatenate([numbers, -numbers]))
    read = [np.float32(each.removesuffix("f")) for each in text.replace("\n", " ").strip(" ,").split(", ")]
    assert (np.array(read) == np.concatenate([numbers, -numbers])).all()
    assert set(text) <= set("0123456789.e+-f, \n")


def test_every_activation_and_output_of_bpcli_has_its_twin_in_c() -> None:
    assert exported.ACTIVATIONS.keys() == ACTIVATIONS.keys()
    assert {output for output, _ in OUTPUTS} - exported.ACTIVATIONS.keys() == {"softmax"}


def test_an_activation_that_c_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(exported.ACTIVATIONS, "gelu")
    with pytest.raises(ArgumentError, match="the activation gelu can't be written as C; these can: relu, "):
        header(made("model.activation=gelu"))


@pytest.mark.parametrize(("environment", "skipped"), [({"PATH": ""}, True), ({"PATH": "", "CI": "true"}, False)])
@pytest.mark.skipif("sys.platform == 'win32'", reason="has no cc")
def test_without_a_compiler_tests_are_skipped_but_for_ci(environment: dict[str, str], skipped: bool) -> None:
    assert may_skip(environment) == skipped
