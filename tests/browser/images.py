"""Draw the pictures of the README from the product itself, in headless Chromium: `make pictures`."""

import html
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from bpcli import resources
from bpcli.data.datasets import read_split
from tests.browser.conftest import CHROMIUM, QUIET
from tests.browser.strokes import strokes

IMAGES = Path(__file__).parents[2] / "docs/images"
COLOURS = 64  # of a picture's palette: light, and sharp enough for text
DRAWN = 25  # the test digit that is drawn with the mouse
EPOCHS = 6  # of the playground
STEPPED = 18  # the test digit of the step
WIDTH, HEIGHT = 1200, 720  # pixels of the window
TALL = 1480  # pixels of the playground's picture: down to the weights
MOST = 560  # pixels of a section's height
TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #1d1f21; } pre { display: inline-block; margin: 0; padding: 16px 20px; color: #d6d8da;
font: 13px/1.25 "DejaVu Sans Mono", Menlo, Consolas, monospace; }
</style>"""


def main() -> None:
    """Train the default network in an empty folder, and take pictures of what shows it."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.chdir(folder)
        for command in ("train", "report", "draw", "playground", f"step test:{STEPPED}"):
            told = bpcli(*command.split())
            print(told.splitlines()[-1])
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        of_the_report(page, Path("runs/latest/report.html").resolve())
        of_the_drawing_page(page, Path("digit.html").resolve())
        of_the_playground(page, Path("playground.html").resolve())
        of_the_step(page, Path("step.html").resolve())
        of_the_terminal(page, "bpcli predict --show test:18")
        browser.close()


def bpcli(*arguments: str) -> str:
    """Return what a command prints, on stdout and stderr."""
    command = [sys.executable, "-m", "bpcli", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout


def of_the_report(page: Page, path: Path) -> None:
    """Take a report's curves, and its mistakes."""
    page.goto(path.as_uri())
    for name in ("curves", "mistakes"):
        section = page.locator(f"#{name}")
        box = section.bounding_box()
        assert box is not None
        clip = {"x": box["x"], "y": box["y"], "width": box["width"], "height": min(box["height"], MOST)}
        save(name, page.screenshot(clip=clip, full_page=True))


def of_the_drawing_page(page: Page, path: Path) -> None:
    """Draw a digit with the mouse, and take the page."""
    page.goto(path.as_uri())
    paper = page.locator("#paper").bounding_box()
    assert paper is not None
    image = read_split(resources.mnist(), "test", 0).images[DRAWN].reshape(28, 28)
    for line in strokes(image):
        at = [
            (paper["x"] + (x + 0.5) * paper["width"] / 28, paper["y"] + (y + 0.5) * paper["height"] / 28)
            for x, y in line
        ]
        page.mouse.move(*at[0])
        page.mouse.down()
        for place in at[1:]:
            page.mouse.move(*place)
        page.mouse.up()
    page.wait_for_function("document.getElementById('answer').textContent !== '–'")
    save("draw", page.screenshot())


def of_the_playground(page: Page, path: Path) -> None:
    """Train for some epochs, and take the page."""
    page.goto(path.as_uri())
    for _ in range(EPOCHS):
        page.locator("#epoch").click()
        page.locator("#status").filter(has_text="Paused after").wait_for()
    page.evaluate("scrollTo(0, 0)")
    save("playground", page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": TALL}))


def of_the_step(page: Page, path: Path) -> None:
    """Open the unit of the step with the largest δ, and take its sums."""
    page.goto(path.as_uri())
    page.locator("#backward .units a").first.click()
    page.wait_for_timeout(1000)  # the view has grown to its size
    save("step", page.screenshot())


def of_the_terminal(page: Page, command: str) -> None:
    """Take a command and what it prints, as a terminal shows it."""
    told = bpcli(*command.split()[1:])
    page.goto("about:blank")  # a page of bpcli's allows no styles but its own
    page.set_content(f"{TERMINAL}<pre>$ {html.escape(command)}\n{html.escape(told)}</pre>")
    save("predict", page.locator("pre").screenshot())


def save(name: str, png: bytes) -> None:
    """Write a picture with a small palette."""
    path = IMAGES / f"{name}.png"
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("Chromium is not installed; on Debian: apt-get install chromium")
    main()
