"""The rooms of the project, and what each may import: one direction, no way back."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bpcli
from bpcli.cli import COMMANDS

PACKAGE = Path(bpcli.__file__).parent
EVERYWHERE = {"bpcli.errors", "bpcli.resources", "bpcli.machine"}
MODEL = {"numpy", "bpcli.core", "bpcli.data", "bpcli.config", "bpcli.model"}
STORAGE = MODEL | {"bpcli.storage"}
INFERENCE = STORAGE | {"bpcli.inference"}
TRAINING = INFERENCE | {"bpcli.training"}

# room: what it may import besides the standard library and itself
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "resources": set(),
    "machine": set(),
    "hints": set(),
    "strict_yaml": {"yaml"},
    "core": {"numpy", "threadpoolctl"},
    "config": {"msgspec", "bpcli.core", "bpcli.hints", "bpcli.strict_yaml"},
    "data": {"numpy", "PIL", "bpcli.core", "bpcli.strict_yaml"},
    "model": MODEL,
    "storage": STORAGE | {"msgspec", "bpcli.hints", "bpcli.strict_yaml"},
    "sets": {"numpy", "msgspec", "bpcli.hints", "bpcli.strict_yaml", "bpcli.data", "bpcli.storage"},
    "inference": INFERENCE,
    "export": INFERENCE | {"bpcli.strict_yaml"},
    "training": TRAINING | {"msgspec", "threadpoolctl", "bpcli.strict_yaml"},
    "cluster": TRAINING | {"dask", "distributed"},
    "search": TRAINING | {"optuna", "bpcli.cluster"},
    "gradcheck": TRAINING | {"msgspec"},
    "report": INFERENCE | {"PIL", "matplotlib", "jinja2", "markupsafe", "bpcli.gradcheck"},
    "interface": TRAINING | {"PIL", "msgspec", "tqdm", "sklearn", "bpcli.gradcheck", "bpcli.report"},
    "cli": TRAINING
    | {"click", "tqdm", "msgspec", "bpcli", "bpcli.export", "bpcli.hints", "bpcli.gradcheck", "bpcli.report"}
    | {"bpcli.sets", "bpcli.cluster", "bpcli.search"},
}


def imports(source: str) -> set[str]:
    """The modules that a file imports: the package for others' modules, the room for our own."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            module = node.module or ""
            found |= {f"bpcli.{alias.name}" for alias in node.names} if module == "bpcli" else {module}
    return {".".join(name.split(".")[: 2 if name.startswith("bpcli.") else 1]) for name in found}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_the_table_allows(path: Path) -> None:
    if room(path) in ("__init__", "__main__"):
        return
    allowed = ROOMS[room(path)] | EVERYWHERE | {f"bpcli.{room(path)}"}
    if room(path) in ("errors", "resources", "machine", "hints", "core"):
        allowed = ROOMS[room(path)] | {f"bpcli.{room(path)}"}
    found = {name for name in imports(path.read_text(encoding="utf-8")) if name not in sys.stdlib_module_names}
    found.discard("bpcli.__version__")
    assert found <= allowed


def test_every_package_is_installed() -> None:
    setup = (PACKAGE.parent / "setup.cfg").read_text(encoding="utf-8")
    packages = {".".join(path.parent.relative_to(PACKAGE.parent).parts) for path in PACKAGE.rglob("__init__.py")}
    listed = set(setup.partition("packages =")[2].partition("package_dir")[0].split())
    assert packages | {"bpcli.presets", "bpcli.mnist"} == listed


# file, and number: what a 10 or a 28 stands for that is neither classes nor side
OTHER_TENS = [
    ("cli/output.py", "10"),  # pictures that need no bar
    ("errors.py", "10"),  # an exit code
    ("config.py", "28"),  # data.side where an older checkpoint has none
    ("gradcheck/one_step_text.py", "10"),  # products of a sum that are shown
    ("report/predictions.py", "10"),  # bins of the reliability diagram
    ("storage/checkpoint.py", "10"),  # to the power of 12
]


def loaded_by(module: str) -> set[str]:
    """The rooms that are loaded once a module is imported, by a process of its own."""
    code = f"import sys, {module}; print(*(name for name in sys.modules if name.startswith('bpcli.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {".".join(name.split(".")[:2]) for name in done.stdout.split()}


@pytest.mark.parametrize("module", ["predict", "evaluate", "report", "draw", "export"])
def test_who_uses_a_network_needs_nothing_of_training(module: str) -> None:
    assert loaded_by(f"bpcli.cli.{module}").isdisjoint({"bpcli.training", "bpcli.gradcheck"})


def test_commands_import_from_no_other_command() -> None:
    commands = {module.partition(":")[0] for module, _ in COMMANDS.values()}
    for path in (PACKAGE / "cli").glob("*.py"):
        modules = {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not modules & commands, path


def test_no_size_of_mnist_stands_outside_of_data() -> None:
    """No 784, and no 10 or 28 that could be the classes or the side; what else they may be is listed."""
    found = [
        (str(path.relative_to(PACKAGE)), ast.unparse(node))
        for path in PACKAGE.rglob("*.py")
        if room(path) != "data"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value in (28, 784, 10)
    ]
    assert sorted(found) == sorted(OTHER_TENS)
