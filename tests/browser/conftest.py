"""A browser, a trained network of the default shape, and the pages made of it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bpcli import config as configuration
from bpcli import machine, resources
from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import read_split
from bpcli.report.drawing import drawing_page
from bpcli.report.history import read_run
from bpcli.report.page import comparison_page, report_page
from bpcli.report.samples import choose
from bpcli.report.study import study
from bpcli.storage.checkpoint import Checkpoint
from bpcli.training.run import recorded_training

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

PATIENCE = 300_000  # milliseconds: a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE)  # and not wait_for_function, whose second look the pages' policy forbids
_HARMLESS = "warning: Canvas2D: Multiple readback"  # the tests themselves look at canvases

Opened = Callable[..., Any]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Says what was measured, whether the test passed or not."""
    if report.when == "call":
        for name, value in report.user_properties:
            sys.stdout.write(f"\n{name}: {value}\n")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield found
        found.close()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the default network, cut short."""
    folder = tmp_path_factory.mktemp("runs") / "<i>default & co"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        list(recorded_training(configuration.load("default", ["train.epochs=3"]), "default", folder))
    return folder


@pytest.fixture(scope="session")
def loaded(run_folder: Path) -> Checkpoint:
    return read_run(str(run_folder)).loaded


@pytest.fixture(scope="session")
def pages(run_folder: Path, loaded: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the three kinds of page."""
    folder = tmp_path_factory.mktemp("pages")
    seen = study(read_run(str(run_folder)), ThreadGroup(machine.usable_cores()))
    doubted = replace(seen, run=replace(seen.run, warning="it learned <nothing>"))
    texts = {
        "report": report_page(doubted),
        "comparison": comparison_page([seen, doubted]),
        "draw": drawing_page(loaded, 0.1, choose(loaded.model, read_split(resources.mnist(), "test", 0))),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text)
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture
def opened(browser: Browser, pages: dict[str, Path]) -> Opened:
    """Opens a page from its file; in the end there must have been no request, no message and no error."""

    @contextmanager
    def show(
        name: str, width: int = 1400, scheme: Any = "light", script: str = "", motion: Any = "reduce"
    ) -> Iterator[Page]:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion=motion)
        page.set_default_timeout(PATIENCE)
        heard: list[str] = []
        page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url[:80]))
        if script:
            page.add_init_script(script)
        page.goto(pages[name].as_uri())
        yield page
        assert [text for text in heard if not text.startswith((pages[name].as_uri()[:80], "data:", _HARMLESS))] == []
        page.close()

    return show
