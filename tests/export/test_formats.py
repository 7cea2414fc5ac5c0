"""The table of formats, and networks as bpcli's own files."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from bpcli.errors import ArgumentError
from bpcli.export.formats import FORMATS, chosen, content
from bpcli.storage import checkpoint
from tests.export.networks import member


@pytest.mark.parametrize("kind", FORMATS)
def test_a_files_name_chooses_its_format(kind: str) -> None:
    assert chosen(None, Path(f"x{FORMATS[kind].suffix}")) == kind
    assert chosen(kind, Path(f"x{FORMATS[kind].suffix.upper()}")) == kind


@pytest.mark.parametrize("name", [None, Path("network"), Path("network.bin")])
def test_any_other_name_is_of_any_format_by_default_of_onnx(name: Path | None) -> None:
    assert chosen(None, name) == "onnx"
    assert chosen("npz", name) == "npz"


def test_a_name_that_promises_another_format_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^x\.npz: is written as onnx; its name should end in \.onnx$"):
        chosen("onnx", Path("x.npz"))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_bytes_again(kind: str) -> None:
    assert content(kind, [member()]) == content(kind, [member()])
    assert content(kind, [member()]) != content(kind, [member(seed=1)])


def test_a_committee_is_refused_where_a_file_holds_one_network() -> None:
    with pytest.raises(ArgumentError, match="npz holds one network, not 2; choose onnx or safetensors"):
        content("npz", [member(), member(seed=1)])


def test_an_npz_is_the_network_without_what_training_needs(trained: Path, tmp_path: Path) -> None:
    last = checkpoint.load(trained / "last.npz")
    made = content("npz", [member()._replace(checkpoint=last)])
    Path("alone.npz").write_bytes(made)
    alone = checkpoint.load(Path("alone.npz"))
    assert (alone.optimizer_state, alone.best, alone.progress) == ((), None, None)
    kept = ("config", "spec", "epoch", "metrics", "environment")
    assert [getattr(alone, name) for name in kept] == [getattr(last, name) for name in kept]
    assert np.array_equal(alone.parameters, last.parameters)
    with np.load(BytesIO(made)) as arrays:
        assert {*arrays.files} == {
            "format_version", "meta", *(f"layer{n}.{kind}" for n in (1, 2) for kind in ("weight", "bias")),
        }  # fmt: skip
