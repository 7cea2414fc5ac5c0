"""The page of a step, used as people use it: its numbers, the ways to a unit and back, the rate, other networks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from bpcli import config as configuration
from bpcli import model as models
from bpcli import resources
from bpcli.core import parameters
from bpcli.core.initializers import INITIALIZERS, initialize
from bpcli.data.datasets import read_split
from bpcli.data.spec import DataSpec
from bpcli.gradcheck.one_step import OneStep, Unit, loss_after, predicted_loss
from bpcli.report.history import read_run
from bpcli.storage.checkpoint import Checkpoint
from bpcli.training.run import recorded_training
from tests.browser.conftest import PATIENCE, STEP_IMAGE, Opened
from tests.browser.step_tables import differing, of_a_unit, of_the_step, shown_tables, write_step
from tests.report.others import LETTERS, NAMES

PICTURES = 50
RATE = 0.1
TRAINED = {
    "784-30-10": ["model.hidden=[30]", "model.activation=sigmoid", "loss=quadratic"],
    "deep": [
        "model.hidden=[100,60,40]", "model.activation=[gelu,tanh,relu]", "model.output=softmax", "loss=cross_entropy",
    ],
}  # fmt: skip
OTHERS = {
    "none": (LETTERS, ["model.hidden=[]", "model.output=softmax", "loss=cross_entropy"]),
    "five": (LETTERS, ["model.hidden=[64,48,32,24]", "model.activation=sigmoid"]),
    "names": (NAMES, ["model.hidden=[20]"]),
}
TO_A_PLACE = """async (place) => {
  const start = performance.now();
  const done = new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
  location.hash = place;
  await done;
  return [document.body.offsetHeight, performance.now() - start][1];
}"""
OF_THE_SLIDER = """(slider) => [-4, -2, 0].map((value) => {
  const start = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
  return [document.body.offsetHeight, performance.now() - start][1];
})"""

RunWriter = Callable[[str, object], None]


@contextmanager
def opened_page(browser: Browser, path: Path, **options: Any) -> Iterator[Page]:
    """Opens a page that must not say or ask for anything."""
    page = browser.new_page(**{"viewport": {"width": 1400, "height": 900}, "reduced_motion": "reduce", **options})
    page.set_default_timeout(PATIENCE)
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text))
    page.on("request", lambda request: heard.append(request.url[:80]))
    page.goto(path.as_uri())
    yield page
    assert [text for text in heard if not text.startswith((path.as_uri()[:80], "data:"))] == []
    page.close()


@pytest.fixture(scope="session")
def networks(loaded: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """The default network, Nielsen's and a deep one, trained for a little."""
    found = {"default": loaded}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("others"))
        for name, settings in TRAINED.items():
            list(recorded_training(configuration.load("default", [*settings, "train.epochs=1"]), name, Path(name)))
            found[name] = read_run(name).loaded
    return found


def untrained(about: DataSpec, settings: list[str]) -> Checkpoint:
    config = configuration.load("default", settings)
    sizes = models.network(config, about).sizes
    vector = np.zeros(parameters.count(sizes), np.float32)
    initialize(parameters.views(vector, sizes), INITIALIZERS["glorot"], np.random.default_rng(0))
    return Checkpoint(config, about, 1, {}, vector)


def looked_at(step: OneStep) -> list[Unit]:
    """Units of each layer: that of the largest δ, and the first."""
    return [
        Unit(layer, number) for layer, delta in enumerate(step.delta, 1) for number in {int(abs(delta).argmax()), 0}
    ]


@pytest.mark.parametrize("name", ["default", *TRAINED])
def test_every_number_is_pythons_and_a_click_is_answered_at_once(
    browser: Browser, networks: dict[str, Checkpoint], name: str, tmp_path: Path, record_property: RunWriter
) -> None:
    test, numbers, times, wrong = read_split(resources.mnist(), "test", 0), 0, [], []
    path = tmp_path / "step.html"
    for index in np.linspace(0, len(test) - 1, PICTURES).astype(int):
        step = write_step(path, networks[name], test.images[index].reshape(28, 28), int(test.labels[index]), RATE)
        with opened_page(browser, path) as page:
            pairs = [(shown_tables(page, "overview"), of_the_step(step, RATE))]
            for unit in looked_at(step):
                times.append(page.evaluate(TO_A_PLACE, f"#unit={unit.layer}:{unit.number}&weight=7"))
                pairs.append((shown_tables(page, "unit"), of_a_unit(step, unit, RATE, below=7)))
            times.append(page.evaluate(TO_A_PLACE, ""))
            times += page.locator("#eta").evaluate(OF_THE_SLIDER)
        for count, differences in (differing(*pair) for pair in pairs):
            numbers += count
            wrong += differences
    record_property(name, f"{numbers:,} numbers of {PICTURES} pictures; {path.stat().st_size:,} bytes")
    spread = f"95 % within {np.quantile(times, 0.95):.0f}, the longest {max(times):.0f}"
    record_property("answered", f"{np.median(times):.0f} ms, {spread}")
    assert wrong == []
    assert np.quantile(times, 0.1) <= 100  # those that a busy machine didn't interrupt


