"""How well a network knows what is no digit: letters, symbols, scribbles, textures, photographs, empty paper, others.

    python benchmarks/rejection.py [NETWORK ...] [--split validation|test] [--sheet FOLDER]

NETWORK is a run or a file, several of them a committee; by default the last run, else the network that comes with
bpcli. Every picture goes through the steps that `bpcli predict` takes; one in which they see nothing counts as refused.
For each kind: the share refused at the network's own threshold, the share that the steps refuse alone, the area under
the ROC curve against the digits of the split, and the share refused at thresholds that refuse 0.1 to 3 % of those
digits. Below, the digits: how many are refused, and how many of those whose best score is the right one, for MNIST and
for hands and print of forms that training never saw. With --sheet, FOLDER gets a picture of what is taken for a digit,
a kind a file, and the curves.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bpcli.core.threads import ThreadGroup
from bpcli.data.datasets import Split
from bpcli.data.drawn import hands, printed
from bpcli.data.drawn.forms import held_out_forms
from bpcli.data.picture.prepare import prepare
from bpcli.data.picture.read import to_grey
from bpcli.data.picture.scale import Grey
from bpcli.data.scenes.kinds import KINDS
from bpcli.data.scenes.look import LUMA
from bpcli.data.scenes.paper import paint
from bpcli.data.sheet import contact_sheet
from bpcli.inference.ensemble import Ensemble
from bpcli.inference.evaluation import read_split_of
from bpcli.inference.predictions import default_min_score
from bpcli.machine import usable_cores
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.find import find_network

Scores = NDArray[np.floating]

COUNT = 300  # pictures a kind
DRAWN = 4000  # drawn and printed digits
SHOWN = 120  # pictures on a sheet
SEED = 4242
LOSSES = (0.001, 0.003, 0.01, 0.03)  # shares of the digits refused
UNLIKE = "ACEFHJKMNPRTUVWXY"
LIKE = "BDGILOQSZ"  # written like 8, 0, 6, 1, 6, 0, 0, 5 and 2
SYMBOLS = "←↓↔⇒∀∂∈∑√∞∩∪≈≠≤∫⊂⊕⊥♥★#@&%$+=×*<>{}?!;~^"
FACES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono-Oblique", "DejaVuSerif", "DejaVuSerif-BoldItalic",
         "STIXGeneral", "STIXGeneralBolIta", "cmr10", "cmss10", "cmtt10")  # fmt: skip


def stream(kind: str, index: int) -> np.random.Generator:
    """The random numbers of a picture."""
    return np.random.default_rng((SEED, *kind.encode(), index))


def glyphs(characters: str, faces: tuple[str, ...]) -> list[Grey]:
    """Printed characters, black on white, in faces that Matplotlib brings along."""
    from matplotlib import get_data_path

    folder = Path(get_data_path()) / "fonts" / "ttf"
    fonts = [ImageFont.truetype(folder / f"{face}.ttf", 120) for face in faces]
    return [_glyph(character, font) for font in fonts for character in characters]


def _glyph(character: str, font: ImageFont.FreeTypeFont) -> Grey:
    picture = Image.new("L", (240, 240), 255)
    ImageDraw.Draw(picture).text((120, 120), character, fill=0, anchor="mm", font=font)
    return to_grey(picture)


def scribble(rng: np.random.Generator) -> Grey:
    """A pen that turns now this way, now that way, for a time that no digit takes."""
    n = int(rng.integers(150, 600))
    turning = np.cumsum(rng.normal(0, 0.05, n)) * 0.15 + rng.normal(0, 0.06)
    heading = np.cumsum(turning) + rng.uniform(0, 2 * np.pi)
    points = np.cumsum(np.column_stack([np.cos(heading), np.sin(heading)]), axis=0)
    low, size = points.min(axis=0), np.ptp(points, axis=0).max()
    picture = Image.new("L", (200, 200), 255)
    places = [(float(x), float(y)) for x, y in 30 + (points - low) * 140 / size]
    ImageDraw.Draw(picture).line(places, fill=0, width=int(rng.integers(3, 14)), joint="curve")
    return to_grey(picture)


def texture(rng: np.random.Generator) -> Grey:
    """Clouds of noise of several sizes, as in photographs of leaves, cloth or skies."""
    total = np.zeros((200, 200), np.float32)
    for cell in (3, 6, 12, 25, 50, 100):
        small = rng.standard_normal((200 // cell + 2,) * 2).astype(np.float32)
        large = np.asarray(Image.fromarray(small).resize((200, 200), Image.Resampling.BICUBIC))
        total += np.float32(cell ** rng.uniform(0.2, 1)) * large
    return np.asarray((total - total.min()) / np.ptp(total), np.float32)


def gradient(rng: np.random.Generator) -> Grey:
    """Light that falls linearly, around a point, or in waves, of 28 to 300 pixels a side."""
    height, width = (28, 28) if rng.random() < 0.3 else tuple(rng.integers(28, 300, 2))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle, (up, left) = rng.uniform(0, 2 * np.pi), rng.uniform(-1, 1, 2)
    along = np.cos(angle) * x + np.sin(angle) * y
    field = (along, np.hypot(x - left, y - up), np.sin(rng.uniform(2, 9) * along + angle))[int(rng.integers(3))]
    low, high = np.sort(rng.uniform(0, 1, 2))
    return np.asarray(low + (high - low) * (field - field.min()) / np.ptp(field), np.float32)


def leaves(rng: np.random.Generator) -> Grey:
    """Discs that lie over each other, as many of a size as in photographs (Lee, Mumford, Huang 2001)."""
    picture = Image.new("L", (200, 200), 128)
    draw = ImageDraw.Draw(picture)
    for _ in range(400):
        radius = min(6 / rng.uniform(0.02, 1) ** 0.5, 90)
        x, y = rng.uniform(-20, 220, 2)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(0, 256)))
    return to_grey(picture.crop((0, 0, 200, 200)))


def patches(count: int) -> list[Grey]:
    """Patches of the photograph that Matplotlib brings along, half of them of a tenth of its side."""
    from matplotlib import cbook

    whole = to_grey(Image.open(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))))
    found = []
    for index in range(count):
        rng = stream("patch", index)
        size = int(rng.integers(40, 80) if index % 2 else rng.integers(80, 300))
        top, left = (int(rng.integers(0, side - size)) for side in whole.shape)
        found.append(whole[top : top + size, left : left + size])
    return found


def paper(kind: str) -> Callable[[np.random.Generator], Grey]:
    """The paper of a kind of scene, without a digit."""

    def made(rng: np.random.Generator) -> Grey:
        look, shape = KINDS[kind](rng), tuple(rng.integers(80, 400, 2))
        return np.asarray(paint(np.zeros(shape, np.float32), look, rng) @ LUMA / 255, np.float32)

    return made


def noise(rng: np.random.Generator) -> Grey:
    """Noise in every pixel."""
    return rng.random(tuple(rng.integers(28, 250, 2)), np.float32)


GENERATED: dict[str, Callable[[np.random.Generator], Grey]] = {
    "scribbles": scribble,
    "textures": texture,
    "gradients": gradient,
    "leaves": leaves,
    "paper under a lamp": paper("lamp"),
    "paper of photographs": paper("photograph"),
    "noise": noise,
}


def kinds() -> Iterator[tuple[str, list[Grey]]]:
    """Each kind of what is no digit, with its pictures."""
    yield "letters unlike digits", glyphs(UNLIKE, FACES)
    yield "letters like digits", glyphs(LIKE, FACES)
    yield "symbols", glyphs(SYMBOLS, ("DejaVuSans", "DejaVuSans-Bold", "STIXGeneral"))
    for name, make in GENERATED.items():
        yield name, [make(stream(name, index)) for index in range(COUNT)]
    yield "patches of a photograph", patches(COUNT)


class Network(NamedTuple):
    """A committee of one network or more, with the least score at which it answers."""

    members: list[Checkpoint]
    least: float

    def best(self, images: NDArray[np.uint8]) -> Scores:
        """The scores of images (n, classes)."""
        return Ensemble([member.model for member in self.members]).scores(images, ThreadGroup(usable_cores()))


class Judged(NamedTuple):
    """The pictures of a kind that the steps don't refuse, how many there were, and the scores of the pictures."""

    images: NDArray[np.uint8]
    total: int
    scores: Scores

    def refused(self, least: float) -> float:
        """The share refused."""
        return 1 - float((self.scores.max(axis=1) >= least).sum()) / self.total


