"""Changes the code that must not be wrong, one small change after the other, and sees that the tests notice.

    python -m tests.reliability.mutants [GROUP...] [--keep FOLDER]

mutmut makes the changes and runs the tests. Each group of modules is tried by the tests that are about it alone, in a
copy of the tree, so that a change takes a second and not a minute; tests that run bpcli in a process of its own, or
read its source, can't see a change that mutmut makes in memory, and are left out. Prints how many changes were
noticed, and the difference of each that was not.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("bpcli", "configs", "data", "docs", "tests", "setup.cfg", "pyproject.toml")
NOTICED = {"killed", "timeout", "segfault", "caught by type check"}
MUTMUT = Path(sys.executable).with_name("mutmut")


@dataclass(frozen=True)
class Group:
    """Modules, the tests that are about them, and those of these tests that can't see a change."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    blind: tuple[str, ...] = ()


HOSTILE = "tests/reliability/test_hostile.py"
GROUPS = {
    "checkpoint": Group(
        ("bpcli/storage/checkpoint.py", "bpcli/storage/archive.py"),
        (
            "tests/storage/test_checkpoint.py",
            "tests/storage/test_archive.py",
            "tests/reliability/test_corruption.py",
            f"{HOSTILE}::test_checkpoints",
        ),
    ),
    "idx": Group(("bpcli/data/idx.py",), ("tests/data/test_idx.py", f"{HOSTILE}::test_image_files")),
    "configuration": Group(
        ("bpcli/config.py", "bpcli/strict_yaml.py"),
        ("tests/test_config.py", "tests/test_strict_yaml.py", f"{HOSTILE}::test_configurations"),
    ),
    "backward": Group(
        ("bpcli/core/network.py", "bpcli/core/losses.py", "bpcli/core/activations.py"),
        ("tests/core", "tests/gradcheck/test_check.py"),
        ("tests/gradcheck/test_check.py::test_every_planted_mistake_is_caught",),
    ),
}


def main() -> None:
    """Tries the groups that are named, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("groups", nargs="*", default=list(GROUPS), metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--keep", type=Path, help="where to leave the copies; a temporary folder by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in arguments.groups:
            folder = (arguments.keep or Path(temporary)) / name
            prepare(folder, GROUPS[name])
            subprocess.run([MUTMUT, "run"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            tell(name, folder)


def prepare(folder: Path, group: Group) -> None:
    """Makes a copy of the tree for a group, with mutmut's settings in its setup.cfg."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    settings = {
        "source_paths": ("bpcli",),
        "only_mutate": group.modules,
        "also_copy": ("configs", "data", "docs"),
        "pytest_add_cli_args": ("-p", "no:cacheprovider", *(f"--deselect={test}" for test in group.blind)),
        "pytest_add_cli_args_test_selection": group.tests,
    }
    lines = [f"{key} =\n" + "".join(f"    {value}\n" for value in values) for key, values in settings.items()]
    with (folder / "setup.cfg").open("a") as file:
        file.write("\n[mutmut]\nuse_setproctitle = false\n" + "".join(lines))


def tell(name: str, folder: Path) -> None:
    """Prints what became of a group's mutants: their number by module, and the difference that each survivor makes."""
    lines = mutmut(folder, "results", "--all", "true").splitlines()
    fates = dict(line.strip().rsplit(": ", 1) for line in lines if ": " in line)
    counts = Counter((mutant.partition(".x")[0], fate) for mutant, fate in fates.items())
    for module in sorted({module for module, _ in counts}):
        of_module = {fate: count for (where, fate), count in counts.items() if where == module}
        noticed, all_ = sum(count for fate, count in of_module.items() if fate in NOTICED), sum(of_module.values())
        print(f"{name}: {module}: {noticed} of {all_} noticed, {noticed / all_:.1%}: {of_module}", flush=True)
    for mutant, fate in fates.items():
        if fate not in NOTICED:
            print(f"\n{fate}: {mutant}")
            print("".join(f"{line}\n" for line in mutmut(folder, "show", mutant).splitlines() if changes(line)))
    sys.stdout.flush()


def changes(line: str) -> bool:
    return line[:1] in ("+", "-") and line[:3] not in ("+++", "---")


def mutmut(folder: Path, *arguments: str) -> str:
    """What a command of mutmut prints."""
    return subprocess.run([MUTMUT, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
