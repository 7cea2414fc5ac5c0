"""The page to draw on: its code, run by Node.js, against NumPy and Pillow; its text against what it must not hold."""

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bpcli import config as configuration
from bpcli import model as models
from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.losses import OUTPUTS
from bpcli.core.types import Array
from bpcli.data.datasets import Split
from bpcli.data.picture.background import is_light, paper_between, paper_trend
from bpcli.data.picture.digit import BOX, FINE, crop, fit, layout, stroke_width, weigh
from bpcli.data.picture.ink import GLANCE, WIDE_STROKE, coverage, find_ink
from bpcli.data.picture.marks import one_digit
from bpcli.data.picture.prepare import prepare, to_bytes
from bpcli.data.picture.scale import Grey, shrink, unzoomed
from bpcli.data.spec import MNIST, DataSpec
from bpcli.errors import OutputError
from bpcli.report import packing
from bpcli.report.drawing import drawing_page, page_of
from bpcli.report.packing import described, packed
from bpcli.storage.checkpoint import Checkpoint
from tests.report.node import needs_node, run
from tests.report.scenes import on_paper, photographed, shaded
from tests.report.test_page import Page, sha256


def network(hidden: list[int], *settings: str, spread: float = 0.05) -> Checkpoint:
    """A network of random weights that half precision holds exactly."""
    config = configuration.load("default", [f"model.hidden={hidden}", *settings])
    count = parameters.count(models.network(config, MNIST).sizes)
    weights = np.random.default_rng(1).standard_normal(count) * spread
    return Checkpoint(config, MNIST, 1, {"validation_accuracy": 0.98}, weights.astype(np.float16).astype(np.float32))


def with_network(loaded: Checkpoint, code: str, data: object) -> Array:
    page = packed(loaded) | {"least": 0.1}
    return np.array(run(f"const network = readNetwork(data[0]); return data[1].map({code});", [page, data]))


@needs_node
@pytest.mark.parametrize("settings", [["data.deslant=true"], ["data.width=9"], ["data.deslant=true", "data.width=18"]])
def test_the_network_sees_the_pixels_that_bpcli_sees(small_split: Split, settings: list[str]) -> None:
    loaded, images = network([3], *settings), np.concatenate([small_split.images[:60], np.zeros((1, 784), np.uint8)])
    found = with_network(loaded, "(pixels) => Array.from(upright(network, Uint8Array.from(pixels)))", images.tolist())
    expected = loaded.model.preprocessing.upright(images)
    assert abs(found - expected).max() <= 1  # where rounding in single precision differs
    assert (found != expected).mean() < 1e-3


ALL = [
    ([], "identity", ("softmax", "cross_entropy")),
    *(([20], name, ("sigmoid", "binary_cross_entropy")) for name in ACTIVATIONS),
    *(([20, 15, 12], "tanh", output) for output in OUTPUTS),
    ([16, 8], "[relu, sigmoid]", ("softmax", "cross_entropy")),
]


@needs_node
@pytest.mark.parametrize(("hidden", "activation", "output"), ALL, ids=str)
@pytest.mark.parametrize("normalize", ["standard", "unit"])
def test_the_pages_forward_pass_is_numpys(
    small_split: Split, hidden: list[int], activation: str, output: tuple[str, str], normalize: str
) -> None:
    settings = [f"model.activation={activation}", f"model.output={output[0]}", f"loss={output[1]}"]
    loaded = network(hidden, *settings, f"data.normalize={normalize}")
    images = small_split.images[:40]
    found = with_network(loaded, "(pixels) => look(network, pixels).scores", images.tolist())
    np.testing.assert_allclose(found, loaded.model.scores(images), atol=2e-5, rtol=1e-5)


@needs_node
def test_numbers_in_half_precision() -> None:
    bits = np.arange(65536, dtype=np.uint16)
    expected = bits.view(np.float16).astype(np.float64)
    finite = np.isfinite(expected)
    found = np.array(run("return data.map(half);", bits[finite].tolist()))
    np.testing.assert_array_equal(found, expected[finite])
    text = base64.b64encode(bits[:1000].tobytes()).decode()
    np.testing.assert_array_equal(run("return halves(data);", text), expected[:1000])


@needs_node
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_contributions_add_up_to_what_the_ink_changed(small_split: Split, activation: str) -> None:
    loaded = network([30, 20], f"model.activation={activation}")
    images = small_split.images[:5]
    shares = with_network(
        loaded, "(pixels) => contributions(network, pixels, [...network.classes.keys()])", images.tolist()
    )
    logits = loaded.model.outputs(np.vstack([images, np.zeros((1, 784), np.uint8)])).logits
    changes = logits[:-1] - logits[-1]
    assert shares.shape == (5, 10, 784)
    np.testing.assert_allclose(shares.sum(axis=2), changes, atol=0.01 * abs(changes).max())
    assert not shares[np.broadcast_to(images[:, None] == 0, shares.shape)].any()