def test_a_unit_opens_from_everywhere_and_the_way_back_leads_to_where_it_began(opened: Opened) -> None:
    with opened("step") as page:
        overview, unit, name = page.locator("#overview"), page.locator("#unit"), page.locator("#unit-name")
        field = page.locator("#backward canvas").last
        field.scroll_into_view_if_needed()
        link = page.locator("#backward .units a").nth(3)
        link.focus()
        before = page.evaluate("scrollY")
        page.keyboard.press("Enter")
        expect(name).to_be_focused()
        expect(overview).to_be_hidden()
        assert page.evaluate("scrollY") == 0
        assert page.title() == f"Unit {link.locator('span').text_content()} – bpcli"
        page.go_back()
        expect(link).to_be_focused()
        expect(unit).to_be_hidden()
        assert page.evaluate("scrollY") == before
        page.locator("#forward canvas").nth(1).click(position={"x": 3, "y": 3})
        expect(name).to_have_text("Unit 1:0")
        page.get_by_role("link", name="next, 1:1").click()
        expect(name).to_have_text("Unit 1:1")
        page.keyboard.press("Escape")
        expect(overview).to_be_visible()
        page.locator("#layer").select_option(index=1)
        page.locator("#number").fill("5")
        page.keyboard.press("Enter")
        expect(name).to_have_text("Unit 2:5, the output of 5")
        page.get_by_label("From unit").fill("17")
        page.get_by_role("button", name="Show this weight").click()
        expect(page.locator("#weight-name")).to_have_text("The weight from 1:17 to 2:5 (5)")
        expect(page.locator("#weight-name")).to_be_focused()


def test_a_weight_opens_from_its_pixel_and_from_the_proof(opened: Opened) -> None:
    with opened("step") as page:
        page.locator("#proof a").first.click()
        place = page.locator("#weight-name").text_content()
        assert place is not None and place.startswith("The weight from pixel ")
        field = page.get_by_role("img", name="The gradients of its weights")
        box = field.bounding_box()
        assert box is not None
        field.click(position={"x": 2.5 * box["width"] / 28, "y": 20.5 * box["height"] / 28})
        expect(page.locator("#weight-name")).to_contain_text("from pixel 20,2 to 1:")


def test_the_rate_changes_what_the_step_brings(opened: Opened, step_taken: OneStep) -> None:
    with opened("step") as page:
        slider = page.locator("#eta")
        slider.focus()
        page.keyboard.press("ArrowLeft")
        expect(slider).to_have_attribute("aria-valuetext", "η = 0.0955")
        (rate,), _, (told,), (after,) = shown_tables(page, "overview")["The loss after the step"]
        assert told == pytest.approx(predicted_loss(step_taken, rate), rel=1e-6)
        assert after == pytest.approx(loss_after(step_taken, rate), rel=1e-6)
        straight = page.locator("#step button").last
        straight.click()
        (rate,), (loss,), (told,), (after,) = shown_tables(page, "overview")["The loss after the step"]
        assert abs(after - told) == pytest.approx((loss - told) / 10, rel=1e-2)
        page.locator("#step button").first.click()
        assert shown_tables(page, "overview")["The loss after the step"][0] == [RATE]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("width", [390, 1400])
def test_the_pages_of_other_networks(browser: Browser, name: str, width: int, tmp_path: Path) -> None:
    about, settings = OTHERS[name]
    image = np.random.default_rng(1).integers(0, 256, (about.side, about.side)).astype(np.uint8)
    found = untrained(about, settings)
    step = write_step(tmp_path / "step.html", found, image, len(about.classes) - 1)
    with opened_page(browser, tmp_path / "step.html", viewport={"width": width, "height": 900}) as page:
        for place in ["", *(f"#unit={layer}:0" for layer in range(1, len(step.z) + 1))]:
            page.evaluate(TO_A_PLACE, f"#{place}x") if not place else page.evaluate(TO_A_PLACE, place)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert serious(page) == []
        assert page.locator("main b").count() > 0 and page.locator("main i").count() == 0
        for unit in looked_at(step):
            page.evaluate(TO_A_PLACE, f"#unit={unit.layer}:{unit.number}&weight=1")
            page.evaluate(TO_A_PLACE, f"#unit={unit.layer}:{unit.number}")
            assert differing(shown_tables(page, "unit"), of_a_unit(step, unit, RATE))[1] == []


def serious(page: Page) -> list[Any]:
    return [each for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_unit_is_accessible_and_moves_only_where_motion_is_wanted(
    browser: Browser, pages: dict[str, Path], scheme: Any
) -> None:
    for motion, animation in (("reduce", "none"), ("no-preference", "enter")):
        with opened_page(browser, pages["step"], color_scheme=scheme, reduced_motion=motion) as page:
            for place in ("#unit=1:0", f"#unit=2:{STEP_IMAGE % 10}"):
                page.evaluate(TO_A_PLACE, place)
                assert page.locator("#unit").evaluate("(own) => getComputedStyle(own).animationName") == animation
            page.wait_for_timeout(300)
            assert serious(page) == []
