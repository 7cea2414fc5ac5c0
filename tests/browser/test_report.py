"""The report in a browser: every part is seen, and the cells of the confusion matrix open."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Opened


def test_every_plot_and_table_is_seen(opened: Opened) -> None:
    with opened("report") as page:
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        plots = page.locator("svg.plot")
        assert plots.count() == 5 + 3 + 2  # of the run, of the hidden layer, of the output layer
        for index in range(plots.count()):
            box = plots.nth(index).bounding_box()
            assert box is not None
            assert box["width"] > 200
            assert box["height"] > 100
        assert page.locator("table").count() == 7
        broken = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
        assert page.evaluate(broken) == 0
        assert page.locator("#units img:not(.strip)").count() == 60


WEIGHTS = "[...document.querySelectorAll('#replay-weights canvas')].map((own) => own.toDataURL()).join()"


def story(page: Page) -> Any:
    """What the page holds of its epochs."""
    return json.loads(page.locator("#story").text_content() or "")


def matrix(page: Page) -> list[list[int]]:
    """The confusion matrix that moves, as it is shown."""
    rows = page.locator("#replay-confusion tbody tr").all()
    return [[int(text.replace("·", "0")) for text in row.locator("td").all_text_contents()] for row in rows]


def test_the_slider_moves_curves_matrix_and_weights_together(opened: Opened) -> None:
    with opened("report", 390) as page:
        data, seen = story(page), set()
        page.locator("#epoch").focus()
        page.keyboard.press("Home")
        for number, taken in enumerate(data["snapshots"]["epochs"]):
            expect(page.locator("#epoch-words")).to_have_text(re.compile(f"^{number + 1} of 3"))
            assert matrix(page) == taken["confusion"]
            wrong = sum(map(sum, taken["confusion"])) - sum(row[n] for n, row in enumerate(taken["confusion"]))
            told = page.locator("#replay-confusion p").text_content()
            assert told == f"After epoch {number + 1}, {wrong:,} of 10,000 validation images were wrong."
            for name in ("loss", "error"):
                lines = data["curves"][name]["lines"]
                curve = page.locator(f"[data-curve={name}]")
                expected = ", ".join(f"{line['name']} {line['text'][number]}" for line in lines)
                assert curve.locator(".readout").text_content() == f"epoch {number + 1}: {expected}"
                assert curve.get_attribute("aria-valuenow") == str(number + 1)
                assert float(curve.locator("line.marker").get_attribute("x1") or 0) == lines[0]["x"][number]
            page.wait_for_timeout(100)
            seen.add(page.evaluate(WEIGHTS))
            page.keyboard.press("ArrowRight")
        assert len(seen) == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_curve_tells_what_is_under_the_pointer_and_hears_keys(opened: Opened) -> None:
    with opened("report") as page:
        curve, words = page.locator("[data-curve=loss]"), page.locator("[data-curve=loss] .readout")
        before, box = words.text_content(), curve.locator("svg").bounding_box()
        assert box is not None
        lines = story(page)["curves"]["loss"]["lines"]
        for number in range(3):  # the point of the curve lies under the pointer
            x = lines[0]["x"][number] / 316.8 * box["width"]
            curve.locator("svg").hover(position={"x": x, "y": box["height"] / 2})
            expect(words).to_have_text(re.compile(f"^epoch {number + 1}: training {lines[0]['text'][number]}"))
        page.mouse.move(0, 0)
        expect(words).to_have_text(before or "")
        curve.focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        expect(words).to_have_text(re.compile("^epoch 2: "))
        expect(page.locator("#epoch-words")).to_have_text(re.compile("^2 of 3"))


def test_play_runs_to_the_last_epoch_and_is_not_offered_with_reduced_motion(opened: Opened) -> None:
    with opened("report", motion="no-preference") as page:
        page.locator("#epoch").fill("0")
        page.locator("#play").click()
        expect(page.locator("#epoch-words")).to_have_text(re.compile("^3 of 3"))
        expect(page.locator("#play")).to_have_text("Play")
        page.emulate_media(reduced_motion="reduce")
        expect(page.locator("#play")).to_be_hidden()


def test_headings_stay_while_their_section_is_read(opened: Opened) -> None:
    with opened("report", 390) as page:
        page.evaluate("document.querySelector('#replay-weights').scrollIntoView({block: 'center'})")
        for name in ("#curves h2", ".controls"):
            box = page.locator(name).bounding_box()
            assert box is not None
            assert 0 <= box["y"] <= 60


def test_without_javascript_the_page_says_the_same_without_its_slider(browser: Browser, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["report"].as_uri())
    expect(page.locator("[data-curve=loss] svg")).to_be_visible()
    expect(page.locator("#replay")).to_be_hidden()
    expect(page.locator(".sketch")).to_be_visible()
    assert page.locator("noscript p").count() == 2
    context.close()


def test_a_cell_of_the_confusion_matrix_shows_its_digits(opened: Opened) -> None:
    with opened("report", 360) as page:
        cells = json.loads(page.locator("#cells").text_content())["cells"]
        mistake = next(name for name in cells if name[0] != name[2] and len(cells[name]["index"]) > 1)
        for name in (mistake, "4-4"):
            page.locator(f"[data-cell='{name}']").click()
            tiles = page.locator("#cell-digits li")
            tiles.first.wait_for()
            assert tiles.count() == len(cells[name]["index"])
            assert page.locator("#cell-title").text_content() == f"Label {name[0]}, answered {name[2]}"
            ink = "(own) => own.getContext('2d').getImageData(0, 0, 28, 28).data.some((v, i) => i % 4 < 3 && v > 200)"
            assert all(page.locator("#cell-digits canvas").nth(i).evaluate(ink) for i in range(min(tiles.count(), 5)))
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            page.keyboard.press("Escape")
            assert not page.locator("#cell").is_visible()


def test_the_keyboard_opens_a_cell_too(opened: Opened) -> None:
    with opened("report") as page:
        page.locator("[data-cell='0-0']").focus()
        page.keyboard.press("Enter")
        page.locator("#cell-digits li").first.wait_for()
        page.locator("#cell-close").click()
        assert not page.locator("#cell").is_visible()


def test_a_click_beside_the_open_cell_closes_it(opened: Opened) -> None:
    with opened("report") as page:
        dialog = page.locator("#cell")
        page.locator("[data-cell='0-0']").click()
        expect(dialog).to_be_visible()
        box = dialog.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 4, box["y"] + 4)  # on its own margin
        expect(dialog).to_be_visible()
        page.mouse.click(box["x"] - 20, box["y"] + 20)
        expect(dialog).to_be_hidden()
