"""bpcli: backpropagation you can read, check and run, in NumPy.

The Python interface: `load` and `load_ensemble` give trained networks, `train`, `resume` and `open_run` give runs, and
`MLPClassifier` is an estimator by the conventions of scikit-learn. docs/python.md shows them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bpcli.config import Config as Config
    from bpcli.errors import BpcliError as BpcliError
    from bpcli.errors import BpcliWarning as BpcliWarning
    from bpcli.interface.classifier import MLPClassifier as MLPClassifier
    from bpcli.interface.predictor import Predictor as Predictor
    from bpcli.interface.predictor import load as load
    from bpcli.interface.predictor import load_ensemble as load_ensemble
    from bpcli.interface.runs import Run as Run
    from bpcli.interface.runs import open_run as open_run
    from bpcli.interface.runs import resume as resume
    from bpcli.interface.runs import train as train

__version__ = "0.2.0"

# the module of each name: a name is imported when it is used first, so that `import bpcli` needs no NumPy
_MODULES = {
    "BpcliError": "bpcli.errors",
    "BpcliWarning": "bpcli.errors",
    "Config": "bpcli.config",
    "MLPClassifier": "bpcli.interface.classifier",
    "Predictor": "bpcli.interface.predictor",
    "Run": "bpcli.interface.runs",
    "load": "bpcli.interface.predictor",
    "load_ensemble": "bpcli.interface.predictor",
    "open_run": "bpcli.interface.runs",
    "resume": "bpcli.interface.runs",
    "train": "bpcli.interface.runs",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """Return a name of the interface, and keep it (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_MODULES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
