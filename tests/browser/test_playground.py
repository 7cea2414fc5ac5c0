"""The playground in a real browser: its steps are bpcli's, each lesson shows what it promises, and it listens."""

import re
from typing import Any, NamedTuple

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bpcli.core import parameters
from bpcli.data.datasets import read_data_set
from bpcli.report.playground import TRAINING, some
from tests.browser.conftest import Opened
from tests.report.test_playground import laid_out, numpys

ENOUGH = 100  # steps
SETTING = "hidden=20-12&activation=relu&init=he&learning_rate=0.05&momentum=0.9&weight_decay=5&batch_size=32&seed=3"
STATE = """async () => { const { training } = await playground; return { setting: training.setting, sizes:
  [training.network.layers[0].fanIn, ...training.network.layers.map(({ fanOut }) => fanOut)],
  layers: training.network.layers.map(({ weights, biases }) => ({ weights: [...weights], biases: [...biases] })),
  order: [...training.order] }; }"""


class Seen(NamedTuple):
    """What the page shows of a training."""

    accuracy: float
    loss: float
    first_loss: float
    least_loss: float
    dead: int
    saturated: float
    of_training: float
    half_after: int | None
    before: int | None


def go(page: Page, hash_: str) -> None:
    page.evaluate("(hash) => { location.hash = hash; }", hash_)


def epochs(page: Page, count: int) -> None:
    for _ in range(count):
        before = page.locator("#seen").text_content()
        page.locator("#epoch").click()
        expect(page.locator("#seen")).not_to_have_text(str(before))
        expect(page.locator("#status")).to_have_text(re.compile("Paused after"))


def seen(page: Page) -> Seen:
    losses = page.evaluate("async () => (await playground).training.history.map(({ heldOut }) => heldOut.loss)")
    own = page.evaluate("async () => (await playground).training.history.findLast(({ training }) => training).training")
    cells = page.locator("#layers tr").first.locator("td").all_text_contents()
    half, before = page.locator("#milestones tbody tr").first.locator("td").all_text_contents()
    return Seen(
        number(page.locator("#accuracy").text_content()), losses[-1], losses[0], min(losses), int(number(cells[2])),
        number(cells[3]), 100 * own["accuracy"], int(number(half)) or None, int(number(before)) or None,
    )  # fmt: skip


def number(text: str | None) -> float:
    """The number that a text begins with; 0 for a dash."""
    return float(re.sub("[^0-9.]", "", text or "") or 0)


def both(page: Page, name: str, own: int, other: int) -> tuple[Seen, Seen]:
    """What is seen after so many epochs of a lesson, and after so many of the same with one thing changed."""
    page.locator(f'#lessons a[data-lesson="{name}"]').click()
    epochs(page, own)
    told = seen(page)
    page.locator("#contrast").click()
    epochs(page, other)
    return told, seen(page)


def test_the_quadratic_cost_is_six_times_as_slow(opened: Opened) -> None:
    with opened("playground") as page:
        told, other = both(page, "quadratic", 3, 3)
        assert told.half_after is None
        assert told.accuracy < 50
        assert other.accuracy > 75
        assert other.half_after is not None
        assert 6 * other.half_after <= 3 * TRAINING
        expect(page.locator("#difference")).to_have_text(" (loss quadratic)")


def test_too_large_a_rate_raises_the_loss(opened: Opened) -> None:
    with opened("playground") as page:
        told, other = both(page, "rate", 1, 1)
        assert told.loss > 2 * told.first_loss
        assert told.accuracy < 15
        assert other.loss < other.first_loss / 2
        assert other.accuracy > 85


def test_dead_units_are_counted(opened: Opened) -> None:
    with opened("playground") as page:
        told, other = both(page, "dead", 1, 1)
        assert told.dead > 20
        assert other.dead == 0


def test_large_first_weights_saturate_the_units(opened: Opened) -> None:
    with opened("playground") as page:
        told, other = both(page, "large", 5, 5)
        assert (told.saturated > 70, told.accuracy < 80) == (True, True)
        assert (other.saturated < 15, other.accuracy > 88) == (True, True)


def test_without_a_hidden_layer_it_learns_quickly_and_not_much(opened: Opened) -> None:
    with opened("playground") as page:
        told, other = both(page, "none", 10, 10)
        assert 87 < told.accuracy < 90
        assert other.accuracy > told.accuracy + 2
        assert (told.of_training < 95, other.of_training > 98) == (True, True)


def test_two_hundred_digits_are_learned_by_heart(opened: Opened) -> None:
    with opened("playground") as page:
        told, other = both(page, "overfitting", 100, 7)
        assert told.of_training == 100
        assert told.accuracy < 83
        assert told.loss > 1.15 * told.least_loss
        assert other.accuracy > 88