def judged(network: Network, pictures: list[Grey]) -> Judged:
    """The pictures as the network sees them, with its scores."""
    side = network.members[0].spec.side
    seen = [found.pixels for found in (prepare(picture, side=side) for picture in pictures) if found.pixels is not None]
    images = np.stack(seen) if seen else np.empty((0, side, side), np.uint8)
    return Judged(images, len(pictures), network.best(images))


def auroc(digits: Scores, others: Judged) -> float:
    """The probability that a digit scores higher than a picture of a kind; a refused picture has the score 0."""
    ranks = np.sort(np.concatenate([others.scores.max(axis=1), np.zeros(others.total - len(others.images))]))
    below, up_to = (np.searchsorted(ranks, digits, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / others.total)


def report_digits(network: Network, name: str, split: Split) -> None:
    """Print how many digits are refused, and how many right answers among them."""
    scores = network.best(split.images)
    low, right = scores.max(axis=1) < network.least, scores.argmax(axis=1) == split.labels
    print(f"{name:26}{len(split):6}{low.mean():9.2%}{low[right].mean():9.2%}{1 - right.mean():9.2%}")


def sheet(of: Judged) -> bytes:
    """A PNG of the pictures with the highest scores."""
    best = of.scores.max(axis=1)
    order = np.argsort(-best)[:SHOWN]
    shown = of.images[order].reshape(len(order), -1)
    return contact_sheet(shown, [f"{of.scores[i].argmax()} {best[i]:.3f}" for i in order])


def plot(found: dict[str, Judged], digits: Scores, path: Path) -> None:
    """Write the curves: refused pictures of each kind against refused digits."""
    from matplotlib.figure import Figure

    losses = np.geomspace(1e-4, 0.2, 60)
    axes = (figure := Figure(figsize=(8, 5), layout="constrained")).subplots()
    for name, of in found.items():
        axes.plot(100 * losses, [100 * of.refused(np.quantile(digits, loss)) for loss in losses], label=name)
    axes.set(xscale="log", xlabel="digits refused, %", ylabel="refused of what is no digit, %", ylim=(0, 101))
    axes.legend(fontsize=8, loc="lower right")
    figure.savefig(path)


def report(network: Network, split: Split, folder: Path | None) -> None:
    """Print the tables, and write the sheets and the curves into the folder."""
    digits = network.best(split.images).max(axis=1)
    least = [float(np.quantile(digits, loss)) for loss in LOSSES]
    found = {}
    heads = "".join(f"{f'{loss:.1%}':>8}" for loss in LOSSES)
    print(f"{'refused of':26}{'':>6}{f'at {network.least:g}':>9}{'by steps':>9}{'AUROC':>8}{heads}")
    for name, pictures in kinds():
        of = found[name] = judged(network, pictures)
        curve = "".join(f"{of.refused(each):8.1%}" for each in least)
        steps = 1 - len(of.images) / of.total
        print(f"{name:26}{of.total:6}{of.refused(network.least):9.1%}{steps:9.1%}{auroc(digits, of):8.4f}{curve}")
        if folder is not None and len(of.images):
            (folder / f"{name.replace(' ', '-')}.png").write_bytes(sheet(of))
    if folder is not None:
        plot(found, digits, folder / "curves.png")


def main() -> None:
    """Read the arguments, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="*")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--sheet", type=Path)
    chosen = parser.parse_args()
    members = [checkpoint.load(find_network(name)) for name in chosen.network or [None]]
    network = Network(members, default_min_score(members))
    split = read_split_of(members[0].model, chosen.split)
    if chosen.sheet is not None:
        chosen.sheet.mkdir(parents=True, exist_ok=True)
    report(network, split, chosen.sheet)
    print(f"\n{'digits':26}{'':>6}{'refused':>9}{'of right':>9}{'wrong':>9}")
    report_digits(network, f"MNIST, {chosen.split}", split)
    for name, kind in (("hands never seen", hands), ("print never seen", printed)):
        report_digits(network, name, kind.draw(DRAWN, SEED, split.side, held_out_forms(kind.all_forms())))


if __name__ == "__main__":
    main()
