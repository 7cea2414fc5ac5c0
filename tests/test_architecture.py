"""The rooms of the project, and what each may import: one direction, no way back."""

import ast
import sys
from pathlib import Path

import pytest

import bpcli

PACKAGE = Path(bpcli.__file__).parent
EVERYWHERE = {"bpcli.errors", "bpcli.resources"}

# room: what it may import besides the standard library and itself
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "resources": set(),
    "strict_yaml": {"yaml"},
    "core": {"numpy"},
    "config": {"msgspec", "bpcli.core", "bpcli.strict_yaml"},
    "data": {"numpy", "PIL"},
    "training": {
        "msgspec", "numpy", "threadpoolctl", "bpcli.core", "bpcli.data", "bpcli.config", "bpcli.strict_yaml",
    },
    "report": {
        "numpy", "PIL", "matplotlib", "jinja2", "markupsafe", "bpcli.core", "bpcli.data", "bpcli.config",
        "bpcli.training",
    },
    "cli": {
        "click", "tqdm", "msgspec", "numpy", "bpcli", "bpcli.core", "bpcli.data", "bpcli.config", "bpcli.training",
        "bpcli.report",
    },
}  # fmt: skip


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
    if room(path) in ("errors", "resources", "core"):
        allowed = ROOMS[room(path)] | {f"bpcli.{room(path)}"}
    found = {name for name in imports(path.read_text()) if name not in sys.stdlib_module_names}
    found.discard("bpcli.__version__")
    assert found <= allowed


def test_every_package_is_installed() -> None:
    setup = (PACKAGE.parent / "setup.cfg").read_text()
    packages = {".".join(path.parent.relative_to(PACKAGE.parent).parts) for path in PACKAGE.rglob("__init__.py")}
    listed = set(setup.partition("packages =")[2].partition("package_dir")[0].split())
    assert packages | {"bpcli.presets", "bpcli.mnist"} == listed