def test_a_hundred_steps_are_bpclis(opened: Opened) -> None:
    with opened("playground") as page:
        go(page, f"#{SETTING}")
        expect(page.locator("#hidden2")).to_have_value("12")
        before = page.evaluate(STATE)
        for count in range(1, ENOUGH + 1):
            page.locator("#step").click()
            expect(page.locator("#steps")).to_have_text(str(count))
        after = page.evaluate(STATE)
    data = read_data_set(None, 0, "auto", lambda: None)
    own = some(data.training, TRAINING)
    setting, size = before["setting"], before["setting"]["batch_size"]
    orders = [before["order"], after["order"]]
    epoch = [order[i : i + size] for order in orders for i in range(0, TRAINING, size)]
    found, _ = numpys(setting, vector(before), own.images / np.float64(255), own.labels, epoch[:ENOUGH])
    for theirs, layer in zip(after["layers"], laid_out(found, before["sizes"]), strict=True):
        for name in ("weights", "biases"):
            np.testing.assert_allclose(theirs[name], layer[name], atol=1e-4, rtol=0)
    changed = [np.subtract(*(each["layers"][layer]["weights"] for each in (after, before))) for layer in range(3)]
    assert min(np.abs(change).max() for change in changed) > 0.05


def vector(state: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A page's parameters as bpcli holds them."""
    flat = np.zeros(sum(len(each["weights"]) + len(each["biases"]) for each in state["layers"]))
    for layer, own in zip(parameters.views(flat, tuple(state["sizes"])), state["layers"], strict=True):
        layer.weight[:] = np.reshape(own["weights"], layer.weight.shape[::-1]).T
        layer.bias[:] = own["biases"]
    return flat


def test_what_is_chosen_stands_in_the_address_and_counts(opened: Opened) -> None:
    with opened("playground") as page:
        page.locator("#step").click()
        page.locator("#learning_rate").fill("0.05")
        page.locator("#learning_rate").press("Enter")
        expect(page.locator("#steps")).to_have_text("1")  # the training goes on
        page.locator("#activation").select_option("relu")
        expect(page.locator("#steps")).to_have_text("0")
        page.locator("#hidden1").fill("0")
        page.locator("#hidden1").blur()
        expect(page.locator("#layers tr")).to_have_count(1)
        expect(page.locator("#weights-about")).to_contain_text("outputs")
        address = page.evaluate("location.hash")
        assert address.startswith("#hidden=none&activation=relu&")
        assert "learning_rate=0.05" in address
        expect(page.locator("#command")).to_contain_text("'model.hidden=[]'")
        page.locator("#momentum").fill("1")
        page.locator("#momentum").blur()
        expect(page.locator("#flaws")).to_have_text("momentum=1 can’t be; expected a number from 0 to 0.999.")
        expect(page.locator("#momentum")).to_have_value("0.5")
        go(page, address.replace("relu", "tanh"))
        expect(page.locator("#activation")).to_have_value("tanh")
        expect(page.locator("#flaws")).to_be_empty()


def test_it_starts_and_pauses_by_the_keyboard(opened: Opened, record_property: Any) -> None:
    with opened("playground", motion="no-preference") as page:
        page.locator("#start").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#start")).to_have_text("Pause")
        expect(page.locator("#epochs")).to_have_text(re.compile("[1-9][0-9]"))
        page.keyboard.press("Enter")
        expect(page.locator("#status")).to_have_text(re.compile(r"Paused after [\d,]+: right on \d\d\.\d.%\."))
        assert page.locator("#start").text_content() == "Start"
        record_property("images a second, 784-30-10", page.locator("#speed").text_content())
        before = page.locator("#seen").text_content()
        page.wait_for_timeout(200)
        assert page.locator("#seen").text_content() == before
        page.locator("#reset").click()
        expect(page.locator("#seen")).to_have_text("0")
        expect(page.locator("#before-key")).to_be_visible()


def test_mistakes_and_weights_are_painted(opened: Opened) -> None:
    painted = "(own) => new Set(own.getContext('2d').getImageData(0, 0, own.width, own.height).data).size"
    with opened("playground") as page:
        epochs(page, 1)
        expect(page.locator("#mistakes figure")).to_have_count(24)
        assert re.fullmatch("[0-9] → [0-9]", page.locator("#mistakes figcaption").first.text_content() or "")
        for canvas in ("#maps", "#mistakes canvas >> nth=0"):
            assert page.locator(canvas).evaluate(painted) > 20
        assert page.locator("#charts .curve.held").first.get_attribute("d").count("L") > 10


def test_a_lesson_in_training_is_accessible_on_a_phone(opened: Opened) -> None:
    with opened("playground", 390, "dark") as page:
        go(page, "#lesson=dead&hidden=30-10")
        epochs(page, 1)
        page.locator("#contrast").click()
        epochs(page, 1)
        page.locator("#settings summary").click()
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390
