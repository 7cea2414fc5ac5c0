"""What the shells complete: by Click's machinery, and by a real bash."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from bpcli import config as configuration
from bpcli.cli import COMMANDS, cli, shells
from tests.children import HANGS

BASH = shutil.which("bash")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with two runs, a configuration and a picture."""
    monkeypatch.chdir(tmp_path)
    for name in ("default-1", "quick-1", ".latest.1.tmp"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "photo.png").touch()
    return tmp_path


def completed(*words: str) -> list[str]:
    """The values that are offered for the last of these words; FILES where the shell offers its own."""
    with patch.dict(os.environ, {"_BPCLI_COMPLETE": "bash_complete"}):
        found = ShellComplete(cli, {}, "bpcli", "_BPCLI_COMPLETE").get_completions(list(words[:-1]), words[-1])
    return ["FILES" if item.type == "file" else item.value for item in found]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["tr"], ["train"]),
        (["train", "-c", "qu"], ["quick", "FILES"]),
        (["train", "--config", "m"], ["mine.yaml", "FILES"]),
        (["check", "-c", "../elsewhere/m"], ["FILES"]),
        (["train", "-s", "optimizer.l"], ["optimizer.learning_rate="]),
        (["train", "-s", "epo"], ["train.epochs="]),
        (["train", "-s", "seed=1", "-s", "train.pat"], ["train.patience="]),
        (["config", "-s", "optimizer.kind=ad"], ["optimizer.kind=adam", "optimizer.kind=adamw"]),
        (["train", "--set=optimizer.kind=adamw"], ["optimizer.kind=adamw"]),
        (["train", "--vary", "optimizer.kind=mo"], ["optimizer.kind=momentum"]),
        (["train", "--vary", "optimizer.kind=adam,"], ["optimizer.kind=adam,momentum", "optimizer.kind=adam,adamw"]),
        (["train", "--vary", "data.deslant=true,false,"], []),
        (["train", "--vary", "model.hidden=[30],[2"], []),
        (["train", "--vary", "data.desl"], ["data.deslant="]),
        (["train", "--vary", "data.s"], []),
        (["train", "--vary", "see"], []),
        (["train", "--vary", "data.kind="], []),
        (["train", "--vary", "data.kind=auto,"], []),
        (["train", "-s", "data.deslant="], ["data.deslant=true", "data.deslant=false"]),
        (["train", "-s", "train.epochs="], []),
        (["train", "-s", "nonsense"], []),
        (["train", "--from", "p"], ["pretrained", "FILES"]),
        (["train", "-s", "train.start=q"], ["train.start=quick-1"]),
        (["train", "--resume", ""], ["default-1", "quick-1", "FILES"]),
        (["predict", "photo.png", "-m", "runs/q"], ["runs/quick-1", "FILES"]),
        (["predict", "ph"], ["FILES"]),
        (["evaluate", "q"], ["quick-1", "FILES"]),
        (["draw", "p"], ["pretrained", "FILES"]),
        (["report", "runs/default-1", "q"], ["quick-1", "FILES"]),
        (["report", "--force", "q"], ["quick-1", "FILES"]),
        (["draw", "-o", "di"], ["FILES"]),
        (["evaluate", "--split", "t"], ["test", "train"]),
        (["train", "--ep"], ["--epochs"]),
        (["train", "--epochs", "3", "--e"], []),
        (["train", "m"], []),
        (["completion", "f"], ["fish"]),
        (["trian", "-s", ""], list(COMMANDS)),
    ],
)
def test_what_is_offered(here: Path, words: list[str], offered: list[str]) -> None:
    assert completed(*words) == offered


def test_every_key_and_preset_is_offered(here: Path) -> None:
    known = configuration.keys()
    assert sorted(completed("train", "-s", "")) == sorted(f"{key}=" for key in known)
    assert completed("train", "-c", "") == [*configuration.preset_names(), "mine.yaml", "FILES"]
    assert completed("") == list(COMMANDS)


def test_no_run_is_offered_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert completed("report", "") == ["FILES"]
    assert completed("evaluate", "") == ["pretrained", "latest", "FILES"]


def bash(line: str, tmp_path: Path) -> list[str]:
    """What bash would offer for a line, split into words as bash does it."""
    assert BASH is not None
    command = tmp_path / "bin" / "bpcli"
    command.parent.mkdir()
    command.write_text(f'#!{BASH}\nexec "{sys.executable}" -m bpcli "$@"\n')
    command.chmod(0o755)
    words = re.findall(r"=|[^ =]+", line) + [""] * line.endswith(" ")
    script = (
        'compopt() { :; }; eval "$(bpcli completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        "_bpcli_completion bpcli; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [BASH, "--norc", "-c", script, "bash", *words], capture_output=True, text=True, check=True, timeout=HANGS,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.skipif(BASH is None or os.name == "nt", reason="there is no bash here")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("bpcli train -s optimizer.k", ["optimizer.kind="]),
        ("bpcli train -s optimizer.kind=ad", ["adam", "adamw"]),
        ("bpcli train --set=optimizer.kind=adamw", ["adamw"]),
        ("bpcli train --vary optimizer.kind=adam,mo", ["adam,momentum"]),
        ("bpcli train -s train.epochs=3 -c sim", ["simard"]),
    ],
)
def test_a_real_bash_offers_it(here: Path, line: str, offered: list[str]) -> None:
    assert bash(line, here) == offered


@pytest.mark.parametrize("words", ["bpcli\n", "bpcli\ntrain\n-s\nopt", "bpcli\nevaluate\nqu", "bpcli\ntrain\n-c\nq"])
def test_values_are_completed_without_numpy(here: Path, words: str) -> None:
    code = (
        "import atexit, sys; atexit.register(lambda: print('loaded', {'numpy', 'PIL', 'yaml'} & set(sys.modules)))\n"
        "from bpcli.cli import main; main()"
    )
    asked = {"_BPCLI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count("\n"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=HANGS,
        env=os.environ | asked | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.stdout.endswith("loaded set()\n")
    assert "plain," in done.stdout or "unfinished," in done.stdout


@pytest.mark.parametrize("shell", shells.SHELLS)
def test_the_script_says_where_it_belongs(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell], prog_name="bpcli")
    first = result.stdout.splitlines()[0]
    assert (result.exit_code, result.stderr) == (0, "")
    assert first.startswith(f"# Completion of bpcli in {shell}; add this line to ~/.")
    assert f"bpcli completion {shell}" in first
    assert "_BPCLI_COMPLETE=" + shell in result.stdout


def test_zsh_gets_a_keys_meaning_and_no_space_after_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "bpcli train -s train.ep")
    monkeypatch.setenv("COMP_CWORD", "3")
    answer = shells.Zsh(cli, {}, "bpcli", "_BPCLI_COMPLETE").complete()
    assert answer == "unfinished\ntrain.epochs=\npasses over the training split; 1 to 100,000"
