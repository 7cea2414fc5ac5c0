"""What is said of the distribution: its version is one, and nobody is told to install a project of another's."""

import re
import subprocess
from pathlib import Path

import pytest

from bpcli import __version__

ROOT = Path(__file__).resolve().parents[1]

# The name in a command that asks the package index; a path, a wheel or an sdist is a file instead.
FROM_THE_INDEX = re.compile(r"pip3?\s+install\s[^\n;&|`]*?(?<![\w./-])bpcli(?![\w.-]*\.(?:whl|tar\.gz))")


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone, so no file is tracked")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_text_says_to_install_bpcli_from_an_index() -> None:
    told = []
    for path in tracked():
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" not in content and FROM_THE_INDEX.search(content.decode(errors="replace")):
            told.append(str(path.relative_to(ROOT)))
    assert told == []


@pytest.mark.parametrize("what", ["bpcli", "'bpcli[report]'", "--upgrade bpcli", "bpcli-mnist", "numpy bpcli==0.2.0"])
def test_a_name_is_asked_of_the_index(what: str) -> None:
    assert FROM_THE_INDEX.search(f"$ python -m pip install {what}\n")


@pytest.mark.parametrize(
    "what",
    [
        ".", "--editable '.[report]'", "dist/bpcli_mnist-0.2.0-py3-none-any.whl", "bpcli_mnist-0.2.0-py3-none-any.whl",
        "bpcli_mnist-0.2.0.tar.gz", "./bpcli", ". && bpcli train", ".` and run `bpcli", ".\n$ bpcli train",
    ],
)  # fmt: skip
def test_a_file_is_not_asked_of_the_index(what: str) -> None:
    assert not FROM_THE_INDEX.search(f"$ python -m pip install {what}\n")


def test_the_version_is_one() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## [{__version__}] - " in (ROOT / "CHANGELOG.md").read_text()
