"""Writes what the other processes read: the training digits as arrays for the peers, and test digits as pictures.

python -m benchmarks.prepare FOLDER
"""

import sys
from pathlib import Path

from benchmarks.contenders import data
from bpcli import config as configuration
from bpcli.data.picture.write import to_png
from bpcli.training.run import read_data

PICTURES = 1000


def main() -> None:
    """Writes into the folder that the argument names."""
    folder, config = Path(sys.argv[1]), configuration.load("default", [])
    training = read_data(config, "train")
    data.write(folder, training.images, training.labels)
    digits = folder / "digits"
    digits.mkdir()
    for number, image in enumerate(read_data(config, "test").images[:PICTURES]):
        (digits / f"{number:04}.png").write_bytes(to_png(image.reshape(28, 28)))


if __name__ == "__main__":
    main()
