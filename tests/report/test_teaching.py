"""What the page to draw on tells of a picture and learns from it, run by Node.js, against bpcli.core."""

import io
from base64 import b64decode
from collections import Counter
from re import MULTILINE, findall

import numpy as np
import pytest
from PIL import Image

from bpcli.core import parameters
from bpcli.core.network import Buffers, backward, forward
from bpcli.core.optimizers import Momentum, blocks
from bpcli.core.threads import ALONE
from bpcli.core.types import Array, Bytes
from bpcli.data.datasets import Split
from bpcli.report import samples
from bpcli.report.drawing import script
from bpcli.report.packing import packed
from bpcli.storage.checkpoint import Checkpoint
from tests.report.node import needs_node, run
from tests.report.test_drawing import network


def taught(loaded: Checkpoint, pixels: Bytes, label: int, rate: float, steps: int) -> Array:
    """The parameters after steps of bpcli.core on one picture."""
    net, sizes = loaded.model.network, loaded.model.network.sizes
    vector = loaded.parameters.copy()
    layers, gradients, v = (parameters.views(each, sizes) for each in (vector, np.zeros_like(vector), vector * 0))
    x = loaded.model.preprocessing.inputs(loaded.model.preprocessing.upright(pixels[None]))
    y, room = np.eye(sizes[-1], dtype=np.float32)[[label]], Buffers.allocate(net, 1, np.float32)
    for step in range(steps):
        p = net.output.value(forward(net, layers, x, room))
        backward(net, layers, x, p, y, room, gradients)
        for block in blocks(layers, gradients, [v], ALONE):
            Momentum(0).step(block, rate, step + 1)
    return vector


@needs_node
@pytest.mark.parametrize("settings", [
    ["model.activation=[relu, tanh]"], ["model.output=softmax", "loss=cross_entropy", "data.deslant=true"],
    ["loss=quadratic", "model.activation=sigmoid", "data.width=14"],
], ids=str)  # fmt: skip
def test_lessons_are_bpclis_steps_and_are_undone_to_the_bit(small_split: Split, settings: list[str]) -> None:
    loaded = network([20, 10], *settings)
    code = """const network = readNetwork(data[0]), lessons = new Lessons(network), scores = [];
      const tell = () => scores.push(Array.from(look(network, upright(network, data[1][0])).scores));
      tell();
      data[1].forEach((pixels, i) => {
        lessons.begin({ pixels: upright(network, Uint8Array.from(pixels)), place: 4 + i, rate: data[2] });
        for (let step = 0; step < 5; step++) lessons.step();
        tell();
      });
      lessons.undo(); tell(); lessons.undo(); tell();
      return scores;"""
    images = small_split.images[:2]
    before, once, _, undone, original = run(code, [packed(loaded), images.tolist(), 0.02])
    after = Checkpoint(loaded.config, loaded.spec, 1, {}, taught(loaded, images[0], 4, 0.02, 5))
    np.testing.assert_allclose(before, loaded.model.scores(images)[0], atol=1e-5)
    np.testing.assert_allclose(once, after.model.scores(images)[0], atol=1e-5)
    assert np.abs(np.subtract(once, before)).max() > 0.01
    assert (undone, original) == (once, before)


@needs_node
def test_the_terms_of_every_unit_add_up_and_the_paths_follow_the_largest(small_split: Split) -> None:
    loaded, image = network([12, 9]), small_split.images[3]
    code = """const network = readNetwork(data[0]), empty = emptyPass(network);
      const pass = look(network, Uint8Array.from(data[1]));
      const terms = network.layers.map(({ fanOut }, l) => Array.from({ length: fanOut }, (_, unit) => {
        const { products, bias, blank, z } = termsOf(network, pass, empty, l, unit);
        return [total(products) + bias + blank, z]; }));
      return [terms.flat(), strongestPaths(network, pass, empty, 7)];"""
    terms, links = run(code, [packed(loaded), image.tolist()])
    sums, z = np.transpose(terms)
    np.testing.assert_allclose(sums, z, atol=1e-4)
    last = loaded.model.layers[-1].weight[:, 7]
    changes = [_hidden(loaded, image) - _hidden(loaded, image * 0)][0] * last
    order = np.argsort(-np.abs(changes))[: np.count_nonzero(changes)][:8]
    found = [link for link in links if link["layer"] == 2]
    assert [link["from"] for link in found] == order.tolist()
    np.testing.assert_allclose([link["term"] for link in found], changes[order], atol=1e-4)
    assert {link["to"] for link in links if link["layer"] == 1} == set(order.tolist())


