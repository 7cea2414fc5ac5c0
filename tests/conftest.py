"""What the tests of several rooms share: small data, small networks, runs in an empty folder."""

import gzip
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings
from numpy.typing import NDArray

from bpcli import resources
from bpcli.cli import cli
from bpcli.data.datasets import Split, read_split
from tests.reliability.disks import wait_for_no_disk

# no time limit on an example: machines differ; and in CI the same examples every time
settings.register_profile("bpcli", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("bpcli")
wait_for_no_disk()  # no power fails here; bpcli's own processes, which tests start, wait for theirs


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """The array as an IDX file, written down from the format's description."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return header + array.tobytes()


def write_mnist(folder: Path, training: int = 600, test: int = 200) -> Path:
    """A folder with the first images of MNIST, small enough to train on in no time."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, name, n in (("train", "train", training), ("t10k", "test", test)):
        split = read_split(resources.mnist(), "train" if name == "train" else "test", 0)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(split.images[:n].reshape(-1, 28, 28)))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(split.labels[:n])))
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's cache out of the tests, and the tests out of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BPCLI_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def small_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mnist(tmp_path_factory.mktemp("mnist") / "small")


@pytest.fixture(scope="session")
def small_split(small_mnist: Path) -> Split:
    return read_split(small_mnist, "train", 100)


@pytest.fixture(scope="session")
def small_settings(small_mnist: Path) -> list[str]:
    """Settings for a run that takes a fraction of a second."""
    return [
        f"data.folder={small_mnist}", "data.validation=100", "model.hidden=[16]", "train.epochs=2",
        "train.batch_size=64",
    ]  # fmt: skip


@pytest.fixture
def small(small_settings: list[str]) -> list[str]:
    """Them as options of a command."""
    return [part for setting in small_settings for part in ("-s", setting)]


@pytest.fixture
def bpcli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], input=stdin, prog_name="bpcli")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, small_settings: list[str]) -> Path:
    """A folder in which a small run was trained."""
    folder = tmp_path_factory.mktemp("trained")
    settings = [part for setting in small_settings for part in ("-s", setting)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(cli, ["train", "-q", *settings], prog_name="bpcli")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a small run, which is also the latest one; a copy for each test."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained_once / "runs", "runs", symlinks=True)
    return Path("runs/default-1")
