"""How a network reads drawn hands and printed digits of forms that training never saw, beside those that it saw.

    python benchmarks/hands.py [NETWORK] [--images 4000] [--seed 1000] [--sheet FOLDER]

NETWORK is a run or a file; by default the last run, else the network that comes with bpcli. Each kind has a row
for the forms of training, for those held out, and for those of them whose whole style is held out. `wrong` counts the
digits whose best score is another digit's; `unsure` those that are right but below the least score at which
`bpcli predict` answers. With --sheet, FOLDER gets a picture of the failures of each kind. The seed must not be that
of the network's run: with the same seed and kind the drawings of training would be the same.
"""

import argparse
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from bpcli.data.datasets import Split
from bpcli.data.drawn import hands, printed
from bpcli.data.drawn.forms import Template, held_out_forms, held_out_styles, training_forms
from bpcli.data.sheet import contact_sheet
from bpcli.inference.predictions import default_min_score
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.find import find_network

SHOWN = 240  # failures on a sheet


def groups(kind: ModuleType) -> dict[str, tuple[Template, ...]]:
    """The forms of a kind: those of training, those held out, and those whose whole style is held out."""
    forms = kind.all_forms()
    held_out, styles = held_out_forms(forms), held_out_styles(forms)
    return {
        "training": training_forms(forms),
        "held out": held_out,
        "styles held out": tuple(form for form in held_out if form.style in styles),
    }


def failures(network: Checkpoint, split: Split) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.intp]]:
    """Which images are read wrong, which right ones score too low, and what each is read as."""
    scores = network.model.scores(split.images)
    found = scores.argmax(axis=1)
    wrong = found != split.labels
    return wrong, ~wrong & (scores.max(axis=1) < default_min_score([network])), found


def sheet(split: Split, kept: NDArray[np.bool_], found: NDArray[np.intp]) -> bytes:
    """A PNG of the failures, each with its digit and what it was read as."""
    at = np.flatnonzero(kept)[:SHOWN]
    return contact_sheet(split.images[at], [f"{split.labels[i]} read {found[i]}" for i in at])


def report(network: Checkpoint, kind: ModuleType, images: int, seed: int, folder: Path | None) -> None:
    """Print a kind's rows, and write its sheets into the folder."""
    name = kind.__name__.rpartition(".")[2]
    for group, forms in groups(kind).items():
        split = kind.draw(images, seed, network.spec.side, forms)
        wrong, unsure, found = failures(network, split)
        print(f"{name:8}{group:16}{len(forms):7}{wrong.mean():9.2%}{unsure.mean():9.2%}", flush=True)
        if folder is not None:
            (folder / f"{name}-{group.replace(' ', '-')}.png").write_bytes(sheet(split, wrong | unsure, found))


def main() -> None:
    """Print the table, and write the sheets if asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("network", nargs="?")
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--sheet", type=Path)
    chosen = parser.parse_args()
    path = find_network(chosen.network)
    if chosen.sheet is not None:
        chosen.sheet.mkdir(parents=True, exist_ok=True)
    print(f"{path.name}, {chosen.images:,} images a row\n{'':8}{'forms':16}{'number':>7}{'wrong':>9}{'unsure':>9}")
    for kind in (hands, printed):
        report(checkpoint.load(path), kind, chosen.images, chosen.seed, chosen.sheet)


if __name__ == "__main__":
    main()
