"""What the lessons of the playground show with several seeds, and how many images a second its page trains on.

    python -m benchmarks.playground [--seeds N] [--speed]

The lessons run in Node.js, with the page's own code. `--speed` starts the page in Chromium instead, and counts images
by the clock, and by the seconds that the page's process computed: on a busy machine the two differ.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.tables import table
from bpcli.data.datasets import Split, read_data_set
from bpcli.report.playground import HELD_OUT, TRAINING, playground_page, script, some

LENGTHS = {"quadratic": 9000, "rate": 3000, "dead": 3000, "large": 15_000, "none": 30_000, "overfitting": 20_000}
BATCHES = (10, 32)
TURNS, SECONDS = 5, 3.0  # of the speed
HEADER = (
    "lesson", "seed", "digits seen", "right, unseen", "right, training", "loss, unseen", "its least", "50 % after",
    "80 % after", "dead", "saturated",
)  # fmt: skip
CODE = """
const data = JSON.parse(require("fs").readFileSync(0));
const setFrom = ({ images, labels }) => setOf(labels.map((label, i) => ({ label, pixels: images[i] })));
const sets = { pixels: 784, classes: 10, training: setFrom(data.training), heldOut: setFrom(data.heldOut) };
const whole = (setting, length) => {
  const training = begin(setting, sets);
  let now = addPoint(training), next = spacing(training);
  while (training.seen < length && !training.diverged) {
    step(training);
    if (training.seen < next) continue;
    now = addPoint(training);
    next = training.seen + spacing(training);
  }
  now = addPoint(training);
  const own = training.history.findLast((point) => point.training).training;
  const least = Math.min(...training.history.map(({ heldOut }) => heldOut.loss));
  return { seen: training.seen, accuracy: now.accuracy, own: own.accuracy, loss: now.loss, least,
    half: reachedAt(training, 0.5), most: reachedAt(training, 0.8),
    dead: now.layers.map(({ dead }) => dead.length), saturated: now.layers.map(({ saturated }) => saturated) };
};
for (const [name, length] of Object.entries(data.lengths)) for (const contrasted of [false, true]) {
  for (let seed = 0; seed < data.seeds; seed++) {
    const title = contrasted ? LESSONS[name].contrast.title : LESSONS[name].title;
    const setting = { ...lessonSetting(LESSONS[name], contrasted), seed };
    console.log(JSON.stringify({ title, seed, ...whole(setting, length) }));
  }
}
"""


def main() -> None:
    """Print what is asked for as a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    print(table(*speed()) if arguments.speed else table(HEADER, list(lessons(arguments.seeds))))


def lessons(seeds: int) -> Iterator[list[str]]:
    """Rows of the table: each lesson and its contrast, with each seed."""
    data = read_data_set(None, 0, "auto", lambda: None)
    sets = {"training": some(data.training, TRAINING), "heldOut": some(data.test, HELD_OUT)}
    given = {name: _as_json(each) for name, each in sets.items()} | {"lengths": LENGTHS, "seeds": seeds}
    node = ["node", "-e", f'"use strict";\n{script()}\n{CODE}']
    done = subprocess.run(node, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True)
    return (_row(json.loads(line)) for line in done.stdout.splitlines())


def _as_json(split: Split) -> dict[str, Any]:
    return {"images": split.images.tolist(), "labels": split.labels.tolist()}


def _row(found: dict[str, Any]) -> list[str]:
    shares = [f"{100 * found[name]:.1f} %" for name in ("accuracy", "own")]
    after = [f"{found[name]:,}" if found[name] is not None else "–" for name in ("half", "most")]
    losses = [f"{found[name]:.3g}" for name in ("loss", "least")]
    saturated = ", ".join(f"{100 * share:.0f} %" for share in found["saturated"])
    dead = ", ".join(map(str, found["dead"]))
    return [found["title"], str(found["seed"]), f"{found['seen']:,}", *shares, *losses, *after, dead, saturated]


def speed() -> tuple[tuple[str, ...], list[list[str]]]:
    """The table of speeds in Chromium, at 784-30-10."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, QUIET

    data = read_data_set(None, 0, "auto", lambda: None)
    rows = []
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "playground.html"
        path.write_text(playground_page(data.spec, data.training, data.test))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for size in BATCHES:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"{path.as_uri()}#batch_size={size}")
            page.locator("#status").filter(has_text="Ready").wait_for()
            page.locator("#start").click()
            page.wait_for_timeout(2000)  # until its code is compiled
            rows += [[str(size), *_turn(page)] for _ in range(TURNS)]
            page.close()
        browser.close()
    return ("batch", "images a second", "images a computed second"), rows


def _turn(page: Any) -> list[str]:
    """Images a second of the clock, and of the page's process."""
    before = _now(page)
    page.wait_for_timeout(1000 * SECONDS)
    seen, clock, computed = (after - then for after, then in zip(_now(page), before, strict=True))
    return [f"{seen / clock:,.0f}", f"{seen / computed:,.0f}"]


def _now(page: Any) -> tuple[int, float, float]:
    seen = page.evaluate("async () => (await playground).training.seen")
    return seen, time.perf_counter(), _computed()


def _computed() -> float:
    """The seconds that the busiest renderer of Chromium has computed, on Linux."""
    found = [0.0]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                found.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
        except OSError:
            continue  # it has ended
    return max(found)


if __name__ == "__main__":
    main()