SCENES = [on_paper(seed) for seed in range(24)] + [photographed(seed) for seed in range(30)]
SCENES += [shaded(seed) for seed in range(6)]

IN_JS = "const mnist = { side: 28, box: 20, strokes: [1.7, 4], digits: true };"

STAGES = """return data.map(([height, width, text]) => {
  const grey = { width, height, values: Float32Array.from(bytesOf(text), (byte) => byte / 255) };
  const found = findInk(grey);
  const stages = {
    glance: shrink(grey, GLANCE).values, light: [isLight(shrink(grey, GLANCE))], trend: paperTrend(grey).values,
    between: paperBetween(grey, WIDE_STROKE).values, darkness: found.dark.values, solid: [found.solid],
    grain: [found.grain], contrast: [found.contrast], labels: found.pieces.labels, boxes: found.pieces.boxes.flat(),
    areas: found.pieces.areas, input: prepare(grey, mnist).pixels ?? [],
  };
  if (stages.areas.length) {
    const kept = oneDigit(found.pieces);
    const cover = coverage(found, kept);
    const fine = fit(crop(cover), mnist.box * FINE);
    Object.assign(stages, { kept: kept.values, cover: cover.values, crop: crop(cover).values, fine: fine.values,
      width: [strokeWidth(fine)], strokes: weigh(fine, mnist).values });
  }
  const packed = (values) => Buffer.from(Float32Array.from(values).buffer).toString("base64");
  return Object.fromEntries(Object.entries(stages).map(([name, values]) => [name, packed(values)]));
});"""


def stages(grey: Grey) -> dict[str, Array]:
    """What each step of `predict`'s pipeline makes of a picture."""
    found = find_ink(grey)
    pieces, glance, pixels = found.pieces, shrink(grey, GLANCE), prepare(grey).pixels
    reached = {
        "glance": glance, "light": is_light(glance), "trend": paper_trend(grey),
        "between": paper_between(grey, WIDE_STROKE), "darkness": found.darkness, "solid": found.solid,
        "grain": found.grain, "contrast": found.contrast, "labels": pieces.labels, "boxes": pieces.boxes,
        "areas": pieces.areas, "input": [] if pixels is None else pixels,
    }  # fmt: skip
    if len(pieces):
        cover = coverage(found, kept := one_digit(pieces))
        fine = fit(crop(cover), BOX * FINE)
        reached |= {"kept": kept, "cover": cover, "crop": crop(cover), "fine": fine}
        reached |= {"width": stroke_width(fine), "strokes": weigh(fine, layout(28))}
    return {name: np.asarray(value, np.float64).ravel() for name, value in reached.items()}


@needs_node
def test_each_step_of_the_pipeline_is_predicts() -> None:
    given = [[*grey.shape, base64.b64encode(to_bytes(grey).tobytes()).decode()] for grey in SCENES]
    expected = [stages(grey) for grey in SCENES]
    assert len(SCENES) / 6 < sum(bool(each["light"]) for each in expected) < len(SCENES) / 2
    assert any("light and shadow" in prepare(grey).reason for grey in SCENES)
    assert 2 <= sum(not each["input"].size for each in expected) < len(SCENES) / 4
    for own, others in zip(run(IN_JS + STAGES, given), expected, strict=True):
        assert own.keys() == others.keys()
        for name, other in others.items():
            found = np.frombuffer(base64.b64decode(own[name]), np.float32)
            slack = {"input": 1, "contrast": 1e-5 * abs(other).max(initial=0)}.get(name, 1e-4)  # input is in bytes
            np.testing.assert_allclose(found, other, rtol=1e-6, atol=slack, err_msg=name)


