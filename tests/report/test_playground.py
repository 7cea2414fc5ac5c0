"""The playground: its training in Node.js against bpcli's own, its first weights, its address, and the file."""

import json
import re
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest

from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.initializers import INITIALIZERS
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Buffers, Network, backward, forward
from bpcli.core.optimizers import Momentum, blocks
from bpcli.core.threads import ALONE
from bpcli.core.types import Array, Bytes
from bpcli.data.datasets import Split
from bpcli.data.spec import MNIST, DataSpec
from bpcli.report.playground import playground_page, script
from bpcli.report.web import DRAWING_MARK, PLAYGROUND_MARK, REPORT_MARK
from tests.report import node
from tests.report.node import needs_node
from tests.report.test_page import Page, sha256

SETTING = {
    "hidden": [12, 8], "activation": "tanh", "output": "softmax", "loss": "cross_entropy", "init": "glorot",
    "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 3.0, "batch_size": 7, "digits": 60, "seed": 5,
}  # fmt: skip
STEPS = 100
TRAIN = """
const samples = data.pixels.map((pixels, i) => ({ pixels, label: data.labels[i] }));
const sets = { pixels: 784, classes: 10, training: setOf(samples), heldOut: setOf(samples) };
const layers = firstLayers(data.setting, 784, 10).map((layer, l) => ({ ...layer,
  weights: Float32Array.from(data.layers[l].weights), biases: Float32Array.from(data.layers[l].biases) }));
const training = begin(data.setting, sets, layers);
const before = addPoint(training);
const batches = [];
for (let i = 0; i < data.steps; i++) {
  const fresh = training.place === training.order.length;
  const [epoch, place] = fresh ? [training.epoch + 1, 0] : [training.epoch, training.place];
  const order = orderOf(data.setting.seed, epoch, data.setting.digits);
  batches.push(order.slice(place, place + data.setting.batch_size));
  step(training);
}
const now = addPoint(training);
return { batches, layers: copyOf(layers), loss: now.loss, accuracy: now.accuracy, wrong: now.wrong.length,
  before: before.loss, epoch: training.epoch, seen: training.seen, history: training.history };"""


def run(code: str, data: object) -> Any:
    return node.run(code, data, script())


def numpys(
    setting: dict[str, Any], vector: Array, x: Array, labels: Bytes, batches: list[list[int]]
) -> tuple[Array, float]:
    """The parameters after steps on the batches, and the loss on all images then, by bpcli.core."""
    sizes = (x.shape[1], *setting["hidden"], 10)
    pair = (setting["output"], setting["loss"])
    net = Network(sizes, (ACTIVATIONS[setting["activation"]],) * len(setting["hidden"]), OUTPUTS[pair])
    gradient, velocity = np.zeros_like(vector), np.zeros_like(vector)
    layers, gradients, v = (parameters.views(each, sizes) for each in (vector, gradient, velocity))
    y = np.eye(10, dtype=x.dtype)[labels]
    optimizer = Momentum(setting["momentum"], setting["weight_decay"] / setting["digits"])
    for t, rows in enumerate(batches, start=1):
        room = Buffers.allocate(net, len(rows), x.dtype.type)
        scores = net.output.value(forward(net, layers, x[rows], room))
        backward(net, layers, x[rows], scores, y[rows], room, gradients)
        for block in blocks(layers, gradients, [v], ALONE):
            optimizer.step(block, setting["learning_rate"], t)
    logits = forward(net, layers, x, Buffers.allocate(net, len(x), x.dtype.type))
    return vector, float(net.output.loss(logits, net.output.value(logits), y).mean())


def laid_out(vector: Array, sizes: list[int]) -> list[dict[str, Any]]:
    """Parameters as the page holds them."""
    views = parameters.views(vector, tuple(sizes))
    return [{"weights": each.weight.T.ravel().tolist(), "biases": each.bias.tolist()} for each in views]


@needs_node
def test_a_hundred_steps_are_numpys(small_split: Split) -> None:
    images, labels = small_split.images[:60], small_split.labels[:60]
    sizes = [784, *SETTING["hidden"], 10]  # type: ignore[misc]
    vector = (0.1 * np.random.default_rng(0).standard_normal(parameters.count(sizes))).astype(np.float32)
    given = {"pixels": images.tolist(), "labels": labels.tolist(), "setting": SETTING, "steps": STEPS}
    found = run(TRAIN, given | {"layers": laid_out(vector, sizes)})
    x = images / np.float64(255)
    expected, loss = numpys(SETTING, vector.astype(np.float64), x, labels, found["batches"])
    for own, layer in zip(found["layers"], laid_out(expected, sizes), strict=True):
        np.testing.assert_allclose(own["weights"], layer["weights"], atol=1e-4, rtol=0)
        np.testing.assert_allclose(own["biases"], layer["biases"], atol=1e-4, rtol=0)
    assert found["loss"] == pytest.approx(loss, abs=1e-4)
    assert found["wrong"] == round(60 * (1 - found["accuracy"]))
    assert (found["epoch"], found["seen"]) == (11, 11 * 60 + 7)  # 9 steps an epoch, the last with 4 images
    assert sorted(chain.from_iterable(found["batches"][:9])) == list(range(60))
    assert found["batches"][:9] != found["batches"][9:18]
    assert found["before"] > found["loss"]
    assert [point["seen"] for point in found["history"]] == [0, 667]
    assert [point["training"] is None for point in found["history"]] == [True, False]


