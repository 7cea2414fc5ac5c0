"""Exported C, compiled with every warning as an error, and run."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from bpcli.export.c import c
from bpcli.export.member import Member
from bpcli.export.quantize import QuantizedNetwork
from bpcli.model import Model
from bpcli.storage.checkpoint import Checkpoint
from tests.children import HANGS

# without fused multiplications and additions, which some processors have, deslanting gives the same bits as NumPy
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-pedantic", "-ffp-contract=off"]

MAIN = r"""
#define BPCLI_IMPLEMENTATION
#include "network.h"
#include <stdio.h>
#include <string.h>

int main(void)
{
    uint8_t pixels[BPCLI_PIXELS];
    float scores[BPCLI_CLASSES];

    for (int c = 0; c < BPCLI_CLASSES; c++)
        fwrite(bpcli_class_names[c], 1, 1 + strlen(bpcli_class_names[c]), stdout);
    while (fread(pixels, 1, BPCLI_PIXELS, stdin) == BPCLI_PIXELS) {
        const int32_t label = bpcli_predict(pixels, scores);

        fwrite(&label, sizeof label, 1, stdout);
        fwrite(scores, sizeof scores, 1, stdout);
    }
    return 0;
}
"""


def may_skip(environment: Mapping[str, str]) -> bool:
    """Whether tests of exported C are skipped: where there is no `cc`, but not in CI; Windows has none of that name."""
    missing = shutil.which("cc", path=environment.get("PATH")) is None
    return os.name == "nt" or (missing and "CI" not in environment)


needs_cc = pytest.mark.skipif(may_skip(os.environ), reason="there is no C compiler")


class Answers(NamedTuple):
    """What the program says: the names of the classes, and for n images the labels (n,) and scores (n, classes)."""

    names: tuple[str, ...]
    labels: NDArray[np.int32]
    scores: NDArray[np.float32]


def header(model: Model, quantized: QuantizedNetwork | None = None) -> str:
    """The exported header of a network that was never trained."""
    return c([Member(Checkpoint(model.config, model.spec, 1, {}, model.parameters), "0" * 64, quantized)]).decode()


def answers(text: str, images: NDArray[np.uint8], folder: Path, *flags: str) -> Answers:
    """The answers of a header's network, from a program compiled in a folder."""
    (folder / "network.h").write_text(text, encoding="utf-8")
    (folder / "main.c").write_text(MAIN, encoding="utf-8")
    run(["cc", *FLAGS, *flags, "main.c", "-o", "main", "-lm"], folder)
    said = run(["./main"], folder, images.tobytes())
    count = int(text.split("#define BPCLI_CLASSES ")[1].split()[0])
    *names, numbers = said.split(b"\0", count)
    rows = np.frombuffer(numbers, np.uint8).reshape(len(images), 4 + 4 * count)
    return Answers(
        tuple(name.decode() for name in names),
        rows[:, :4].copy().view(np.int32)[:, 0],
        rows[:, 4:].copy().view(np.float32),
    )


def run(command: list[str], folder: Path, stdin: bytes = b"") -> bytes:
    """What a program writes to stdout; it must not fail or complain."""
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, check=False, timeout=HANGS)
    assert (done.returncode, done.stderr.decode()) == (0, ""), done.stderr.decode()
    return done.stdout
