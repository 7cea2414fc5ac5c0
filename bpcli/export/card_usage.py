"""The part of a model card that says how to use the network: lines to paste, for each format."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from bpcli.data.spec import DataSpec
from bpcli.inference.ensemble import MEAN, Combination
from bpcli.machine import quote


def usage(kind: str, files: Sequence[str], spec: DataSpec, how: Combination = MEAN) -> Iterator[str]:
    """Yield the lines of Markdown.

    Args:
        kind: the format, as in `formats.FORMATS`; "" for checkpoints.
        files: the names of the files.
        spec: the images that the network takes.
        how: how several networks answer together.
    """
    return _USAGES[kind](files, spec.side) if kind in _USAGES else _bpcli(files, how)


def _bpcli(files: Sequence[str], how: Combination) -> Iterator[str]:
    said = {"combine": how.rule} | ({"weights": "validation"} if how.weights else {}) if how != MEAN else {}
    options = " ".join([*(f"-m {quote(name)}" for name in files), *(f"--{key} {value}" for key, value in said.items())])
    names = ", ".join([*map(_text, files), *(f'{key}="{value}"' for key, value in said.items())])
    yield "With bpcli, in a terminal:"
    yield from _block("console", f"$ bpcli predict {options} photo.png")
    yield "and in Python:"
    load = "load" if len(files) == 1 else "load_ensemble"
    made = f"model = bpcli.{load}({names})"
    yield from _block("python", "import bpcli", "", made, 'print(model.predict("photo.png"))')


def _onnx(files: Sequence[str], side: int) -> Iterator[str]:
    yield f"With ONNX Runtime; `images` are bytes, (n, {side}, {side}):"
    yield from _block(
        "python",
        "import numpy as np",
        "import onnxruntime",
        "",
        f"session = onnxruntime.InferenceSession({_text(files[0])})",
        f"images = np.zeros((1, {side}, {side}), np.uint8)",
        'scores, labels = session.run(["scores", "label"], {"images": images})',
    )


def _safetensors(files: Sequence[str], side: int) -> Iterator[str]:
    yield "The weights and biases, as NumPy arrays:"
    loaded = f"tensors = load_file({_text(files[0])})"
    yield from _block("python", "from safetensors.numpy import load_file", "", loaded, "print(sorted(tensors))")


def _c(files: Sequence[str], side: int) -> Iterator[str]:
    yield f"In C99; `pixels` are {side * side} bytes:"
    yield from _block("c", "#define BPCLI_IMPLEMENTATION", f'#include "{files[0]}"')
    yield "`int label = bpcli_predict(pixels, scores);` returns the class, and writes a score for each."


def _text(name: str) -> str:
    """Return a name as a text of Python."""
    return json.dumps(name, ensure_ascii=False)


def _block(language: str, *lines: str) -> Iterator[str]:
    yield from ("", f"```{language}", *lines, "```", "")


_USAGES: Mapping[str, Callable[[Sequence[str], int], Iterator[str]]] = {
    "onnx": _onnx,
    "safetensors": _safetensors,
    "c": _c,
}
