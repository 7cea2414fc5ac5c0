"""How fast a folder of pictures becomes a data set: prepared at first, found in the cache ever after.

    python -m benchmarks.folders

Pictures a second are those of one process, by its processor time. The seconds to start are those from the command to
the line in which training says that it begins. The names of the last line are made up: no disk holds so many files.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
from PIL import Image

from bpcli.core.types import Bytes
from bpcli.data.datasets import read_split
from bpcli.data.folder.listing import list_pictures
from bpcli.data.folder.preparing import Way, ready
from bpcli.errors import DataError

COUNT = 10_000
SOME = 2000  # whose preparation is timed
NAMES = 2_000_000
ROUNDS = 3


def written(folder: Path, images: Bytes, labels: Bytes) -> Path:
    """A folder of pictures, one for each class."""
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        place = folder / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    return folder


def rate(folder: Path, *, digits: bool) -> float:
    """How many pictures a second one process prepares, the best of some rounds."""
    paths = [file.path for file in list_pictures(folder).files[:SOME]]
    times = []
    for _ in range(ROUNDS):
        start = process_time()
        for path in paths:
            ready(path, Way(28, digits))
        times.append(process_time() - start)
    return len(paths) / min(times)


def start(folder: Path, out: Path, cache: Path) -> tuple[float, float]:
    """The seconds until a run says that it trains, and those of processor time until its end, soon after."""
    settings = [f"data.folder={folder}", "train.epochs=1", "model.hidden=[16]"]
    command = [sys.executable, "-m", "bpcli", "train", "-o", str(out), "--progress", "lines"]
    begun, before = perf_counter(), os.times()
    with subprocess.Popen(
        [*command, *(part for setting in settings for part in ("-s", setting))],
        env=os.environ | {"BPCLI_CACHE_DIR": str(cache)}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        for line in process.stderr or ():
            if line.startswith("training on"):
                seconds = perf_counter() - begun
    after = os.times()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return seconds, used


@contextmanager
def made_up(where: str) -> Iterator[Iterator[SimpleNamespace]]:
    """The entries of a folder of two classes, of which the first holds too many files."""
    of_classes = where == "made-up"
    about = {"is_dir": lambda: of_classes, "is_file": lambda: not of_classes}
    names = "ab" if of_classes else map("{}.png".format, range(NAMES))
    yield (SimpleNamespace(name=name, path=f"{where}/{name}", **about) for name in names)


def listing_of_millions() -> tuple[float, str]:
    """The seconds until a folder of too many names is refused, and the line that says so."""
    begun = perf_counter()
    with patch("os.scandir", made_up), patch("os.stat", lambda path: SimpleNamespace(st_dev=0, st_ino=hash(path))):
        try:
            list_pictures(Path("made-up"))
        except DataError as error:
            return perf_counter() - begun, str(error)
    raise AssertionError("it was not refused")


def main() -> None:
    """Prints the table."""
    split = read_split(None, "train", 0).first(COUNT)
    images = split.images.reshape(-1, 28, 28)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        digits = written(place / "digits", images, split.labels)
        moved = written(place / "moved", np.roll(images[:SOME], 3, axis=2), split.labels[:SOME])
        print(f"digits in MNIST's format    {rate(digits, digits=True):6,.0f} pictures a second a core")
        print(f"digits to be centred        {rate(moved, digits=True):6,.0f}")
        print(f"any pictures                {rate(digits, digits=False):6,.0f}")
        first, *again = (start(digits, place / f"run-{round_}", place / "cache") for round_ in range(ROUNDS + 1))
        for which, (waited, used) in (("a run", first), ("a second run", min(again))):
            print(f"{which} with {COUNT:,} pictures begins after {waited:.1f} s ({used:.1f} s of processor time)")
        seconds, line = listing_of_millions()
        print(f"{NAMES:,} names are refused after {seconds:.1f} s: {line}")


if __name__ == "__main__":
    main()
