"""What other systems lack is taken away here; what they have more than Linux needs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from bpcli.data.datasets import read_split
from bpcli.errors import CheckpointError
from bpcli.storage import run_folder
from tests.children import HANGS

ROOT = Path(__file__).resolve().parents[1]
WINDOWS = {"PYTHONIOENCODING": "cp1252"}
POSIX = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def lacking(commands: list[list[str]], environment: dict[str, str]) -> "subprocess.CompletedProcess[bytes]":
    """Runs command lines where much is lacking, and demands that all end well."""
    result = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-m", "tests.lacking"], input=json.dumps(commands).encode(),
        capture_output=True, check=False, timeout=HANGS,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode(errors="replace")
    return result


@pytest.fixture
def windows_file(small_settings: list[str], tmp_path: Path) -> Path:
    """The settings of a small run as an editor on Windows saves them: with a mark and both line ends."""
    path = tmp_path / "small.yaml"
    tree: dict[str, list[str]] = {}
    for setting in small_settings:
        key, _, value = setting.partition("=")
        section, _, name = key.partition(".")
        tree.setdefault(section, []).append(f"  {name}: {value}\n")
    text = "".join(f"{section}:\n{''.join(lines)}" for section, lines in tree.items())
    path.write_text(f"# η\n{text}", encoding="utf-8-sig", newline="\r\n")
    return path


def test_everything_goes_on_without_what_windows_lacks(
    windows_file: Path, small_mnist: Path, trained_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    digit = read_split(small_mnist, "test", 0).images[0].reshape(28, 28)
    Image.fromarray(np.pad(digit, 9)).save("drei — 3.png")
    run = "runs/small-1"
    result = lacking(
        [
            ["train", "-q", "-c", "small.yaml"],
            ["train", "-q", "--resume", run, "--epochs", "3"],
            ["evaluate", run],
            ["predict", "drei — 3.png", "-m", run, "--show"],
            ["predict", "drei — 3.png", "-m", run, "--json"],
            ["report", run],
            ["draw", run],
            ["train", "-q", "-c", "small.yaml", "--seeds", "1..2", "--epochs", "1"],
        ],
        WINDOWS,
    )
    told = [line for line in result.stderr.splitlines() if not line.startswith(b"network: ")]
    assert told == [b"Warning: train.epochs = 3 from here on, 2 before"]
    printed = result.stdout.decode("cp1252", "replace")
    assert "label v  answer ->" in printed
    assert "drei — 3.png: " in printed
    (line,) = (line for line in result.stdout.splitlines() if line.startswith(b"{"))
    assert json.loads(line)["file"] == "drei — 3.png"
    for name, of_ours in (("config.yaml", "epochs"), ("report.html", "small-1"), ("metrics.csv", "epoch")):
        assert of_ours in Path(run, name).read_text(encoding="utf-8")
    assert [row.split(",")[0] for row in Path(run, "metrics.csv").read_text().splitlines()[1:]] == ["1", "2", "3"]
    first = Path(trained_once, "runs/default-1/metrics.csv").read_text().splitlines()[1:]
    again = Path(run, "metrics.csv").read_text().splitlines()[1:3]
    assert [row.rpartition(",")[0] for row in again] == [row.rpartition(",")[0] for row in first]
    assert Path("runs/latest").read_text() == "small-2\n"
    assert (run_folder.latest_folder() or Path()).name == "small-2"


def test_the_locale_of_c_trains_and_reads(
    windows_file: Path, small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lacking([["train", "-q", "-c", "small.yaml", "--epochs", "1"], ["evaluate", "runs/small-1"]], POSIX)


def test_the_latest_run_is_found_by_its_name_in_a_file(
    bpcli: Callable[..., Result], small_settings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "_LINKS", False)
    settings = [part for setting in small_settings for part in ("-s", setting)]
    assert bpcli("train", "-q", *settings, "--epochs", "1").exit_code == 0
    assert not Path("runs/latest").is_symlink()
    for arguments in (["evaluate", "--json"], ["evaluate", "--json", "runs/latest"], ["train", "-q", "--resume"]):
        assert bpcli(*arguments).exit_code == 0
    assert bpcli("evaluate").stdout.startswith("runs/default-1/best.npz on the test split")
    assert bpcli("runs", "--remove", "runs/latest", "--yes").exit_code == CheckpointError.exit_code
    assert bpcli("runs", "--remove", "default-1", "--yes").exit_code == 0
    assert not list(Path("runs").iterdir())
