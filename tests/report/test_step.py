"""The page of a step: its code, run by Node.js, against `gradcheck.one_step`; its text, which allows only itself."""

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bpcli.data.spec import DataSpec
from bpcli.errors import OutputError
from bpcli.gradcheck.one_step import (
    OneStep,
    Unit,
    blame,
    central_difference,
    heaviest,
    loss_after,
    one_step,
    predicted_loss,
    weighted_input,
)
from bpcli.report import packing
from bpcli.report.step import Shown, script, step_page, told
from bpcli.storage.checkpoint import Checkpoint
from tests.gradcheck.test_one_step import NETWORKS, image, network
from tests.report.node import needs_node, run
from tests.report.test_page import Page, sha256

LABEL, RATES = 1, [1e-4, 0.03, 2.0]
CODE = """return data.cases.map((told) => {
  const { network } = told;
  const step = stepOn(doubled(readNetwork(network)), Uint8Array.from(told.pixels), told.label);
  const layers = [...step.network.layers.keys()];
  const hidden = layers.slice(0, -1);
  const each = (l) => [...Array(step.network.layers[l].fanOut).keys()];
  const steep = steepness(step), until = straightUntil(step, steep);
  const terms = ({ products, ...sum }) => ({ ...sum, products: sum.indices.map((i) => products[i]) });
  return {
    loss: step.loss, z: step.pass.z, a: layers.map((l) => givenOn(step, l)), delta: step.deltas, y: step.y,
    slopes: hidden.map((l) => each(l).map((unit) => slopeOf(step, l, unit))),
    gradients: layers.map((l) => each(l).map((unit) => Array.from(gradientsTo(step, l, unit)))),
    parts: each(layers.length - 1).map((unit) => lossPart(step, unit)),
    forward: layers.map((l) => terms(weightedInput(step, l, 2))), backward: hidden.map((l) => terms(blame(step, l, 2))),
    heaviest: layers.map((l) => heaviest(step, l)),
    proof: layers.map((l) => centralDifference(step, l, 3, 2).difference),
    predicted: data.rates.map((rate) => step.loss - rate * steep),
    after: data.rates.map((rate) => after(step, rate).loss),
    until, bend: until && bend(step, steep, until),
  };
});"""


def loaded(name: str) -> Checkpoint:
    model = network(name)
    return Checkpoint(model.config, model.spec, 1, {}, model.parameters)


def shown(found: Checkpoint, **others: Any) -> Shown:
    given = Shown(one_step(found.model, image(), LABEL), "test:8", image(), 0.1, [], None)
    return given._replace(**others)


@needs_node
def test_the_numbers_are_those_of_one_step() -> None:
    networks = [loaded(name) for name in NETWORKS]
    told_all = [told(each, shown(each)) for each in networks]
    results = run(CODE, json.loads(json.dumps({"cases": told_all, "rates": RATES})), script())
    for found, own in zip(networks, results, strict=True):
        _require_same(own, one_step(found.model, image(), LABEL))


def _require_same(own: dict[str, Any], step: OneStep) -> None:
    layers, hidden = range(1, len(step.z) + 1), range(1, len(step.z))
    expected: dict[str, Any] = {
        "loss": [step.loss], "z": step.z, "a": step.a, "delta": step.delta, "y": step.y, "slopes": step.f_prime,
        "gradients": [each.weight.T for each in step.gradients],
        "proof": [central_difference(step, layer, 3, 2) for layer in layers],
        "predicted": [predicted_loss(step, rate) for rate in RATES],
        "after": [loss_after(step, rate) for rate in RATES],
    }  # fmt: skip
    for name, values in expected.items():
        slack = 1e-9 if name == "proof" else 1e-13
        np.testing.assert_allclose(_flat([own[name]]), _flat(values), rtol=1e-9, atol=slack, err_msg=name)
    assert sum(own["parts"]) == pytest.approx(step.loss)
    sums = [weighted_input(step, Unit(layer, 2), 10) for layer in layers]
    sums += [blame(step, Unit(layer, 2), 10) for layer in hidden]
    for mine, theirs in zip(own["forward"] + own["backward"], sums, strict=True):
        own_terms = [mine[name] for name in theirs._fields]
        np.testing.assert_allclose(_flat(own_terms), _flat(list(theirs)), rtol=1e-9, atol=1e-12)
    assert [(each["below"], each["unit"]) for each in own["heaviest"]] == [
        heaviest(step, each, 1)[0] for each in layers
    ]
    assert own["bend"] == pytest.approx(0.1, rel=1e-3)
    fall = step.loss - predicted_loss(step, own["until"])
    assert abs(loss_after(step, own["until"]) - (step.loss - fall)) == pytest.approx(fall / 10, rel=1e-3)


