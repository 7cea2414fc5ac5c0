"""The page to draw on: its code, run by Node.js, against NumPy and Pillow; its text against what it must not hold."""

import base64
import json
import re

import numpy as np
import pytest
from PIL import Image

from bpcli import config as configuration
from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.losses import OUTPUTS
from bpcli.core.types import Array
from bpcli.data.mnist import Split
from bpcli.data.picture.background import is_light, paper_between, paper_trend
from bpcli.data.picture.digit import BOX, FINE, crop, fit, stroke_width, weigh
from bpcli.data.picture.ink import GLANCE, WIDE_STROKE, coverage, find_ink
from bpcli.data.picture.marks import one_digit
from bpcli.data.picture.prepare import prepare, to_bytes
from bpcli.data.picture.scale import Grey, shrink, unzoomed
from bpcli.errors import OutputError
from bpcli.report import drawing
from bpcli.report.drawing import drawing_page, packed
from bpcli.training import problem
from bpcli.training.checkpoint import Checkpoint
from bpcli.training.run import answers
from bpcli.training.team import Team
from tests.report.node import needs_node, run
from tests.report.scenes import on_paper, photographed
from tests.report.test_page import Page, sha256


def network(hidden: list[int], *settings: str, spread: float = 0.05) -> Checkpoint:
    """A network of random weights that half precision holds exactly."""
    config = configuration.load("default", [f"model.hidden={hidden}", *settings])
    count = parameters.count(problem.network(config).sizes)
    weights = np.random.default_rng(1).standard_normal(count) * spread
    return Checkpoint(config, 1, {"validation_accuracy": 0.98}, weights.astype(np.float16).astype(np.float32))


def with_network(loaded: Checkpoint, code: str, data: object) -> Array:
    page = packed(loaded) | {"least": 0.1}
    return np.array(run(f"const network = readNetwork(data[0]); return data[1].map({code});", [page, data]))


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
    found = with_network(loaded, "(pixels) => forward(network, pixels).scores", images.tolist())
    np.testing.assert_allclose(found, answers(loaded, images, Team(1))[1], atol=2e-5, rtol=1e-5)


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
    shares = with_network(loaded, "(pixels) => contributions(network, pixels)", images.tolist())
    logits = answers(loaded, np.vstack([images, np.zeros((1, 784), np.uint8)]), Team(1))[0]
    changes = logits[:-1] - logits[-1]
    assert shares.shape == (5, 10, 784)
    np.testing.assert_allclose(shares.sum(axis=2), changes, atol=0.01 * abs(changes).max())
    assert not shares[np.broadcast_to(images[:, None] == 0, shares.shape)].any()


SCENES = [on_paper(seed) for seed in range(24)] + [photographed(seed) for seed in range(30)]

STAGES = """return data.map(([height, width, text]) => {
  const grey = { width, height, values: Float32Array.from(bytesOf(text), (byte) => byte / 255) };
  const found = findInk(grey);
  const stages = {
    glance: shrink(grey, GLANCE).values, light: [isLight(shrink(grey, GLANCE))], trend: paperTrend(grey).values,
    between: paperBetween(grey, WIDE_STROKE).values, darkness: found.dark.values, solid: [found.solid],
    grain: [found.grain], contrast: [found.contrast], labels: found.pieces.labels, boxes: found.pieces.boxes.flat(),
    areas: found.pieces.areas, input: prepare(grey).pixels ?? [],
  };
  if (stages.areas.length) {
    const kept = oneDigit(found.pieces);
    const cover = coverage(found, kept);
    const fine = fit(crop(cover), BOX * FINE);
    Object.assign(stages, { kept: kept.values, cover: cover.values, crop: crop(cover).values, fine: fine.values,
      width: [strokeWidth(fine)], strokes: weigh(fine).values });
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
        reached |= {"width": stroke_width(fine), "strokes": weigh(fine)}
    return {name: np.asarray(value, np.float64).ravel() for name, value in reached.items()}


@needs_node
def test_each_step_of_the_pipeline_is_predicts() -> None:
    given = [[*grey.shape, base64.b64encode(to_bytes(grey).tobytes()).decode()] for grey in SCENES]
    expected = [stages(grey) for grey in SCENES]
    assert len(SCENES) / 6 < sum(bool(each["light"]) for each in expected) < len(SCENES) / 2
    assert 2 <= sum(not each["input"].size for each in expected) < len(SCENES) / 4
    for own, others in zip(run(STAGES, given), expected, strict=True):
        assert own.keys() == others.keys()
        for name, other in others.items():
            found = np.frombuffer(base64.b64decode(own[name]), np.float32)
            slack = {"input": 1, "contrast": 1e-5 * abs(other).max(initial=0)}.get(name, 1e-4)  # input is in bytes
            np.testing.assert_allclose(found, other, rtol=1e-6, atol=slack, err_msg=name)


@needs_node
def test_blank_paper_shows_nothing() -> None:
    code = "return data.map((v) => prepare({ width: 200, height: 200, values: new Float32Array(40000).fill(v) }));"
    for found in run(code, [0, 0.5, 1]):
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
    monkeypatch.setattr(drawing, "MOST_PARAMETERS", 6000)
    with pytest.raises(OutputError, match="the network has 6,370 parameters; a page takes at most 6,000"):
        drawing_page(network([8]), 0.1)


def test_a_weight_too_large_for_half_precision() -> None:
    loaded = network([8])
    loaded.parameters[7] = -1e5
    with pytest.raises(OutputError, match="the network has a weight of 100000; a page holds numbers up to 65504"):
        drawing_page(loaded, 0.1)


def test_no_activation_is_forgotten() -> None:
    code = drawing.script()
    for name in [*ACTIVATIONS, *(output for output, _ in OUTPUTS)]:
        assert re.search(rf"^  {name}[:(]", code, re.MULTILINE)
