"""Run folders that version 0.1.0 wrote: read, used, and gone on with."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from bpcli import config as configuration
from bpcli import resources
from bpcli.data.spec import MNIST
from bpcli.storage import checkpoint, series_file
from bpcli.storage.find import find_members

OLD = Path(__file__).parent / "old_versions/0.1.0"
Bpcli = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that was stopped after the first of its two epochs; its keys have names of that time."""
    return Path(shutil.copytree(OLD / "run", tmp_path / "run"))


def test_its_configuration_has_the_new_names(run: Path) -> None:
    assert "strangers: 20" in (run / "config.yaml").read_text(encoding="utf-8")
    config = configuration.load(str(run / "config.yaml"))
    assert (config.data.outliers, config.model.init, config.optimizer.kind) == (20, "glorot_relu", "momentum")
    assert checkpoint.load(run / "last.npz").config == config


def test_it_goes_on_to_where_the_old_version_would_have_come(bpcli: Bpcli, run: Path) -> None:
    """To what that version saved at its end, up to roundings of another BLAS or of another order of the update."""
    result = bpcli("train", "--resume", run)
    assert result.exit_code == 0, result.stderr
    assert "going on after epoch 1" in result.stderr
    found, expected = checkpoint.load(run / "last.npz"), checkpoint.load(OLD / "finished.npz")
    assert found.epoch == expected.epoch == 2
    np.testing.assert_allclose(found.parameters, expected.parameters, atol=2e-3)
    assert found.metrics["validation_accuracy"] == pytest.approx(expected.metrics["validation_accuracy"], abs=2e-3)
    assert len((run / "metrics.csv").read_text(encoding="ascii").splitlines()) == 3


def test_its_networks_are_of_mnist(bpcli: Bpcli) -> None:
    member = OLD / "series/seed-3/best.npz"
    assert checkpoint.load(member).spec == MNIST
    assert checkpoint.load(resources.pretrained()).spec == MNIST
    found = json.loads(bpcli("evaluate", "--json", member).stdout)
    assert (found["n"], found["accuracy"]) == (10_000, pytest.approx(0.1135, abs=0.001))


def test_its_series_is_one(bpcli: Bpcli, tmp_path: Path) -> None:
    series = Path(shutil.copytree(OLD / "series", tmp_path / "series"))
    assert series_file.read(series).finished == ("seed-3", "seed-4")
    assert len(find_members([str(series)]).paths) == 2
    result = bpcli("train", "-q", "--resume", series)
    assert result.exit_code == 0
    assert "committee of 2" in result.stdout


def test_its_series_goes_on(bpcli: Bpcli, tmp_path: Path) -> None:
    """A run that is missing is trained, to what that version made of it, up to roundings."""
    series = Path(shutil.copytree(OLD / "series", tmp_path / "series"))
    shutil.rmtree(series / "seed-4")
    file = series / "series.yaml"
    file.write_text(file.read_text().replace("finished: [3, 4]", "finished: [3]"))
    result = bpcli("train", "--resume", series)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[:2] == ["1 of the 2 runs are finished", "run 2 of 2, seed 4"]
    found, expected = (checkpoint.load(folder / "seed-4/best.npz") for folder in (series, OLD / "series"))
    np.testing.assert_allclose(found.parameters, expected.parameters, atol=2e-3)
    assert file.read_text().startswith("seeds: [3, 4]\nfinished: [3, 4]\n")
