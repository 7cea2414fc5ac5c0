"""How damaged digits are read, as `predict` prepares them and as their pixels are.

    python benchmarks/corruptions.py [NETWORK] [--count 1000] [--split validation|test] [--sheet FOLDER]

NETWORK is a run or a file; by default the last run, else the network that comes with bpcli. The damages are those of
MNIST-C, by `bpcli.data.scenes.corruptions`. "No digit" counts as wrong in both columns. With --sheet, FOLDER gets two
pictures of each kind: what is read wrong once prepared, as it was given and as it was prepared.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Bytes
from bpcli.data.datasets import Split
from bpcli.data.picture.prepare import Prepared, prepare
from bpcli.data.scenes.corruptions import CORRUPTIONS, damaged
from bpcli.data.sheet import contact_sheet
from bpcli.inference.ensemble import Ensemble
from bpcli.inference.evaluation import read_split_of
from bpcli.inference.predictions import default_min_score, predict_pictures
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.find import find_network

SHOWN = 240  # failures on a sheet


def answers(network: Checkpoint, pictures: Sequence[Prepared]) -> list[str]:
    """What `predict` answers to pictures; "-" for no digit."""
    found = predict_pictures(Ensemble([network.model]), pictures, default_min_score([network]), ThreadGroup(1))
    return ["-" if each.name is None else each.name for each in found]


def sheets(name: Path, given: Sequence[Bytes], prepared: Sequence[Prepared], captions: Sequence[str]) -> None:
    """Write two pictures of what is wrong: as it was given, and as it was prepared."""
    seen = [
        np.zeros_like(one) if each.pixels is None else each.pixels for one, each in zip(given, prepared, strict=True)
    ]
    for which, images in (("given", given), ("prepared", seen)):
        content = contact_sheet(np.array([image.ravel() for image in images[:SHOWN]]), captions[:SHOWN])
        name.with_name(f"{name.name}-{which}.png").write_bytes(content)


def report(network: Checkpoint, split: Split, kind: str, folder: Path | None) -> float:
    """Print the row of a kind, write its sheets into the folder, and return the accuracy once prepared."""
    images, labels = split.images.reshape(-1, split.side, split.side), split.labels.astype(str).tolist()
    given = [damaged(kind, image, index) for index, image in enumerate(images)]
    prepared = [prepare(np.asarray(each / np.float32(255), np.float32)) for each in given]
    found = answers(network, prepared)
    plain = answers(network, [Prepared(each, "", {}) for each in given])
    right, right_plain = (np.equal(each, labels) for each in (np.array(found), np.array(plain)))
    print(f"{kind:16}{right.mean():9.1%}{right_plain.mean():13.1%}{found.count('-'):10}", flush=True)
    wrong = np.flatnonzero(~right).tolist()
    if folder is not None and wrong:
        captions = [f"{labels[i]} read {found[i]}, {plain[i]}" for i in wrong]
        sheets(folder / kind, [given[i] for i in wrong], [prepared[i] for i in wrong], captions)
    return float(right.mean())


def main() -> None:
    """Print the table, and write the sheets if asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("network", nargs="?")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--sheet", type=Path)
    chosen = parser.parse_args()
    path = find_network(chosen.network)
    network = checkpoint.load(path)
    split = read_split_of(network.model, chosen.split).first(chosen.count)
    if chosen.sheet is not None:
        chosen.sheet.mkdir(parents=True, exist_ok=True)
    print(f"{path.name}, {len(split):,} {chosen.split} digits")
    print(f"{'kind':16}{'prepared':>9}{'as they are':>13}{'refused':>10}")
    rights = [report(network, split, kind, chosen.sheet) for kind in CORRUPTIONS]
    print(f"{'mean':16}{np.mean(rights):9.1%}\n{'but clean':16}{np.mean(rights[1:]):9.1%}")


if __name__ == "__main__":
    main()
