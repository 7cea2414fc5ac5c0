"""`bpcli runs`: the list, and the removal of a run."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bpcli.errors import ArgumentError, BusyError, CheckpointError
from bpcli.storage.lock import exclusive

Bpcli = Callable[..., Result]


def test_the_list_for_people(bpcli: Bpcli, small: list[str]) -> None:
    nothing = bpcli("runs")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert nothing.stderr == "no run here yet; `bpcli train` makes one\n"
    bpcli("train", "-q", *small)
    bpcli("train", "-q", *small, "-s", "optimizer.learning_rate=1e-9")
    result = bpcli("runs", "--sort", "name")
    head, one, other = result.stdout.splitlines()
    assert head.split() == ["name", "preset", "network", "epochs", "state", "validation", "test", "when", "size"]
    assert one.split()[:8] == ["default-1", "default", "+5", "16", "2/2", "finished", one.split()[6], "%"]
    assert " % *  " in one
    assert " % *  " not in other
    assert one.index("MB") == other.index("MB")
    assert result.stderr.startswith("default-2: this run learned nothing")


def test_the_list_for_programs(bpcli: Bpcli, small: list[str]) -> None:
    assert json.loads(bpcli("runs", "--json").stdout) == []
    told = json.loads(bpcli("train", "--json", "-q", *small).stdout)
    (run,) = json.loads(bpcli("runs", "--json").stdout)
    assert run.keys() == {
        "name", "folder", "state", "preset", "changed", "hidden", "epochs", "of", "validation_accuracy",
        "test_accuracy", "when", "bytes", "note", "members",
    }  # fmt: skip
    assert (run["name"], run["state"], run["hidden"], run["note"]) == ("default-1", "finished", [16], None)
    for accuracy in ("validation_accuracy", "test_accuracy"):
        assert run[accuracy] == told[accuracy]
    sizes = [path.stat().st_size for path in Path("runs/default-1").rglob("*") if path.is_file()]
    assert run["bytes"] == sum(sizes)


def test_a_run_is_removed_only_when_told_so(bpcli: Bpcli, trained: Path) -> None:
    asked = bpcli("runs", "--remove", "default-1")
    assert asked.exit_code == ArgumentError.exit_code
    assert asked.stderr == "Error: --remove default-1: asks first, but nobody can answer here; --yes is the answer\n"
    with exclusive(trained):
        assert bpcli("runs", "--remove", "default-1", "--yes").exit_code == BusyError.exit_code
    assert trained.is_dir()
    removed = bpcli("runs", "--remove", "default-1", "--yes")
    assert (removed.exit_code, removed.stdout) == (0, "runs/default-1 is removed\n")
    assert not list(Path("runs").iterdir())


def test_nothing_but_runs_is_removed(bpcli: Bpcli, trained: Path) -> None:
    Path("mine").mkdir()
    Path("mine/file").touch()
    for source in ("mine", ".", "runs", "mine/file", "nowhere", "pretrained", "runs/latest"):
        result = bpcli("runs", "--remove", source, "--yes")
        assert result.exit_code == CheckpointError.exit_code, source
        assert "not the folder of a run; `bpcli runs` lists those that are here" in result.stderr
    assert Path("mine/file").exists()
    assert trained.is_dir()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_unicode_are_escaped(bpcli: Bpcli, trained: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    trained.rename(Path("runs", odd))
    (run,) = json.loads(bpcli("runs", "--json").stdout)
    assert run["name"] == r"caf\udce9"
    (Path("runs") / odd).rename("runs/b\u00a0c")
    (run,) = json.loads(bpcli("runs", "--json").stdout)
    assert bpcli("evaluate", run["name"], "--json").exit_code == 0  # a name that is Unicode stays as it is
    Path("runs/b\u00a0c").rename(Path("runs") / odd)
    card = bpcli("export", odd, "--card", "README.md")
    assert (card.exit_code, card.stdout) == (0, "the model card is README.md\n")
    assert r"# caf\udce9" in Path("README.md").read_text(encoding="utf-8")
    refused = bpcli("train", "--from", odd)
    assert refused.exit_code == CheckpointError.exit_code
    assert refused.stderr == (
        r"Error: runs/caf\udce9/best.npz: its name is not UTF-8, so no run could record it; rename it" "\n"
    )
