"""`import bpcli`: quick, and it offers what it lists."""

import subprocess
import sys

import pytest

import bpcli


def test_importing_loads_nothing_else() -> None:
    code = "import sys; before = {*sys.modules}; import bpcli; print(*{*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names == {"bpcli"}
    assert "bpcli.errors" not in done.stdout


def test_a_network_answers_without_training_being_loaded() -> None:
    code = "import sys, bpcli; bpcli.load('pretrained').predict([]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"bpcli.training", "bpcli.report", "tqdm", "matplotlib"}.isdisjoint(done.stdout.split())


def test_every_name_is_there() -> None:
    for name in bpcli.__all__:
        assert getattr(bpcli, name).__name__ == name
        assert getattr(bpcli, name).__doc__
    assert {*bpcli.__all__} <= {*dir(bpcli)}
    with pytest.raises(AttributeError, match="module 'bpcli' has no attribute 'nothing'"):
        bpcli.nothing  # noqa: B018