@needs_node
@pytest.mark.parametrize("digits", [True, False])
@pytest.mark.parametrize("side", [8, 20, 28, 64])
def test_inputs_of_any_side_are_predicts(side: int, digits: bool) -> None:
    shapes = [] if digits else [(1, 7), (side, side), (3, 200), (40, 2), (8, 8)]
    noise = [np.random.default_rng(n).random(shape, np.float32) for n, shape in enumerate(shapes)]
    pictures = [to_bytes(grey) for grey in [*SCENES[::4], *noise]]
    network = described(replace(MNIST, side=side, mean=0.5, digits=digits))
    given = [[*pixels.shape, base64.b64encode(pixels.tobytes()).decode()] for pixels in pictures]
    code = """return data[1].map(([height, width, text]) =>
      prepare({ width, height, values: Float32Array.from(bytesOf(text), (byte) => byte / 255) }, data[0]).pixels);"""
    for found, pixels in zip(run(code, [network, given]), pictures, strict=True):
        expected = prepare(np.asarray(pixels / np.float32(255), np.float32), side=side, digits=digits).pixels
        assert (found is None) == (expected is None)
        if expected is not None:
            assert abs(np.reshape(found, (side, side)) - expected.astype(int)).max() <= 1


@needs_node
@pytest.mark.parametrize(("digits", "mean"), [(True, 0.1), (False, 0.1), (False, 0.9)])
def test_contributions_start_from_bare_paper(digits: bool, mean: float) -> None:
    about = replace(MNIST, mean=mean, digits=digits)
    page = packed(network([30])) | described(about)
    bare = 0 if digits or mean < 0.5 else 255
    code = """const network = readNetwork(data[0]), pixels = Uint8Array.from(data[1]), places = [4, 1];
      const [drawn, empty] = [pixels, pixels.map(() => data[2])].map((each) => look(network, each).logits);
      return [contributions(network, pixels, places), places.map((place) => drawn[place] - empty[place])];"""
    pixels = np.full((28, 28), bare)
    pixels[5:9, 3:20] = 120
    shares, changes = map(np.array, run(code, [page, pixels.ravel().tolist(), bare]))
    assert shares.shape == (2, 784)
    np.testing.assert_allclose(shares.sum(axis=1), changes, atol=0.01 * abs(changes).max())
    assert not shares[:, pixels.ravel() == bare].any()


@needs_node
def test_all_of_few_classes_are_shown_and_the_best_of_many() -> None:
    code = "return data.map((scores) => shownClasses({ classes: scores.map(String) }, scores));"
    few, many = [0.5, 0.1, 0.9], np.random.default_rng(0).permutation(100) / 100
    found = run(code, [few, many.tolist()])
    assert found[0] == [0, 1, 2]
    assert found[1] == np.argsort(-many)[:12].tolist()


def test_the_page_of_another_network_is_told_what_it_is_about() -> None:
    about = DataSpec(20, ("<script>", "</script>", '"'), 0.2, 0.3, digits=False)
    told = packed(network([8])) | {"least": 0.1} | described(about)
    text = page_of(told, "A & B")
    page = Page(text)
    inside = json.loads(page.texts["script"][0])
    assert inside["classes"] == list(about.classes)
    assert (inside["side"], inside["box"], inside["digits"], inside["light"]) == (20, 14, False, True)
    assert (page.texts["h1"][0], page.texts["title"][0]) == ("Draw a picture", "Draw a picture – bpcli")
    assert "A & B" in "".join(page.texts["p"])
    assert "digit" not in re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)


def test_digits_are_drawn_dark_on_light_whatever_their_mean() -> None:
    told = packed(network([8]))
    assert (told["side"], told["box"], told["strokes"]) == (28, 20, [1.7, 4.0])
    assert (told["classes"], told["digits"], told["light"]) == (tuple("0123456789"), True, False)


@needs_node
def test_blank_paper_shows_nothing() -> None:
    values = "new Float32Array(40000).fill(v)"
    code = f"return data.slice(0, 3).map((v) => prepare({{ width: 200, height: 200, values: {values} }}, data[3]));"
    for network in ({"digits": False, "side": 20}, {"digits": True, "side": 28, "box": 20, "strokes": [1.7, 4]}):
        for found in run(code, [0, 0.5, 1, network]):
            assert found == {"pixels": None, "reason": "The paper is blank."}


