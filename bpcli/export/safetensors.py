"""The format of safetensors: a JSON header with the names, types and places of arrays, then their bytes.

Format: https://github.com/huggingface/safetensors#format
"""

import json
import struct
from collections.abc import Mapping, Sequence

import numpy as np

from bpcli.core.types import Array
from bpcli.export.member import Member, metadata, tensors
from bpcli.inference.ensemble import MEAN, Combination

_ALIGNMENT = 8  # bytes to which the header is filled up with blanks, so that the arrays' addresses are even


def safetensors(members: Sequence[Member], how: Combination = MEAN) -> bytes:
    """Return a file of the networks' weights and biases, with their names and shapes in a checkpoint."""
    return file_of(tensors(members), {"format": "np", **metadata(members, how)})


def file_of(arrays: Mapping[str, Array], about: Mapping[str, str]) -> bytes:
    """Return a file of float32 arrays, in their order, and of texts about them."""
    contents = [np.ascontiguousarray(array, "<f4").tobytes() for array in arrays.values()]
    header: dict[str, object] = {"__metadata__": dict(about)}
    start = 0
    for (name, array), content in zip(arrays.items(), contents, strict=True):
        end = start + len(content)
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [start, end]}
        start = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return b"".join((struct.pack("<Q", len(text)), text, *contents))
