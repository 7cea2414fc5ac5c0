"""Networks of every shape, trained for a moment, and the images on which programs are compared."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bpcli import config as configuration
from bpcli import resources
from bpcli.core.types import Array, Bytes
from bpcli.data.datasets import read_split
from bpcli.export.member import Member
from bpcli.export.quantize import quantize
from bpcli.export.quantize import scores as quantized_answers
from bpcli.storage import checkpoint
from bpcli.training.run import recorded_training
from tests.conftest import idx_bytes, write_mnist

CLOSE = 1e-5  # how far scores may be apart
MANY = 10_000  # images
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALL = "relu, leaky_relu, elu, gelu, sigmoid, tanh, identity"


def packaged() -> list[Member]:
    return [Member(checkpoint.load(resources.pretrained()), "")]


def trained(*settings: str, write: Callable[[Path], object] = write_mnist) -> Member:
    """A network of a configuration after two epochs of few images."""
    with TemporaryDirectory() as folder:
        data, run = Path(folder, "data"), Path(folder, "run")
        write(data)
        brief = [f"data.folder={data}", "data.validation=100", "train.epochs=2", "train.batch_size=32", *settings]
        list(recorded_training(configuration.load("default", brief), "default", run))
        return Member(checkpoint.load(run / "best.npz"), "")


def patterns(n: int) -> tuple[Bytes, Bytes]:
    """Images (n, 28, 28) of 26 classes, a pattern each, and noise; and their labels."""
    rng = np.random.default_rng(0)
    drawn, labels = rng.integers(0, 200, (len(LETTERS), 28, 28)), (np.arange(n) % len(LETTERS)).astype(np.uint8)
    return (drawn[labels] + rng.integers(0, 55, (n, 28, 28))).astype(np.uint8), labels


def write_patterns(folder: Path) -> None:
    folder.mkdir()
    for prefix, n in (("train", 780), ("t10k", 260)):
        images, labels = patterns(n)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    (folder / "classes.txt").write_text("\n".join(LETTERS), encoding="utf-8")


CASES: Mapping[str, Callable[[], list[Member]]] = {
    "packaged": packaged,
    "default": lambda: [trained()],
    "deep": lambda: [trained("model.hidden=[48, 44, 40, 36, 32, 28, 24]", f"model.activation=[{_ALL}]")],
    "committee": lambda: [
        trained("model.hidden=[32]", f"seed={seed}", f"data.deslant={'true' if seed else 'false'}") for seed in range(3)
    ],
    "widths": lambda: [
        trained("model.hidden=[64]", f"seed={width}", f"data.width={width}", f"data.deslant={width < 20}")
        for width in (10, 20)
    ],
    "regression": lambda: [trained("model.hidden=[]", "model.output=softmax", "loss=cross_entropy")],
    "letters": lambda: [trained("model.hidden=[32]", write=write_patterns)],
}


@cache
def case(name: str) -> list[Member]:
    return CASES[name]()


@cache
def images(name: str) -> Bytes:
    """MNIST's 10,000 test images, or as many of patterns, (n, 28, 28)."""
    if name == "letters":
        return patterns(MANY)[0]
    return read_split(resources.mnist(), "test", 0).images.reshape(MANY, 28, 28)


@cache
def scores(name: str) -> Array:
    """What bpcli answers for them."""
    return mean(case(name), images(name))


def mean(members: Sequence[Member], pictures: Bytes) -> Array:
    answers: Array = np.mean([member.model.scores(pictures) for member in members], axis=0)
    return answers


@cache
def quantized(name: str) -> list[Member]:
    """The networks with int8 weights, calibrated on a part of the images."""
    return [each._replace(quantized=quantize(each.model, images(name)[::5])) for each in case(name)]


@cache
def quantized_scores(name: str) -> Array:
    """What bpcli answers with these."""
    found: Array = np.mean(
        [quantized_answers(each.quantized, images(name)) for each in quantized(name) if each.quantized], axis=0
    )
    return found
