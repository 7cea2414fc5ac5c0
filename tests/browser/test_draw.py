"""The page to draw on, used as people use it: with a mouse, with a finger, with keys."""

import base64
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import Result
from playwright.sync_api import Page, expect

from bpcli import machine, resources
from bpcli.core.deslant import deslant
from bpcli.core.threads import ThreadGroup
from bpcli.core.width import set_width
from bpcli.data.datasets import read_split
from bpcli.report.samples import choose
from bpcli.storage.checkpoint import Checkpoint
from tests.browser.conftest import PATIENCE, Opened
from tests.browser.strokes import Points, strokes
from tests.report.test_teaching import taught

DIGITS = 200

RunWriter = Callable[[str, object], None]
INK = "(data) => data.filter((value, i) => i % 4 === 0 && value < 128).length"

# how long the page takes to answer a frame's events, and the time since the last of these events
TIMING = """
window.answered = []; let latest = 0;
addEventListener("pointermove", (event) => (latest = event.timeStamp), true);
const frame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => frame((time) => {
  const start = performance.now(); callback(time); const end = performance.now();
  window.answered.push([end - start, end - latest]);
});
"""


def draw(page: Page, lines: list[Points]) -> None:
    """Draws lines of a 28×28 digit by the mouse."""
    box = page.locator("#paper").bounding_box()
    assert box is not None
    unit = box["width"] / 34
    for line in lines:
        places = [(box["x"] + (x + 3.5) * unit, box["y"] + (y + 3.5) * unit) for x, y in line]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in [*places[3:-1:3], places[-1]]:  # every third point will do: the pen's curve is smooth
            page.mouse.move(*place)
        page.mouse.up()


def scores(page: Page) -> list[str]:
    return page.locator("#scores .score").all_text_contents()


def saved(page: Page) -> bytes:
    """The PNG that the page's button saves."""
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "digit.png"
    return Path(download.value.path()).read_bytes()


def test_drawn_digits_are_answered_as_predict_answers_the_saved_pictures(
    opened: Opened, bpcli: Callable[..., Result], run_folder: Path, record_property: RunWriter
) -> None:
    test = read_split(resources.mnist(), "test", 0)
    shown: list[tuple[str, list[str]]] = []
    with opened("draw", script=TIMING) as page:
        for number, image in enumerate(test.images[:DIGITS]):
            draw(page, strokes(image.reshape(28, 28)))
            shown.append((page.locator("#answer").text_content() or "", scores(page)))
            Path(f"{number:03}.png").write_bytes(saved(page))
            page.locator("#clear").click()
        times = np.array(page.evaluate("window.answered"))
    told = bpcli("predict", "-m", run_folder, "--json", *sorted(map(str, Path().glob("*.png")))).stdout.splitlines()
    expected = [json.loads(line) for line in told]
    assert len(expected) == DIGITS
    both = list(zip(shown, expected, test.labels.tolist(), strict=False))
    same = np.mean([digit == _shown(answer["digit"]) for (digit, _), answer, _ in both])
    far = max(abs(np.array(found, float) - answer["scores"]).max() for (_, found), answer, _ in both)
    right = np.mean([digit == str(label) for (digit, _), _, label in both])
    record_property("drawn", f"the same digit in {same:.1%}, scores within {far:.4f}, right in {right:.1%}")
    record_property("answered", _spread(times[:, 0]))
    record_property("after the event", _spread(times[:, 1]))
    assert same >= 0.99
    assert far <= 0.02
    assert right >= 0.8  # or else the strokes would not be digits
    assert np.quantile(times[:, 0], 0.1) <= 20  # those that a busy machine didn't interrupt


def _shown(digit: int | None) -> str:
    return "–" if digit is None else str(digit)


def _spread(times: np.ndarray) -> str:
    return f"{np.median(times):.1f} ms (95 % within {np.quantile(times, 0.95):.1f}) of {len(times)} times"


def test_the_pages_network_is_numpys_on_all_of_mnist(
    opened: Opened, loaded: Checkpoint, record_property: RunWriter
) -> None:
    images = read_split(resources.mnist(), "test", 0).images
    code = """(data) => {
      const network = readNetwork(JSON.parse(document.getElementById("network").textContent));
      const bytes = bytesOf(data), found = [];
      for (let start = 0; start < bytes.length; start += 784)
        found.push(Array.from(look(network, bytes.subarray(start, start + 784)).scores));
      return found;
    }"""
    with opened("draw") as page:
        found = np.array(page.evaluate(code, base64.b64encode(images.tobytes()).decode()))
    expected = loaded.model.scores(images, ThreadGroup(machine.usable_cores()))
    difference = float(abs(found - expected).max())
    record_property("network", f"scores within {difference:.1e}")
    assert found.shape == (10_000, 10)
    assert difference < 1e-3


