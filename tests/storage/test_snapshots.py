"""Snapshots: which are kept, what they hold, and that nothing damaged is believed."""

from pathlib import Path

import numpy as np
import pytest

from bpcli.core.parameters import Layer
from bpcli.errors import CheckpointError
from bpcli.storage import snapshots
from bpcli.storage.snapshots import FOLDER, MAX_LENGTH, MOST, kept
from tests.reliability.disks import QUICK

PIXELS = 64
CONFUSION = np.arange(9, dtype=np.int64).reshape(3, 3) * 70_000


def layer(width: int, pixels: int = PIXELS, seed: int = 0) -> Layer:
    weights = np.random.default_rng(seed).standard_normal((pixels, width)).astype(np.float32)
    return Layer(weights, np.zeros(width, np.float32))


def epochs_in(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in (folder / FOLDER).iterdir())


def test_at_most_forty_evenly_spread_epochs_are_kept() -> None:
    for epochs in range(1, 700):
        chosen = sorted(kept(epochs, 1))
        assert (chosen[0], chosen[-1]) == (1, epochs)
        assert len(chosen) == epochs or MOST // 2 <= len(chosen) <= MOST
        gaps = np.diff(chosen)
        assert len(gaps) < 3 or np.unique(gaps[1:-1]).size == 1
        for best, before in ((1, 1), (epochs, 1), (37, 37)):
            if best <= epochs > 1:  # each was there already, and the best is
                assert best in kept(epochs, best) <= kept(epochs - 1, min(before, epochs - 1)) | {epochs}
    assert max(kept(100_000, 77)) == 100_000


def test_a_snapshot_comes_back_to_a_127th(tmp_path: Path) -> None:
    first = layer(100)
    first.weight[:, 50] = 0  # a unit without any weight
    for epoch in (1, 2):
        snapshots.add(tmp_path, epoch, epoch, first, CONFUSION)
    found = snapshots.read(tmp_path, 100, PIXELS, 3)
    assert [each.epoch for each in found] == [1, 2]
    units = found[1].units
    assert len(units) == 48
    assert 50 in units
    assert set(np.diff(units)) == {2, 3}
    weights = first.weight.T[units]
    assert (abs(found[1].weights - weights) <= abs(weights).max(axis=1, keepdims=True) / 254 + 1e-6).all()
    np.testing.assert_array_equal(found[1].confusion, CONFUSION)
    snapshots.add(tmp_path, 3, 3, first, None)
    assert snapshots.read(tmp_path, 100, PIXELS, 3)[-1].confusion is None


def test_the_largest_snapshot_is_small(tmp_path: Path) -> None:
    for pixels in (28**2, 64**2, 8**2):
        snapshots.add(tmp_path, 1, 1, layer(2000, pixels), np.zeros((100, 100), np.int64))
        assert (tmp_path / FOLDER / "000001.npz").stat().st_size <= MAX_LENGTH


def test_epochs_are_thinned_out_and_redone_ones_removed(tmp_path: Path) -> None:
    small = layer(1, 4)
    for epoch in range(1, 91):
        snapshots.add(tmp_path, epoch, max(epoch // 7 * 7, 1), small, None, QUICK)
        assert epochs_in(tmp_path) == sorted(kept(epoch, max(epoch // 7 * 7, 1)))
    (tmp_path / FOLDER / ".000091.npz.7.tmp").touch()
    snapshots.repair(tmp_path, 83)
    assert epochs_in(tmp_path) == [1, *range(4, 84, 4)]
    for epoch in range(84, 91):
        snapshots.add(tmp_path, epoch, max(epoch // 7 * 7, 1), small, None, QUICK)
    assert epochs_in(tmp_path) == sorted(kept(90, 84))


def test_a_run_without_snapshots_has_none(tmp_path: Path) -> None:
    snapshots.repair(tmp_path, 3)
    assert snapshots.read(tmp_path, 5, PIXELS, 3) == ()
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize(
    ("name", "width", "classes", "reason"),
    [
        ("000001.npz", 7, 3, "reach is"),
        ("000001.npz", 5, 4, "confusion is"),
        ("000002.npz", 5, 3, "it is of epoch 1"),
        ("torn", 5, 3, "it doesn't end as one"),
        ("large", 5, 3, "it is larger than 100,000 bytes"),
        ("000001.npz", 5, 3, ""),
    ],
)
def test_a_damaged_snapshot_is_refused(tmp_path: Path, name: str, width: int, classes: int, reason: str) -> None:
    snapshots.add(tmp_path, 1, 1, layer(5), CONFUSION)
    path = tmp_path / FOLDER / "000001.npz"
    content = {"torn": path.read_bytes()[:-9], "large": bytes(MAX_LENGTH + 1)}.get(name, path.read_bytes())
    path.write_bytes(content)
    path = path.rename(path.with_name(name if name.endswith("z") else path.name))
    if not reason:
        assert len(snapshots.read(tmp_path, width, PIXELS, classes)) == 1
        return
    with pytest.raises(
        CheckpointError, match=rf"{path.name}: not a snapshot of this run, or damaged: {reason}"
    ) as told:
        snapshots.read(tmp_path, width, PIXELS, classes)
    assert str(told.value).endswith("remove it, and the report does without it")
