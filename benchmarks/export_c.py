"""Exported C: accuracy, sizes and speed of networks, with float32 and with int8 weights.

    python benchmarks/export_c.py [NETWORK ...] [--cc COMMAND] [--rounds N]

NETWORK is a run or a file; by default the last run, else the network that comes with bpcli. Each is exported twice,
compiled with -O2, and run on one core over the test images of its data set. The table tells the accuracy of the model
and of the program, the bytes of the header, of the compiled code with its constants, of static memory and of the arrays
on the stack, and how many images the program labels in a second: the median of the rounds.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bpcli.data.datasets import Split
from bpcli.export.c import c
from bpcli.export.member import Member
from bpcli.export.quantize import calibration, quantize
from bpcli.inference.evaluation import read_split_of
from bpcli.storage import checkpoint
from bpcli.storage.find import find_network

MAIN = r"""
#include "network.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int count, char **arguments)
{
    const size_t n = (size_t)atol(arguments[count - 1]);
    uint8_t *images = malloc(n * BPCLI_PIXELS), *labels = malloc(n);
    float scores[BPCLI_CLASSES];
    size_t right = 0;
    clock_t start;

    if (fread(images, BPCLI_PIXELS, n, stdin) != n || fread(labels, 1, n, stdin) != n)
        return 1;
    start = clock();
    for (size_t i = 0; i < n; i++)
        right += bpcli_predict(images + i * BPCLI_PIXELS, scores) == labels[i];
    printf("%zu %f\n", right, (double)(clock() - start) / CLOCKS_PER_SEC);
    return 0;
}
"""


class Measured(NamedTuple):
    """What was measured of a header: its bytes, those of the compiled object, the accuracy and images a second."""

    header: int
    constant: int
    static: int
    stack: str
    accuracy: float
    speed: float


def measured(member: Member, split: Split, compiler: str, rounds: int) -> Measured:
    """Compile a network and run it over a split."""
    text = c([member])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "network.h").write_bytes(text)
        (folder / "network.c").write_text('#define BPCLI_IMPLEMENTATION\n#include "network.h"\n', encoding="utf-8")
        (folder / "main.c").write_text(MAIN, encoding="utf-8")
        run([compiler, "-std=c99", "-O2", "-c", "network.c"], folder)
        run([compiler, "-std=c99", "-O2", "main.c", "network.o", "-o", "main", "-lm"], folder)
        code, data, bss = map(int, run(["size", "network.o"], folder).splitlines()[1].split()[:3])
        said = [
            run(["./main", str(len(split))], folder, split.images.tobytes() + split.labels.tobytes()).split()
            for _ in range(rounds)
        ]
    stack = text.decode().split(" bytes of the stack")[0].split()[-1]
    speed = len(split) / median(float(seconds) for _, seconds in said)
    return Measured(len(text), code, data + bss, stack, int(said[0][0]) / len(split), speed)


def run(command: list[str], folder: Path, stdin: bytes = b"") -> str:
    """Return what a program writes to stdout."""
    return subprocess.run(command, cwd=folder, input=stdin, stdout=subprocess.PIPE, check=True).stdout.decode()


def both(member: Member) -> Iterator[tuple[str, Member]]:
    """Yield a network as it is, and quantized."""
    yield "float32", member
    images = read_split_of(member.model, "train").images
    yield "int8", member._replace(quantized=quantize(member.model, calibration(images)))


def report(name: str | None, compiler: str, rounds: int) -> None:
    """Print the rows of a network."""
    path = find_network(name)
    member = Member(checkpoint.load(path), "")
    split = read_split_of(member.model, "test")
    own = float((member.model.scores(split.images).argmax(axis=1) == split.labels).mean())
    title = "-".join(map(str, member.model.network.sizes)) + (", deslanted" * member.model.preprocessing.deslant)
    print(f"\n{title}: {own:.2%} in bpcli")
    for kind, each in both(member):
        of = measured(each, split, compiler, rounds)
        print(
            f"{kind:10}{of.accuracy:9.2%}{of.header:13,}{of.constant:12,}{of.static:8,}{of.stack:>9}"
            f"{round(of.speed, -2):14,.0f}"
        )


def main() -> None:
    """Parse the command line, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="*")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print(f"{'weights':10}{'right':>9}{'header':>13}{'flash':>12}{'static':>8}{'stack':>9}{'images a second':>16}")
    for name in chosen.network or [None]:
        report(name, chosen.cc, chosen.rounds)


if __name__ == "__main__":
    main()