def test_the_page_sets_digits_upright_as_numpy_does(opened: Opened, loaded: Checkpoint) -> None:
    images = read_split(resources.mnist(), "test", 0).images[:1000]
    code = """(data) => {
      const bytes = bytesOf(data), found = [];
      for (let start = 0; start < bytes.length; start += 784)
        found.push(Array.from(deslant(bytes.subarray(start, start + 784))));
      return found;
    }"""
    with opened("draw") as page:
        found = np.array(page.evaluate(code, base64.b64encode(images.tobytes()).decode()))
    assert abs(found - deslant(images)).max() <= 1  # where rounding in single precision differs


@pytest.mark.parametrize("deslanted", [False, True])
def test_the_page_sets_digits_to_a_width_as_numpy_does(opened: Opened, deslanted: bool) -> None:
    images = read_split(resources.mnist(), "test", 0).images[:1000]
    code = f"""(data) => {{
      const bytes = bytesOf(data), found = [];
      for (let start = 0; start < bytes.length; start += 784)
        found.push(Array.from(setWidth(bytes.subarray(start, start + 784), 14, {str(deslanted).lower()})));
      return found;
    }}"""
    with opened("draw") as page:
        found = np.array(page.evaluate(code, base64.b64encode(images.tobytes()).decode()))
    assert abs(found - set_width(images, 14, deslanted)).max() <= 1  # where rounding in single precision differs


def test_the_page_asks_its_network_about_upright_digits(opened: Opened) -> None:
    code = """() => {
      const network = readNetwork(JSON.parse(document.getElementById("network").textContent));
      const slash = { width: 280, height: 280, values: new Float32Array(280 * 280).fill(1) };
      for (let y = 40; y < 240; y++) for (let x = 0; x < 24; x++) slash.values[280 * y + 228 - (y >> 1) + x] = 0;
      return [false, true].map((deslant) => Array.from(answerTo({ ...network, deslant }, slash).pixels));
    }"""
    with opened("draw") as page:
        leaning, upright = np.array(page.evaluate(code), np.uint8)
    assert abs(upright.astype(int) - deslant(leaning[None])[0]).max() <= 1
    assert (upright.reshape(28, 28) > 0).any(axis=0).sum() < (leaning.reshape(28, 28) > 0).any(axis=0).sum() / 1.5


def test_kept_drawings_are_saved_as_a_folder_of_pictures(
    opened: Opened, bpcli: Callable[..., Result], run_folder: Path, tmp_path: Path
) -> None:
    test = read_split(resources.mnist(), "test", 0)
    with opened("draw") as page:
        for image, label in zip(test.images[:6], test.labels[:6].tolist(), strict=True):
            draw(page, strokes(image.reshape(28, 28)))
            page.locator("#truth").select_option(str(label))
            page.locator("#keep").click()
            page.locator("#clear").click()
        assert page.locator("#keep").is_disabled()
        assert page.locator("#kept").text_content() == "6 drawings: “0” (1), “1” (2), “2” (1), “4” (1), “7” (1)"
        page.locator("#forget").click()
        with page.expect_download() as download:
            page.locator("#zip").click()
        assert download.value.suggested_filename == "drawings.zip"
        zipfile.ZipFile(download.value.path()).extractall(tmp_path)
    pictures = sorted(tmp_path.rglob("*.png"), key=lambda path: path.name)
    labels = [path.parent.name for path in pictures]
    assert labels == list(map(str, test.labels[:5]))
    answers = bpcli("predict", "-m", run_folder, "--json", *pictures).stdout.splitlines()
    assert [str(json.loads(answer)["digit"]) for answer in answers] == labels


def test_leaving_with_unsaved_drawings_is_asked_about(opened: Opened) -> None:
    with opened("draw") as page:
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        draw(page, [[(14, 5), (14, 22)]])
        page.reload()
        assert asked == []
        draw(page, [[(14, 5), (14, 22)]])
        page.locator("#keep").click()
        page.reload()
        assert asked == ["beforeunload"]
        assert page.locator("#kept").text_content() == "No drawings yet."


def test_an_empty_paper_gives_no_answer(opened: Opened) -> None:
    with opened("draw") as page:
        empty = ("–", ["–"] * 10)
        assert (page.locator("#answer").text_content(), scores(page)) == empty
        assert page.locator("#save").is_disabled()
        draw(page, [[(14, 5), (14, 22)]])
        assert page.locator("#answer").text_content() == "1"
        page.locator("#undo").click()
        assert (page.locator("#answer").text_content(), scores(page)) == empty


def test_strokes_are_taken_back_one_by_one(opened: Opened) -> None:
    with opened("draw") as page:
        draw(page, [[(14, 5), (14, 22)]])
        before = scores(page)
        draw(page, [[(6, 5), (6, 15), (20, 15)]])
        assert scores(page) != before
        page.keyboard.press("Control+z")
        assert scores(page) == before
        page.locator("#clear").click()
        assert page.locator("#answer").text_content() == "–"