def _hidden(loaded: Checkpoint, image: Bytes) -> Array:
    room = Buffers.allocate(loaded.model.network, 1, np.float32)
    forward(loaded.model.network, loaded.model.layers, loaded.model.preprocessing.inputs(image[None]), room)
    activations: Array = room.hidden[-1].a[0]
    return activations


@needs_node
@pytest.mark.parametrize("light", [True, False])
def test_the_least_change_of_a_picture_changes_the_mind(small_split: Split, light: bool) -> None:
    loaded, image = network([30], "model.activation=tanh", spread=0.1), small_split.images[5]
    page = packed(loaded) | {"digits": False, "light": light}
    code = """const network = readNetwork(data[0]), pixels = Uint8Array.from(data[1]);
      return changeOfMind(network, pixels, look(network, pixels));"""
    found = run(code, [page, image.tolist()])
    logits = loaded.model.outputs(image[None]).logits[0]
    assert [found["best"], found["second"]] == np.argsort(-logits)[:2].tolist()
    gains, full = np.array(found["gains"]), 255 if light else 0
    assert (gains > 0).any()
    assert (gains < 0).any()
    ranked = np.argsort(-np.abs(gains))
    changed = np.repeat(image[None], 64, axis=0)
    for row, place in enumerate(ranked[:64]):
        changed[row:, place] = full if gains[place] > 0 else 255 - full
    answers = loaded.model.scores(changed).argmax(axis=1)
    row = int(np.argmax(answers != found["best"]))
    assert (found["count"], found["becomes"]) == (row + 1, answers[row])
    np.testing.assert_array_equal(found["changed"], changed[row])
    nudged = np.repeat(image[None].astype(np.float64), 4, axis=0)
    for row, place in enumerate(ranked[:4]):  # a gain is what a small step promises for the whole way
        nudged[row, place] += 0.01 * ((full if gains[place] > 0 else 255 - full) - nudged[row, place])
    outputs = _logits(loaded, np.vstack([nudged, image[None]]))
    difference = outputs[:, found["second"]] - outputs[:, found["best"]]
    np.testing.assert_allclose((difference[:4] - difference[4]) / 0.01, np.abs(gains[ranked[:4]]), rtol=0.05)


def _logits(loaded: Checkpoint, pixels: Array) -> Array:
    scale, shift = loaded.model.preprocessing.normalization
    first, last = loaded.model.layers
    hidden: Array = np.tanh((scale * pixels - shift) @ first.weight.astype(np.float64) + first.bias)
    return np.asarray(hidden @ last.weight + last.bias)


def test_the_hardest_are_of_different_classes_and_the_others_stand_for_all() -> None:
    scores = np.array([[0.9, 0.1], [0.4, 0.5], [0.1, 0.9], [0.5, 0.4], [0.45, 0.5]], np.float32)
    assert samples.hardest(scores, np.array([0, 0, 1, 1, 1], np.uint8)).tolist() == [1, 3]
    right = np.array([0, 1, 1, 0, 1], np.uint8)
    assert samples.hardest(scores, right).tolist() == [4, 3]


def test_samples_travel_without_loss(small_split: Split) -> None:
    loaded = network([8])
    chosen = samples.choose(loaded.model, small_split)
    told = samples.as_json(chosen)
    assert told is not None
    assert len(chosen.images) == chosen.hard + 100 == len(told["labels"])
    sheet = np.asarray(Image.open(io.BytesIO(b64decode(told["sheet"].split(",")[1]))))
    for place in (0, chosen.hard, len(chosen.images) - 1):
        top, left = 28 * (place // 32), 28 * (place % 32)
        np.testing.assert_array_equal(sheet[top : top + 28, left : left + 28].ravel(), chosen.images[place])
    np.testing.assert_array_equal(chosen.images[chosen.hard], small_split.images[0])
    assert samples.as_json(None) is None


def test_no_name_means_two_things_on_the_page() -> None:
    names = findall(r"^(?:async )?(?:function|class|const|let) (\w+)", script(), MULTILINE)
    assert [name for name, count in Counter(names).items() if count > 1] == []