@needs_node
def test_the_first_weights_are_spread_as_bpclis() -> None:
    code = "return data.map((init) => firstLayers({ ...STANDARD, hidden: [40, 20], init, seed: 3 }, 100, 10));"
    names, sizes = list(INITIALIZERS), [100, 40, 20, 10]
    for name, layers in zip(names, run(code, names), strict=True):
        own = INITIALIZERS[name]
        for index, (layer, (fan_in, fan_out)) in enumerate(zip(layers, pairwise(sizes), strict=True)):
            weights, biases = np.array(layer["weights"]), np.array(layer["biases"])
            spread, n = own.spread(fan_in, fan_out, index == 2), len(weights)
            assert n == fan_in * fan_out
            assert weights.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * n))
            assert abs(weights.mean()) < 4 * spread / np.sqrt(n)
            inside = (abs(weights) < spread).mean()  # 68.3 % of a normal distribution
            assert inside == pytest.approx(0.6827, abs=4 * np.sqrt(0.6827 * 0.3173 / n))
            assert (abs(biases).max() > 0) == (own.bias_spread > 0)
    code = "return [3, 3, 4].map((seed) => firstLayers({ ...STANDARD, seed }, 784, 10)[0].weights.slice(0, 9));"
    same, again, other = run(code, None)
    assert same == again
    assert not set(same) & set(other)


ASK = "return data.map((hash) => readHash(hash, LESSONS, 3000));"


@needs_node
def test_an_address_holds_the_whole_setting() -> None:
    code = """const there = hashOf(data, "rate");
      return { there, back: readHash(there, LESSONS, 3000), command: commandOf(data) };"""
    found = run(code, SETTING)
    assert found["back"] == {"setting": SETTING, "lesson": "rate", "flaws": []}
    assert found["there"].startswith("#lesson=rate&hidden=12-8&activation=tanh&")
    assert "-s 'model.hidden=[12,8]'" in found["command"]
    none, lesson, empty = run(ASK, ["#hidden=none", "#lesson=dead&seed=7", ""])
    assert none["setting"]["hidden"] == []
    assert lesson["setting"] == empty["setting"] | {
        "activation": "relu", "init": "he", "learning_rate": 0.5, "momentum": 0, "batch_size": 10, "seed": 7,
    }  # fmt: skip


@needs_node
@pytest.mark.parametrize(
    ("hash_", "complaint"),
    [
        ("#hidden=30-20-10", "hidden=30-20-10 can’t be; expected none, or one or two numbers from 1 to 100"),
        ("#hidden=101", "hidden=101 can’t be"),
        ("#activation=swish", "expected relu or leaky_relu or"),
        ("#learning_rate=-1", "learning_rate=-1 can’t be; expected a number from 0.000001 to 1000"),
        ("#learning_rate=", "learning_rate= can’t be"),
        ("#momentum=1", "expected a number from 0 to 0.999"),
        ("#batch_size=2.5", "expected a whole number from 1 to 500"),
        ("#digits=5000", "expected a whole number from 10 to 3000"),
        ("#rate=1", "rate=1 can’t be; expected one of hidden, activation,"),
        ("#constructor=1", "constructor=1 can’t be; expected one of hidden, activation,"),
        ("#output=softmax&loss=quadratic", "The output softmax has no loss quadratic."),
        ("#lesson=toString", "There is no lesson “toString”."),
    ],
)
def test_what_an_address_cannot_ask_for(hash_: str, complaint: str) -> None:
    asked, standard = run(ASK, [hash_, ""])
    assert complaint in asked["flaws"][0]
    assert asked["setting"] == standard["setting"]


@needs_node
def test_a_page_with_few_pictures_takes_all_of_them() -> None:
    code = """const links = Object.entries(LESSONS).flatMap(([name, lesson]) =>
        [false, true].map((contrast) => hashOf(lessonSetting(lesson, contrast), name)));
      return data.map((pictures) => links.map((hash) => readHash(hash, LESSONS, pictures)));"""
    for pictures, found in zip((585, 6), run(code, [585, 6]), strict=True):
        assert [each["flaws"] for each in found] == [[]] * len(found)
        assert {each["setting"]["digits"] for each in found} == {min(200, pictures), pictures}
    (few,) = run("return [readHash('#digits=7', LESSONS, 6)];", None)
    assert (few["flaws"], few["setting"]["digits"]) == ([], 6)


@needs_node
def test_the_command_names_the_folder_of_other_data() -> None:
    mine, mnist = run("return [commandOf(STANDARD, true), commandOf(STANDARD)];", None)
    assert mine.startswith("bpcli train -s 'data.folder=FOLDER' -s ")
    assert "data.folder" not in mnist


def page_of(split: Split, about: DataSpec = MNIST) -> str:
    return playground_page(about, split, split)


def test_the_page_is_one_file_that_asks_for_nothing(small_split: Split) -> None:
    text = page_of(small_split)
    assert len(text) < 3_000_000
    assert not re.search(r"\{\{|https?://(?!www\.w3\.org/2000/svg)", text)
    marks = [re.match(mark, text.encode(), re.DOTALL) for mark in (PLAYGROUND_MARK, DRAWING_MARK, REPORT_MARK)]
    assert [bool(mark) for mark in marks] == [True, False, False]
    page = Page(text)
    policy = next(str(a["content"]) for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    code = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert [f"'sha256-{sha256(each)}'" in policy for each in code] == [True]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert not {"src", "style", "onclick"} & {key for _, attributes in page.elements for key in attributes}


def test_images_at_equal_distances_travel_without_loss(small_split: Split) -> None:
    held = json.loads(re.findall(r'<script type="application/json" id="page">(.*?)</script>', page_of(small_split))[0])
    assert held["training"] == min(3000, len(small_split))
    assert len(held["samples"]["labels"]) == held["training"] + min(1000, len(small_split))
    assert held["samples"]["sheet"].startswith("data:image/png;base64,")
