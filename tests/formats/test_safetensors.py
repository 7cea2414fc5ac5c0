"""What the library of safetensors reads in exported networks."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from bpcli.export.member import metadata, tensors
from bpcli.export.safetensors import safetensors
from tests.formats.networks import case

pytestmark = pytest.mark.formats


@pytest.mark.parametrize("name", ["packaged", "committee"])
def test_the_library_reads_every_bit(name: str, tmp_path: Path) -> None:
    path, members = tmp_path / "x.safetensors", case(name)
    path.write_bytes(safetensors(members))
    expected = tensors(members)
    with safe_open(path, "np") as file:
        assert {*file.keys()} == {*expected}
        for key, array in expected.items():
            found = file.get_tensor(key)
            assert (found.dtype, found.shape) == (np.float32, array.shape)
            assert found.tobytes() == np.ascontiguousarray(array).tobytes()
        assert file.metadata() == {"format": "np", **metadata(members)}