def test_the_pens_width_is_chosen(opened: Opened) -> None:
    ink = f"(own) => ({INK})(own.getContext('2d').getImageData(0, 0, own.width, own.height).data)"
    with opened("draw") as page:
        found = []
        for width in ("6", "32"):
            page.locator("#width").fill(width)
            draw(page, [[(8, 14), (20, 14)]])
            found.append(page.locator("#paper").evaluate(ink))
            page.locator("#clear").click()
    assert found[1] > 4 * found[0] > 0


def test_a_finger_draws_too(opened: Opened, browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(pages["draw"].as_uri())
    box = page.locator("#paper").bounding_box()
    session = context.new_cdp_session(page)
    points = [
        {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] * share} for share in (0.2, 0.4, 0.6, 0.8)
    ]
    for kind, touch in [("touchStart", points[:1]), *(("touchMove", [each]) for each in points[1:]), ("touchEnd", [])]:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touch})
    expect(page.locator("#answer")).to_have_text("1")
    assert page.evaluate("scrollY") == 0
    context.close()


def test_the_keyboard_draws_too(opened: Opened) -> None:
    with opened("draw") as page:
        page.locator("#paper").focus()
        assert page.locator("#pen").is_visible()
        page.keyboard.press("Space")
        for _ in range(15):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        assert page.locator("#answer").text_content() == "1"
        spoken = page.locator("#spoken").text_content()
        assert spoken is not None
        assert re.match(r"1, score [01]\.\d", spoken)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "undo"


def test_how_each_score_was_made_is_told_on_request(opened: Opened) -> None:
    with opened("draw") as page:
        draw(page, [[(14, 5), (14, 22)]])
        page.locator("#why summary").click()
        expect(page.locator("#sums td").last).to_have_text(re.compile("[01]"))
        rows = [row.locator("td").all_text_contents() for row in page.locator("#sums tr").all()]
        assert page.locator("#sums th").all_text_contents() == [*"0123456789"]
        assert [row[-1] for row in rows] == scores(page)
        sums = np.array([[text.replace("−", "-") for text in row] for row in rows], float)
        bias, empty, ink, z, score = sums.T
        assert ink.argmax() == z.argmax() == 1
        np.testing.assert_allclose(bias + empty + ink, z, atol=1e-9)  # as they are shown, they add up
        np.testing.assert_allclose(1 / (1 + np.exp(-z)), score, atol=0.002)
        page.locator("#clear").click()
        expect(page.locator("#sums td").last).to_have_text("–")


@pytest.mark.parametrize("part", ["seen", "layers", "strongest"])
def test_the_inside_is_painted(opened: Opened, part: str) -> None:
    bright = """(id) => { const own = document.getElementById(id); const canvas = own.matches("canvas") ? own :
      own.querySelector("canvas"); return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
      .filter((value, i) => i % 4 === 0 && value > 0).length; }"""
    with opened("draw") as page:
        draw(page, [[(14, 5), (14, 22)]])
        assert page.evaluate(bright, part) > 20


def pixels_seen(page: Page) -> np.ndarray:
    """The square of bytes that the page's network is given."""
    code = "(own) => Array.from(own.getContext('2d').getImageData(0, 0, own.width, own.height).data)"
    return np.array(page.locator("#seen").evaluate(code), np.uint8)[::4]


def test_ten_steps_on_the_page_are_bpclis_own(opened: Opened, loaded: Checkpoint, record_property: RunWriter) -> None:
    test = read_split(resources.mnist(), "test", 0)
    chosen = choose(loaded.model, test)
    with opened("draw") as page:
        draw(page, strokes(test.images[0].reshape(28, 28)))
        before, seen = scores(page), pixels_seen(page)
        page.locator("#truth").select_option("4")
        page.locator("#rate").fill("0.02")
        loss = float(re.search(r"C = ([0-9.]+)\.$", page.locator("#loss").text_content() or "")[1])  # type: ignore[index]
        page.locator("#ten").click()
        expect(page.locator("#lesson")).to_have_text(
            re.compile(r"^10 steps in all\. The loss of this drawing as 4 is ")
        )
        shown, cost = scores(page), page.locator("#cost").text_content()
        changed = page.locator("#changed figcaption").all_text_contents()
        page.locator("#unlearn").click()
        expect(page.locator("#lesson")).to_have_text(re.compile(r"^0 steps in all"))
        assert scores(page) == before
        assert page.locator("#unlearn").is_disabled()
    after = replace(loaded, parameters=taught(loaded, seen, 4, 0.02, 10))
    outputs = loaded.model.outputs(seen[None])
    y = np.eye(10, dtype=np.float32)[[4]]
    assert loss == pytest.approx(loaded.model.network.output.loss(outputs.logits, outputs.scores, y)[0], rel=2e-3)
    expected = after.model.scores(seen[None])[0]
    record_property("taught", f"scores within {abs(np.array(shown, float) - expected).max():.1e}")
    np.testing.assert_allclose(np.array(shown, float), expected, atol=1e-3)  # they are shown with three digits
    assert expected.argmax() == 4
    fair, labels = chosen.images[chosen.hard :], chosen.labels[chosen.hard :]
    wrong = [model.scores(fair).argmax(axis=1) != labels for model in (loaded.model, after.model)]
    lost, mended = (wrong[1] & ~wrong[0]).sum(), (wrong[0] & ~wrong[1]).sum()
    assert cost == (
        f"Of 100 test pictures in this page it misreads {wrong[1].sum()}; before the lessons {wrong[0].sum()}. "
        f"Newly misread: {lost}; mended: {mended}."
    )
    assert len(changed) == lost + mended > 0


