"""A stranger's files: refused in one line, with the documented code, quickly and in little memory."""

import gzip
import os
import socket
import struct
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from bpcli import config as configuration
from bpcli.errors import CheckpointError, ConfigError, DataError, ImageError
from bpcli.storage import checkpoint
from bpcli.storage.archive import pack
from tests.children import HANGS, child
from tests.conftest import idx_bytes
from tests.reliability import hostile
from tests.reliability.conftest import ROOT
from tests.reliability.disks import names

MAX_LENGTH = 1.0  # seconds of processor time
MAX_MEMBERS = 64 * 2**20  # bytes
Bpcli = Callable[..., Result]

CHECKPOINTS = dict(hostile.checkpoints())
CONFIGURATIONS = dict(hostile.configurations())
IMAGE_FILES = dict(hostile.image_files())
DATA_SETS = {name: (files, told) for name, files, told in hostile.data_sets()}
PICTURES = dict(hostile.pictures())


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("somebody asked for the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse, raising=False)


@pytest.fixture
def refuses(bpcli: Bpcli) -> Iterator[Callable[..., str]]:
    """Runs a command that must refuse; gives its one line."""
    tracemalloc.start()

    def run(code: int, *arguments: str | Path) -> str:
        tracemalloc.reset_peak()
        before, start = tracemalloc.get_traced_memory()[0], time.process_time()
        result = bpcli(*arguments)
        seconds, grown = time.process_time() - start, tracemalloc.get_traced_memory()[1] - before
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.removesuffix("\n").isprintable()
        assert len(result.stderr) < 1100
        assert seconds < 4 * MAX_LENGTH  # tracing memory makes Python several times slower
        assert grown < MAX_MEMBERS
        assert not Path("pwned").exists()
        return result.stderr

    yield run
    tracemalloc.stop()


def test_there_are_enough() -> None:
    assert len(CHECKPOINTS) >= 20
    assert len(CONFIGURATIONS) >= 15
    assert len(IMAGE_FILES) >= 10
    assert len(DATA_SETS) >= 20
    assert len(PICTURES) >= 20


def test_what_they_are_made_from_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "good.npz"
    for content in (hostile.good(), hostile.deflated(hostile.members()), pack(hostile.members())):
        path.write_bytes(content)
        assert checkpoint.load(path).config == hostile.CONFIG
    assert hostile.patched(hostile.good()) == hostile.good()


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints(refuses: Callable[..., str], name: str) -> None:
    Path("file.npz").write_bytes(CHECKPOINTS[name])
    assert "file.npz" in refuses(CheckpointError.exit_code, "evaluate", "file.npz")


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations(refuses: Callable[..., str], name: str) -> None:
    Path("file.yaml").write_bytes(CONFIGURATIONS[name])
    code = DataError.exit_code if b"folder" in CONFIGURATIONS[name] else ConfigError.exit_code
    message = refuses(code, "train", "-c", "file.yaml")
    assert "file.yaml" in message or code == DataError.exit_code
    assert names(Path.cwd()) == {"file.yaml"}


@pytest.mark.parametrize("name", IMAGE_FILES)
def test_image_files(refuses: Callable[..., str], name: str) -> None:
    folder = Path("mnist")
    folder.mkdir()
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([1, 2], np.uint8)))
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(hostile.IMAGES))
    (folder / "train-images-idx3-ubyte").write_bytes(IMAGE_FILES[name])
    message = refuses(DataError.exit_code, "train", "-s", "data.folder=mnist", "-s", "data.validation=1")
    assert "mnist/train-images-idx3-ubyte" in message


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(
    bpcli: Bpcli, refuses: Callable[..., str], tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("network.npz").write_bytes(hostile.good())
    Path("picture").write_bytes(PICTURES[name])
    message = refuses(ImageError.exit_code, "predict", "-m", "network.npz", "picture")
    assert "picture" in message
    assert capfd.readouterr() == ("", "")  # past Python, as libraries in C print


@pytest.mark.parametrize(
    "command",
    [["evaluate", "s"], ["predict", "-m", "s", "x.png"], ["train", "--resume", "s"], ["draw", "s"]],
    ids=" ".join,
)
@pytest.mark.parametrize("content", [b"\xff", b"seeds: [0]\nfinished: [../x]\nconfig: {}\n", b"[" * 100_000])
def test_files_of_series(refuses: Callable[..., str], command: list[str], content: bytes) -> None:
    Path("s").mkdir()
    Path("s/series.yaml").write_bytes(content)
    assert "s/series.yaml" in refuses(CheckpointError.exit_code, *command)
    assert names(Path("s")) <= {"series.yaml", ".lock"}


def laid_out(files: hostile.Folder) -> None:
    """Makes a data set of some files in the folder mnist."""
    Path("mnist").mkdir()
    for name, content in files.items():
        Path("mnist", name).write_bytes(content)


@pytest.mark.parametrize("name", DATA_SETS)
def test_data_sets(refuses: Callable[..., str], name: str) -> None:
    files, told = DATA_SETS[name]
    laid_out(files)
    assert told in refuses(DataError.exit_code, "train", "-s", "data.folder=mnist", "-s", "data.validation=1")
    assert names(Path.cwd()) == {"mnist"}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (hostile.data_set(20, 20), "mnist: its images are 20×20 pixels; the network expects 28×28"),
        (hostile.data_set(labels=(1, 10)), "mnist: has the label 10; the network knows 10 classes"),
        (hostile.data_set(labels=(1, 99)), "mnist: has the label 99; the network knows 10 classes"),
        (hostile.data_set(7, 7), f"mnist/{hostile.TEST}: its images are 7×7 pixels"),
        (hostile.data_set(labels=(1, 100)), f"mnist/{hostile.TEST_LABELS}: label 1 is 100"),
    ],
    ids=["side", "label", "labels", "small", "large label"],
)
def test_data_that_a_network_does_not_know(refuses: Callable[..., str], files: hostile.Folder, told: str) -> None:
    config = configuration.override(hostile.CONFIG, ["data.folder=mnist"])
    network = replace(hostile.network(), config=config)
    checkpoint.save(network, Path("network.npz"))
    laid_out(files)
    assert told in refuses(DataError.exit_code, "evaluate", "network.npz")


