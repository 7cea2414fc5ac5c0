"""Writes what the other processes read: the training digits as arrays for the peers, and test digits as pictures.

python -m benchmarks.prepare FOLDER
"""

import sys
from pathlib import Path

from benchmarks.contenders import data
from bpcli import config as configuration
from bpcli.data.datasets import read_split
from bpcli.data.picture.write import to_png
from bpcli.data.spec import MNIST

PICTURES = 1000


def main() -> None:
    """Writes into the folder that the argument names."""
    folder, wanted = Path(sys.argv[1]), configuration.load("default", []).data
    training = read_split(wanted.folder, "train", wanted.validation, MNIST)
    data.write(folder, training.images, training.labels)
    digits = folder / "digits"
    digits.mkdir()
    test = read_split(wanted.folder, "test", wanted.validation, MNIST)
    for number, image in enumerate(test.first(PICTURES).images):
        (digits / f"{number:04}.png").write_bytes(to_png(image.reshape(28, 28)))


if __name__ == "__main__":
    main()