@needs_node
@pytest.mark.parametrize("name", ["box", "bilinear", "bicubic"])
@pytest.mark.parametrize(("size", "to"), [((31, 17), (7, 5)), ((9, 24), (40, 41)), ((12, 12), (12, 30))], ids=str)
def test_pictures_are_resized_as_pillow_does_it(name: str, size: tuple[int, int], to: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(size[::-1]).astype(np.float32)
    expected = np.asarray(Image.fromarray(values).resize(to, Image.Resampling[name.upper()]))
    picture = {"width": size[0], "height": size[1], "values": values.ravel().tolist()}
    found = run(f"return resize(data, {to[0]}, {to[1]}, FILTERS.{name}).values;", picture)
    np.testing.assert_allclose(np.reshape(found, expected.shape), expected, atol=1e-6)


@needs_node
def test_enlarged_pictures_are_brought_back() -> None:
    small = np.random.default_rng(0).random((6, 9)).astype(np.float32)
    stripes = np.repeat([[0, 1, 1, 0]], 8, axis=0).astype(np.float32)
    for grey in (small, np.kron(small, np.ones((4, 4), np.float32)), np.repeat(small, 3, axis=0), stripes, stripes.T):
        expected = unzoomed(grey)
        picture = {"width": grey.shape[1], "height": grey.shape[0], "values": grey.ravel().tolist()}
        found = run("return unzoomed(data);", picture)
        assert (found["height"], found["width"]) == expected.shape
        np.testing.assert_allclose(found["values"], expected.ravel(), rtol=1e-7)


@needs_node
def test_quantiles_are_numpys() -> None:
    rng = np.random.default_rng(0)
    for values in (rng.random(1000), rng.integers(3, size=500) / 2, rng.random(1)):
        shares = [0, 0.3, 0.6, 0.98, 1]
        found = run("return data[1].map((share) => quantile(data[0], share));", [values.tolist(), shares])
        np.testing.assert_allclose(found, np.quantile(values, shares), rtol=1e-12)


def test_the_page_is_whole_and_allows_only_itself() -> None:
    text = drawing_page(network([8]), 0.1)
    page = Page(text)
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    (style,), (code,) = (re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("style", "script"))
    assert f"style-src 'sha256-{sha256(style)}'; script-src 'sha256-{sha256(code)}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "{{" not in text.replace(code, "")
    assert not page.attributes("src") + page.attributes("style")
    assert page.attributes("href") == ["data:,"]
    assert "784-8-10" in "".join(page.texts["p"])
    inside = json.loads(page.texts["script"][0])
    assert inside["sizes"] == [784, 8, 10]
    assert len(base64.b64decode(inside["layers"][0]["weights"])) == 2 * 784 * 8


def test_a_network_too_large_for_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_PARAMETERS", 6000)
    with pytest.raises(OutputError, match="the network has 6,370 parameters; a page takes at most 6,000"):
        drawing_page(network([8]), 0.1)


def test_a_weight_too_large_for_half_precision() -> None:
    loaded = network([8])
    loaded.parameters[7] = -1e5
    with pytest.raises(OutputError, match="the network has a weight of 100000; a page holds numbers up to 65504"):
        drawing_page(loaded, 0.1)


@needs_node
def test_no_activation_is_forgotten() -> None:
    activations, outputs = run("return [Object.keys(ACTIVATIONS), Object.keys(OUTPUTS)];", None)
    assert activations == list(ACTIVATIONS)
    assert outputs == [", ".join(pair) for pair in OUTPUTS]


@needs_node
@pytest.mark.parametrize("output", ["sigmoid, binary_cross_entropy", "softmax, cross_entropy", "identity, quadratic"])
def test_a_score_is_a_sum_and_a_formula(small_split: Split, output: str) -> None:
    name, loss = output.split(", ")
    loaded = network([30], f"model.output={name}", f"loss={loss}")
    images = small_split.images[:5]
    code = """(pixels) => {
      const empty = emptyPass(network).logits, { logits } = look(network, pixels);
      return Array.from(logits, (z, place) => addingUp([network.layers.at(-1).biases[place], empty[place]], z)
        .map((text) => Number(text.replace("−", "-"))));
    }"""
    shown = with_network(loaded, code, images.tolist())
    bias, empty, ink, z = shown.transpose(2, 0, 1)
    expected = loaded.model.outputs(np.vstack([images, np.zeros((1, 784), np.uint8)]))
    np.testing.assert_allclose(bias + empty + ink, z, atol=1e-9)
    np.testing.assert_allclose(bias, np.broadcast_to(loaded.model.layers[-1].bias, (5, 10)), atol=0.006)
    np.testing.assert_allclose(empty, np.broadcast_to(expected.logits[-1], (5, 10)), atol=0.006)
    np.testing.assert_allclose(z, expected.logits[:-1], atol=0.006)
    formulas = {
        "sigmoid": ("1\u00a0/\u00a0(1\u00a0+\u00a0exp(−z))", 1 / (1 + np.exp(-z))),
        "softmax": (
            "exp(z), divided by the sum of exp(z) over all classes",
            np.exp(z) / np.exp(z).sum(1, keepdims=True),
        ),
        "identity": ("z", z),
    }
    told, scores = formulas[name]
    np.testing.assert_allclose(scores, expected.scores[:-1], atol=0.006)
    assert run("return OUTPUTS[data].formula;", output) == told
