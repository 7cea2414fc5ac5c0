"""The cache: what was saved comes back whole or not at all."""

import os
import sys
from errno import EROFS
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import pytest

from bpcli import resources
from bpcli.data.folder import cache
from bpcli.data.folder.cache import Table, file_for, load, save
from bpcli.data.folder.preparing import Way

WAY = Way(2, False)
TABLE = Table(np.array([3, 2**64 - 1], np.uint64), np.arange(8, dtype=np.uint8).reshape(2, 4), {1: "blank: ∅"})


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.prepared"
    save(path, TABLE)
    found = load(path, 2, WAY)
    assert found is not None
    assert (found.places.tolist(), found.images.tolist(), found.reasons) == (
        TABLE.places.tolist(), TABLE.images.tolist(), TABLE.reasons,
    )  # fmt: skip
    assert [each.name for each in path.parent.iterdir()] == ["x.prepared"]


def test_a_damaged_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.prepared"
    save(path, TABLE)
    whole = path.read_bytes()
    for damaged in (whole[:-1], b"", whole[:40] + b"!" + whole[41:], whole + b" "):
        path.write_bytes(damaged)
        assert load(path, 2, WAY) is None


def test_a_file_of_something_else_is_none(tmp_path: Path) -> None:
    save(tmp_path / "x.prepared", TABLE)
    assert load(tmp_path / "x.prepared", 3, WAY) is None


def test_a_cache_that_can_not_be_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    save(tmp_path / "file" / "x.prepared", TABLE)
    assert load(tmp_path / "file" / "x.prepared", 2, WAY) is None


def test_the_files_name_depends_on_contents_and_preparation(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = [file_for([b"a"], way) for way in (WAY, Way(3, False), Way(2, True))]
    assert len({*ways, file_for([b"b"], WAY)}) == 4
    assert file_for([b"a"], WAY) == ways[0]
    monkeypatch.setattr(cache, "_preparation", lambda: "another")
    assert file_for([b"a"], WAY) != ways[0]
    monkeypatch.setenv("BPCLI_CACHE_DIR", "elsewhere")
    assert file_for([b"a"], WAY).parent == resources.cache() == Path("elsewhere")


def test_the_cache_lies_where_the_platform_keeps_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BPCLI_CACHE_DIR")
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setattr(sys, "platform", "linux")
    assert resources.cache() == Path("/caches/bpcli")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert resources.cache() == Path("/home/me/.cache/bpcli")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert resources.cache() == Path("/home/me/Library/Caches/bpcli")

    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert resources.cache() == Path(gettempdir(), "Library/Caches/bpcli")


def test_the_files_used_last_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age, name in enumerate(("c", "b", "a")):
        save(tmp_path / f"{name}.prepared", TABLE)
        os.utime(tmp_path / f"{name}.prepared", (1000 + age, 1000 + age))
    assert load(tmp_path / "c.prepared", 2, WAY) is not None
    monkeypatch.setattr(cache, "MAX_BYTES", 3 * (tmp_path / "a.prepared").stat().st_size)
    save(tmp_path / "d.prepared", TABLE)
    assert {path.stem for path in tmp_path.iterdir()} == {"a", "c", "d"}


def test_a_cache_that_can_only_be_read_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "x.prepared", TABLE)

    def read_only(*_: object) -> None:
        raise OSError(EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", read_only)
    assert load(tmp_path / "x.prepared", 2, WAY) is not None