@pytest.mark.parametrize("label", [100, 255])
def test_labels_that_are_no_digits(refuses: Callable[..., str], label: int) -> None:
    folder = Path("mnist")
    folder.mkdir()
    content = b"\0\0\x08\x01" + struct.pack(">I", 2) + bytes([1, label])
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(content))
    (folder / "train-images-idx3-ubyte").write_bytes(idx_bytes(hostile.IMAGES))
    assert f"label 1 is {label}" in refuses(DataError.exit_code, "train", "-s", "data.folder=mnist")


NAMES = [
    "a\nb",
    "a\x1b[31mb",
    "a\udcffb",
    "\u202egnp.exe",
    "a" * 300,
    "a/" * 3000,
    "-",
    "~",
    "http://127.0.0.1:9/x.npz",
]


@pytest.mark.parametrize("name", NAMES, ids=[str(number) for number in range(len(NAMES))])
def test_names(refuses: Callable[..., str], name: str) -> None:
    refuses(CheckpointError.exit_code, "evaluate", name)
    refuses(CheckpointError.exit_code, "train", "--resume", name)
    refuses(ConfigError.exit_code, "train", "-c", name if name != "-" else "--")
    refuses(ConfigError.exit_code, "train", "-s", f"{name}={name}")


@pytest.mark.parametrize(
    "folder", ["a\nb", "a\x1b[31mb", "a\udcffb", "\u202eexe"], ids=["line", "escape", "byte", "bidi"]
)
def test_names_of_files_that_are_good(bpcli: Bpcli, tmp_path: Path, tiny_file: Path, folder: str) -> None:
    """What is printed of them is escaped, on stdout too."""
    result = bpcli("train", "-c", tiny_file, "-o", folder)
    assert result.exit_code == 0
    assert result.stdout.removesuffix("\n").isprintable()
    for arguments in ([folder], ["--json", folder]):
        shown = bpcli("evaluate", *arguments)
        assert shown.exit_code == 0
        assert all(line.isprintable() for line in shown.stdout.splitlines())
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"}
    command = [sys.executable, "-m", "bpcli", "train", "--resume", folder, "--json"]
    real = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=HANGS)
    assert (real.returncode, b"Traceback" in real.stderr) == (0, False)


@pytest.mark.parametrize("special", ["folder", "pipe", "device", "loop", "unreadable"])
def test_things_that_are_no_files(refuses: Callable[..., str], special: str) -> None:
    path = Path("thing")
    match special:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path)
        case "unreadable":
            path.symlink_to("/proc/self/mem")
    refuses(CheckpointError.exit_code, "evaluate", path)
    refuses(ConfigError.exit_code, "config", "-c", path)
    refuses(CheckpointError.exit_code, "train", "--resume", path)
    Path("mnist").mkdir()
    Path("mnist/train-labels-idx1-ubyte").symlink_to(path.absolute())
    Path("mnist/train-images-idx3-ubyte").symlink_to(path.absolute())
    refuses(DataError.exit_code, "train", "-s", "data.folder=mnist")


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["checkpoint", "configuration", "image file", "picture"])
def test_in_processes_of_their_own(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The real seconds and megabytes, beside those of a file that is not there."""
    files = {
        "checkpoint": CHECKPOINTS, "configuration": CONFIGURATIONS, "image file": IMAGE_FILES, "picture": PICTURES,
    }[kind]  # fmt: skip
    slowest = largest = 0.0
    for name, content in files.items():
        before = measured(tmp_path, kind, None)
        now = measured(tmp_path, kind, content)
        slowest, largest = max(slowest, now[0] - before[0]), max(largest, now[1] - before[1])
        assert now[0] - before[0] < MAX_LENGTH, name
        assert now[1] - before[1] < MAX_MEMBERS, name
    with capsys.disabled():
        sys.stdout.write(f"{len(files)} of kind {kind}: at most {slowest:.2f} s and {largest / 2**20:.1f} MB more\n")


def measured(folder: Path, kind: str, content: bytes | None) -> tuple[float, int]:
    """Seconds of processor time and the most bytes of a command that refuses a file, or one that is not there."""
    paths = {
        "checkpoint": "x.npz", "configuration": "x.yaml", "image file": "mnist/train-images-idx3-ubyte", "picture": "x",
    }  # fmt: skip
    path = folder / paths[kind]
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)
    arguments = {
        "checkpoint": ["evaluate", "x.npz"],
        "configuration": ["train", "-c", "x.yaml"],
        "image file": ["train", "-s", "data.folder=mnist"],
        "picture": ["predict", "-m", "network.npz", "x"],
    }
    (folder / "network.npz").write_bytes(hostile.good())
    if kind == "image file":
        (path.parent / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([1, 2], np.uint8)))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with child(
        [sys.executable, "-m", "bpcli", *arguments[kind]],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        told = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (3, 4, 5, 6)
    assert len(told.splitlines()) == 1
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
