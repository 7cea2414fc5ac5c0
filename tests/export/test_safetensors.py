"""The format of safetensors, read back by its description."""

import json
import struct

import numpy as np

from bpcli.export.member import tensors
from bpcli.export.safetensors import safetensors
from tests.export.networks import member


def test_the_arrays_stand_where_the_header_says_one_after_another() -> None:
    members = [member("model.hidden=[5, 4]"), member(seed=1)]
    content = safetensors(members)
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    assert length % 8 == 0
    assert content[8:9] == b"{"
    about, reached = header.pop("__metadata__"), 0
    for (name, entry), (expected, array) in zip(header.items(), tensors(members).items(), strict=True):
        start, end = entry["data_offsets"]
        assert (name, entry["dtype"], start) == (expected, "F32", reached)
        assert np.array_equal(np.frombuffer(data[start:end], "<f4").reshape(entry["shape"]), array)
        reached = end
    assert reached == len(data)
    assert about["format"] == "np"
    assert all(isinstance(text, str) for text in about.values())
    assert json.loads(about["member1.sizes"]) == [784, 5, 4, 10]
