"""Whoever follows the documents from top to bottom sees what they show. `make test-docs` runs this."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents.console import difference, steps

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
INSTEAD = {  # what the setup's commands do besides setting up; this very process is `make test`
    "make train": "bpcli train",
    "make test": "true",
    ". .venv/bin/activate": "true",
}

pytestmark = pytest.mark.documents


@pytest.mark.parametrize(
    "name", ["README.md", "docs/commands.md", "docs/configuration.md", "docs/learn.md", "docs/dead-units.md"]
)
def test_a_document_can_be_followed_from_top_to_bottom(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "BROWSER": "true"}
    wrong = []
    for step in steps(text):
        command = INSTEAD.get(step.command, step.command)
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding="utf-8", timeout=300, check=False,
        )  # fmt: skip
        found = difference(step.printed, done.stdout.splitlines())
        expected_to_fail = any(line.startswith("Error: ") for line in step.printed)
        if found or (done.returncode != 0) is not expected_to_fail:
            wrong.append(f"{name}:{step.line}: $ {step.command}\n{found or done.stdout}\nexit code {done.returncode}")
    assert not wrong, "\n\n".join(wrong)


def test_the_readmes_python_prints_what_it_says(tmp_path: Path) -> None:
    code = (ROOT / "README.md").read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-"], input=code, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    numbers, digits = done.stdout.splitlines()
    accuracy, errors = map(float, numbers.split())
    assert accuracy == pytest.approx(0.98, abs=0.005)
    assert errors == pytest.approx(170, abs=40)
    assert digits == "[7 2 1 0 4]"


def test_make_train_does_what_the_test_does_instead() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ntrain:")[2].splitlines()[1]
    assert recipe == "\t$(BIN)/bpcli train"
