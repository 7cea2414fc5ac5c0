"""The report in a browser: every part is seen, and the cells of the confusion matrix open."""

import json

from playwright.sync_api import expect

from tests.browser.conftest import Opened


def test_every_plot_and_table_is_seen(opened: Opened) -> None:
    with opened("report") as page:
        plots = page.locator("svg.plot")
        assert plots.count() == 5 + 3 + 2  # of the run, of the hidden layer, of the output layer
        for index in range(plots.count()):
            box = plots.nth(index).bounding_box()
            assert box is not None
            assert box["width"] > 200
            assert box["height"] > 100
        assert page.locator("table").count() == 6
        broken = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
        assert page.evaluate(broken) == 0
        assert page.locator("#units img").count() == 60


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
