"""The packages that only the report needs."""

from importlib.util import find_spec

from bpcli.errors import OutputError

EXTRA = ("jinja2", "matplotlib")


def require_extra() -> None:
    """Raise an error if a package is missing, before a report begins.

    Raises:
        OutputError: a package of the extra `report` is not installed.
    """
    if missing := [name for name in EXTRA if find_spec(name) is None]:
        raise OutputError(f"the report needs {' and '.join(missing)}; install with: pip install {' '.join(missing)}")
