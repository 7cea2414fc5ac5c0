"""result.json: written, read, removed, and refused where it is something else."""

from pathlib import Path

import pytest

from bpcli.errors import CheckpointError
from bpcli.storage import outcome
from bpcli.storage.outcome import Outcome


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert outcome.read(tmp_path) is None
    ended = Outcome(3, 2, train_accuracy=0.5, test_accuracy=0.25, warning="a", failed="b")
    outcome.write(tmp_path, ended)
    assert outcome.read(tmp_path) == ended
    outcome.remove(tmp_path)
    outcome.remove(tmp_path)
    assert outcome.read(tmp_path) is None


@pytest.mark.parametrize(
    "content", [b"", b"[", b"[]", b"{}", b'{"epochs": 1, "best_epoch": 1, "test_accuracy": 2}', b"\xff", b"[" * 50_000]
)
def test_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "result.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"result\.json: not the result of a run"):
        outcome.read(tmp_path)
