"""The paths of the files that come with the package, and of the folder in which fetched data sets are kept."""

import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(installed: str, checkout: str) -> Path:
    """Return the folder of a resource: `installed` inside the package, or `checkout` beside it.

    A wheel maps the checkout's folders into the package (`setup.cfg`, `package_dir`); an editable installation leaves
    them where they are.
    """
    packaged = _PACKAGE / installed
    return packaged if packaged.is_dir() else _PACKAGE.parent / checkout


def presets() -> Path:
    """Return the folder of the YAML presets."""
    return folder("presets", "configs")


def preset_names() -> list[str]:
    """Return the names of the presets."""
    return sorted(path.stem for path in presets().glob("*.yaml"))


def mnist() -> Path:
    """Return the folder of the four MNIST files."""
    return folder("mnist", "data/mnist")


def pretrained() -> Path:
    """Return the checkpoint of the network that `configs/pretrained.yaml` makes."""
    return _PACKAGE / "pretrained.npz"


def set_tables() -> Path:
    """Return the folder of the tables of the data sets that are known by name, a YAML file each."""
    return _PACKAGE / "sets" / "tables"


def set_names() -> list[str]:
    """Return the names of these data sets."""
    return sorted(path.stem for path in set_tables().glob("*.yaml"))


def sets() -> Path:
    """Return the folder in which data sets are kept by their names: $BPCLI_DATA_DIR, or one in the user's cache."""
    chosen = os.environ.get("BPCLI_DATA_DIR")
    return Path(chosen).absolute() if chosen else _user_cache() / "bpcli" / "data"


def _user_cache() -> Path:
    """Return the folder in which the platform wants what can be fetched again."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home raises an error for a user without one)
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
