"""The drawing page of networks for other things than digits, and the report of many classes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from bpcli.core.threads import ThreadGroup
from bpcli.data.picture.prepare import prepare
from bpcli.data.picture.read import read_picture
from bpcli.data.spec import DataSpec
from bpcli.report.drawing import page_of
from bpcli.report.history import read_run
from bpcli.report.page import report_page
from bpcli.report.study import study
from tests.browser.conftest import PATIENCE
from tests.report.others import LETTERS, NAMES, TWO, network_of, study_of, with_snapshots

SUBJECTS = {"letters": LETTERS, "names": NAMES, "two": TWO}


@contextmanager
def shown(browser: Browser, path: Path, text: str, width: int) -> Iterator[Page]:
    path.write_text(text)
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE)
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    yield page
    assert heard == []
    page.close()


def violations(page: Page) -> list[Any]:
    found = Axe().run(page).response["violations"]
    return [each for each in found if each["impact"] in ("serious", "critical")]


def stroke(page: Page) -> None:
    box = page.locator("#paper").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()


@pytest.mark.parametrize("about", SUBJECTS.values(), ids=SUBJECTS)
@pytest.mark.parametrize("width", [360, 1400])
def test_the_drawing_page_of_another_network(browser: Browser, tmp_path: Path, about: DataSpec, width: int) -> None:
    with shown(browser, tmp_path / "page.html", page_of(network_of(about, 16), "A & B"), width) as page:
        stroke(page)
        page.locator("#why summary").click()
        page.locator("#sums td").filter(has_text=re.compile("[+−][0-9]")).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        names = page.locator("#scores .name").all_text_contents()
        assert len(names) == min(len(about.classes), 12)
        assert set(names) <= set(about.classes)
        if len(about.classes) > 12:
            scores = [float(text) for text in page.locator("#scores .score").all_text_contents()]
            assert scores == sorted(scores, reverse=True)
            assert names[0] == page.locator("#answer").text_content()
        assert page.locator("main b").count() == 0
        with page.expect_download() as download:
            page.locator("#save").click()
        assert download.value.suggested_filename == "picture.png"
        grey = read_picture(Path(download.value.path()))
        assert grey[0, 0] == (0 if about.mean < 0.5 else 1)
        expected = prepare(grey, side=about.side, digits=False).pixels
        data = "(own) => Array.from(own.getContext('2d').getImageData(0, 0, own.width, own.height).data)"
        seen = page.locator("#seen").evaluate(data)
        assert expected is not None
        assert abs(np.array(seen)[::4] - expected.ravel().astype(int)).max() <= 1
        assert violations(page) == []


@pytest.mark.parametrize("about", SUBJECTS.values(), ids=SUBJECTS)
@pytest.mark.parametrize("width", [360, 1400])
def test_the_report_of_other_classes(
    browser: Browser, tmp_path: Path, run_folder: Path, about: DataSpec, width: int
) -> None:
    seen = study_of(about, study(read_run(str(run_folder)), ThreadGroup(1)), 600)
    with shown(browser, tmp_path / "page.html", report_page(with_snapshots(seen)), width) as page:
        assert page.locator("#replay-confusion tbody td").count() == len(about.classes) ** 2
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("[data-cell]").last.click()
        page.locator("#cell-digits li").first.wait_for()
        label = page.locator("[data-cell]").last.get_attribute("aria-label")
        title = page.locator("#cell-title").text_content()
        assert label is not None
        assert label.startswith(str(title))
        size = page.locator("#cell-digits canvas").first.evaluate("(own) => [own.width, own.height]")
        assert size == [about.side, about.side]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("Escape")
        assert violations(page) == []