def _flat(values: Any) -> np.ndarray:
    if isinstance(values, (list, tuple)):
        return np.concatenate([_flat(each) for each in values]) if values else np.zeros(0)
    return np.ravel(values)


@needs_node
def test_numbers_are_written_to_eight_digits() -> None:
    numbers = [0.0, 1.0, -0.51217301234, 1e-4, 9.99999999e-5, -6.9113805e-7, 123456789.123, 1.3e300, 5e-324, 814090.0]
    texts = run("return data.map((number) => digits(number));", numbers, script())
    assert [float(text.replace("−", "-")) for text in texts] == [float(f"{number:.8g}") for number in numbers]
    assert texts[2] == "−0.51217301" and texts[5] == "−6.9113805e−7"
    assert run("return [1 / 0, -1 / 0, NaN].map((number) => digits(number));", None, script()) == [
        "∞", "−∞", "not a number",
    ]  # fmt: skip


@needs_node
def test_a_place_names_a_unit_that_there_is() -> None:
    places = [
        "",
        "#",
        "#unit=1:4",
        "#unit=2:2&weight=4",
        "#unit=3:0",
        "#unit=1:5",
        "#unit=0:0",
        "#unit=1:4&weight=64",
        "#x",
    ]
    code = """const step = { network: readNetwork(data[0]) };
      return data[1].map((place) => readPlace(step, place));"""
    found = run(code, [told(loaded("quadratic"), shown(loaded("quadratic")))["network"], places], script())
    whole = [None, None, {"l": 0, "unit": 4, "below": None}, {"l": 1, "unit": 2, "below": 4}, None, None, None]
    assert found == [*whole, {"l": 0, "unit": 4, "below": None}, None]


def test_the_page_is_whole_and_allows_only_itself() -> None:
    found = loaded("relu")
    text = step_page(found, "<run> & co", shown(found, name="<b>.png"))
    page = Page(text)
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    (style,), (code,) = (re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("style", "script"))
    assert f"style-src 'sha256-{sha256(style)}'; script-src 'sha256-{sha256(code)}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert not page.attributes("src") + page.attributes("style")
    assert page.attributes("href") == ["data:,"]
    assert page.texts["p"][0] == "<b>.png shows the class b. The network is <run> & co: 64-12-3 units."


def test_the_page_is_told_the_lines_of_the_source_and_who_learns_little() -> None:
    found = loaded("relu")
    found.model.layers[0].bias[:9] = -100
    dead = [np.arange(12) < 7]
    given = told(found, shown(found, dead=dead))
    assert given["sources"]["BP2"].startswith("bpcli/core/network.py:")
    assert re.fullmatch(r"bpcli/core/optimizers.py:\d+  w \+= v", given["sources"]["step"])
    assert given["sources"]["outputBP3"].endswith("np.matmul(room.ones, delta, out=gradients[-1].bias)")
    marks = {each["kind"]: each["units"] for each in given["marks"] if each["layer"] == 1}
    assert marks["dead"] == list(range(7)) and set(range(9)) <= set(marks["silent"])
    assert any("7 of them are dead" in what for what, _ in given["findings"])
    assert "μ = 0.9" in given["update"]


def test_weights_travel_exactly_whatever_their_precision() -> None:
    found = loaded("relu")
    single = told(found, shown(found))["network"]["layers"][0]["weights"]
    halves = replace(found, parameters=found.parameters.astype(np.float16).astype(np.float32))
    assert len(told(halves, shown(halves))["network"]["layers"][0]["weights"]) == len(single) / 2
    halves.parameters[5] = 1e6
    assert len(told(halves, shown(halves))["network"]["layers"][0]["weights"]) == len(single)


def test_names_of_classes_are_text() -> None:
    found = loaded("relu")
    odd = replace(found, spec=DataSpec(8, ("</script>", "<!--", "&"), 0.3, 0.4, digits=False))
    page = Page(step_page(odd, "run", shown(odd)))
    assert json.loads(page.texts["script"][0])["network"]["classes"] == ["</script>", "<!--", "&"]


def test_a_network_too_large_for_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_PARAMETERS", 1000)
    found = loaded("relu")
    with pytest.raises(OutputError, match="the network has 819 parameters; a page takes at most 500"):
        step_page(found, "run", shown(found))
