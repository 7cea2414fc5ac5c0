"""A small run that was looked at once, for all tests of the report."""

from pathlib import Path

import pytest

from bpcli import config as configuration
from bpcli.core.threads import ThreadGroup
from bpcli.report.history import read_run
from bpcli.report.study import Study, study
from bpcli.training.run import recorded_training


@pytest.fixture(scope="session")
def small_run(small_mnist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two hidden layers and two epochs, whose name wants to be taken for HTML."""
    folder = tmp_path_factory.mktemp("runs") / "<b>a & 'b'"
    settings = [
        f"data.folder={small_mnist}", "data.validation=100", "model.hidden=[24, 16]",
        "model.activation=[relu, tanh]", "train.epochs=2", "train.batch_size=64",
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)  # where runs/latest is made
        list(recorded_training(configuration.load("default", settings), "small", folder))
    return folder


@pytest.fixture(scope="session")
def seen(small_run: Path) -> Study:
    return study(read_run(str(small_run)), ThreadGroup(1))
