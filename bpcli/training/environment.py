"""The environment of a run: in the same environment, the same configuration gives the same bytes."""

from collections.abc import Iterator, Mapping

import numpy as np
from threadpoolctl import threadpool_info

from bpcli.core.threads import ThreadGroup


def environment(threads: ThreadGroup, images: int) -> dict[str, str | int]:
    """Return the number of threads, the versions of NumPy and BLAS, the processor's kind, and the number of images."""
    return {"workers": threads.size, "NumPy": np.__version__, "BLAS": _blas(), "training images": images}


def differences(then: Mapping[str, str | int], now: Mapping[str, str | int]) -> Iterator[str]:
    """Yield a line for each thing that has changed."""
    for name, value in now.items():
        if name in then and then[name] != value:
            yield (
                f"{name}: {then[name]} when the run was saved, {value} now; the result may differ from that of a run "
                "that was never interrupted"
            )


def _blas() -> str:
    libraries = {
        " ".join(str(library.get(key) or "") for key in ("internal_api", "version", "architecture")).strip()
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    return ", ".join(sorted(libraries)) or "unknown"
