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


def cache() -> Path:
    """Return the folder for what can be made again: `$BPCLI_CACHE_DIR`, or the one in the platform's cache folder.

    It need not exist.
    """
    if given := os.environ.get("BPCLI_CACHE_DIR"):
        return Path(given)
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = _home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or _home() / ".cache"
    return Path(base) / "bpcli"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        from tempfile import gettempdir

        return Path(gettempdir())


def set_tables() -> Path:
    """Return the folder of the tables of the data sets that are known by name, a YAML file each."""
    return _PACKAGE / "sets" / "tables"


def set_names() -> list[str]:
    """Return the names of these data sets."""
    return sorted(path.stem for path in set_tables().glob("*.yaml"))


def sets() -> Path:
    """Return the folder in which data sets are kept by their names: $BPCLI_DATA_DIR, or one in the user's cache."""
    chosen = os.environ.get("BPCLI_DATA_DIR")
    return Path(chosen).absolute() if chosen else cache() / "data"
