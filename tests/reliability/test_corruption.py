"""Damage: every single bit that flips and every truncation of a checkpoint is noticed."""

import io
import os
import random
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.data.spec import MNIST
from bpcli.errors import CheckpointError
from bpcli.storage import checkpoint
from bpcli.training.builders import first_state
from tests.reliability import hostile

CONFIG = configuration.load("default", ["model.hidden=[1]"])


@pytest.fixture
def whole() -> bytes:
    """The smallest checkpoint to go on from, 11.5 KB."""
    state = first_state(CONFIG, MNIST)
    (velocity,) = state.optimizer_state
    velocity[:] = np.linspace(-1, 1, velocity.size)
    return checkpoint.to_bytes(checkpoint.of_state(CONFIG, MNIST, state, {"workers": 1}))


def flips(content: bytes, bits: Iterator[int] | range) -> Iterator[bytes]:
    changed = bytearray(content)
    for bit in bits:
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)
        changed[bit // 8] ^= 1 << bit % 8


class InMemory:
    """Stands for the path of a file that is on no disk."""

    suffix = ".npz"

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stat(self) -> os.stat_result:
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, len(self._content), 0, 0, 0))

    def open(self, mode: str) -> io.BytesIO:
        assert mode == "rb"
        return io.BytesIO(self._content)


def load(content: bytes) -> checkpoint.Checkpoint:
    return checkpoint.load(cast("Path", InMemory(content)))


def all_refused(damaged: Iterator[bytes]) -> int:
    count = 0
    for content in damaged:
        with pytest.raises(CheckpointError):
            load(content)
        count += 1
    return count


def test_a_bit_of_every_byte(whole: bytes) -> None:
    rng = random.Random(5)
    bits = (8 * byte + rng.randrange(8) for byte in range(0, len(whole), 5))
    assert all_refused(flips(whole, bits)) == -(-len(whole) // 5)


def test_many_truncations(whole: bytes) -> None:
    assert all_refused(whole[:length] for length in range(0, len(whole), 7)) > 1000


@pytest.mark.torture
def test_every_bit(whole: bytes) -> None:
    assert all_refused(flips(whole, range(8 * len(whole)))) == 8 * len(whole)


@pytest.mark.torture
def test_every_truncation(whole: bytes) -> None:
    assert all_refused(whole[:length] for length in range(len(whole))) == len(whole)


def test_the_zips_own_bits_are_noticed_even_with_a_hash_that_is_right() -> None:
    """What a stranger may write, where a flip changes what is read or makes it inconsistent."""
    whole = hostile.good()
    locals_, entries, end = hostile.places(whole)
    harmless = {entry + offset for entry in entries for offset in (4, 5, *range(36, 42))}  # made by; attributes
    spots = [place for start in locals_ for place in range(start, start + 30)] + list(range(entries[0], end + 22))
    for place in spots:
        if place in harmless:
            continue
        for bit in range(8):
            content = hostile.patched(whole, (place, bytes([whole[place] ^ 1 << bit])))
            with pytest.raises(CheckpointError):
                load(content)


def test_numpy_reads_what_is_read(tmp_path: Path, whole: bytes) -> None:
    """A second reader, which shares no line with ours."""
    (tmp_path / "file").write_bytes(whole)
    loaded = checkpoint.load(tmp_path / "file")
    assert loaded.parameters.tobytes() == load(whole).parameters.tobytes()
    with np.load(io.BytesIO(whole)) as arrays:
        found = [arrays[f"layer{n}.{kind}"] for n in (1, 2) for kind in ("weight", "bias")]
    assert np.array_equal(np.concatenate([array.ravel(order="F") for array in found]), loaded.parameters)
