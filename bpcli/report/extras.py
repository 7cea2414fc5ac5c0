"""The packages that only the report and drawings need."""

from collections.abc import Sequence
from importlib.util import find_spec

from bpcli.errors import OutputError

EXTRA = ("jinja2", "matplotlib")


def require_extra(what: str = "the report", names: Sequence[str] = EXTRA) -> None:
    """Raise an error if a package is missing, before work begins.

    Args:
        what: that needs the packages.
        names: of the packages.

    Raises:
        OutputError: a package of the extra `report` is not installed.
    """
    if missing := [name for name in names if find_spec(name) is None]:
        raise OutputError(f"{what} needs {' and '.join(missing)}; install with: pip install {' '.join(missing)}")