def test_a_page_opens_with_a_digit_that_draws_itself_and_gives_way(opened: Opened) -> None:
    with opened("draw", motion="no-preference") as page:
        expect(page.locator("#answer")).to_have_text("3")
        expect(page.locator("#sums")).to_be_hidden()
        assert page.locator("#keep").is_disabled()
        draw(page, [[(14, 5), (14, 22)]])
        assert page.locator("#answer").text_content() == "1"
        page.locator("#ten").click()
        expect(page.locator("#lesson")).to_have_text(re.compile("10 steps in all"))  # one after the other
        page.locator("#clear").click()
    with opened("draw") as page:  # whoever wants no motion
        page.wait_for_timeout(300)
        assert page.locator("#answer").text_content() == "–"


def test_test_digits_are_answered_as_they_are(opened: Opened, loaded: Checkpoint) -> None:
    chosen = choose(loaded.model, read_split(resources.mnist(), "test", 0))
    upright, expected = loaded.model.preprocessing.upright(chosen.images), loaded.model.scores(chosen.images)
    with opened("draw") as page:
        expect(page.locator("#row button")).to_have_count(12)
        for place in (0, 1, 11):
            page.locator("#row button").nth(place).click()
            np.testing.assert_array_equal(pixels_seen(page), upright[place])
            np.testing.assert_allclose(np.array(scores(page), float), expected[place], atol=1.5e-3)
            assert page.locator("#truth").input_value() == str(chosen.labels[place])
            assert page.locator("#keep").is_disabled()
        draw(page, [[(2, 2), (2, 25)]])
        assert page.locator("#keep").is_enabled()
        page.locator("#undo").click()
        page.locator("#undo").click()
        page.locator("#clear").click()
        assert page.locator("#answer").text_content() == "–"


def test_units_and_digits_open_as_sums(opened: Opened, loaded: Checkpoint) -> None:
    with opened("draw") as page:
        draw(page, [[(14, 5), (14, 22)]])
        first = page.locator("#strongest figcaption").first.text_content() or ""
        assert page.locator("#opened-title").text_content() == f"Unit {first.split(':')[0]} of hidden layer 1"
        page.locator("#strongest button").nth(1).click()
        second = page.locator("#strongest figcaption").nth(1).text_content() or ""
        assert page.locator("#opened-unit").input_value() == second.split(":")[0]
        numbers = re.findall(r"[+−][0-9.]+[0-9]", page.locator("#opened-sum").text_content() or "")
        *parts, z = (float(text.replace("−", "-")) for text in numbers)
        assert sum(parts) == pytest.approx(z, abs=1e-9)
        assert z == pytest.approx(float(second.split(": ")[1]), abs=0.06)
        page.locator("#layers canvas").first.click(position={"x": 1, "y": 1})
        assert page.locator("#opened-title").text_content() == "Unit 0 of hidden layer 1"
        page.locator("#scores button").nth(7).click()
        assert page.locator("#opened-title").text_content() == "The sum of 7"
        assert scores(page)[7] in (page.locator("#opened-sum").text_content() or "")
        page.locator("#opened-unit").fill("")
        page.locator("#opened-unit").fill("3")
        assert page.locator("#opened-title").text_content() == "The sum of 3"


@pytest.mark.parametrize(("width", "lines"), [(1400, True), (390, False)])
def test_all_that_a_drawing_shows_fits_and_is_accessible(opened: Opened, width: int, lines: bool) -> None:
    with opened("draw", width) as page:
        draw(page, [[(14, 5), (14, 22)]])
        for name in ("mind", "why"):
            page.locator(f"#{name} summary").click()
        expect(page.locator("#mind-told")).to_have_text(re.compile(r"^It says 1; next comes [02-9], .* enough\.$"))
        page.locator("#one").click()
        assert (page.locator("#paths line").count() > 0) is lines
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found] == []
