"""The environment of a run: in the same environment, the same configuration gives the same bytes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from bpcli.core.threads import ThreadGroup

IMAGES = "training images"


def environment(threads: ThreadGroup, images: int) -> dict[str, str | int]:
    """Return the number of threads, the versions of NumPy and BLAS, the processor's kind, and the number of images."""
    return {"workers": threads.size, "NumPy": np.__version__, "BLAS": _blas(), IMAGES: images}


def differences(then: Mapping[str, str | int], now: Mapping[str, str | int]) -> Iterator[str]:
    """Yield a line for each thing that has changed."""
    for name, value in now.items():
        if name in then and then[name] != value:
            yield (
                f"{name}: {then[name]} when the run was saved, {value} now; the result may differ from that of a run "
                "that was never interrupted"
            )


def _blas() -> str:
    """Return the BLAS that NumPy uses; other packages, such as SciPy, may have loaded their own."""
    loaded = [library for library in threadpool_info() if library["user_api"] == "blas"]
    own = [library for library in loaded if any("numpy" in part for part in Path(library["filepath"]).parts[-3:-1])]
    return ", ".join(sorted({_version(library) for library in own or loaded})) or "unknown"


def _version(library: Mapping[str, Any]) -> str:
    return " ".join(str(library.get(key) or "") for key in ("internal_api", "version", "architecture")).strip()
