"""Where the figures come from: the machine, and the processes' surroundings."""

import os
import platform
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from bpcli.machine import usable_cores

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".peers/bin/python"  # of the environment that `make bench-peers` makes

# how many threads a library takes, or for which processor it is meant: users don't set these
_MEDDLING = re.compile(r"(OPENBLAS|MKL|OMP|GOTO|BLIS|NUMEXPR|VECLIB|XLA|TORCH)_.*")


def environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment variables without those that steer libraries' threads; the checkout's modules can be imported."""
    kept = {name: value for name, value in variables.items() if not _MEDDLING.fullmatch(name)}
    return kept | {"PYTHONPATH": str(ROOT)}


def machine() -> dict[str, str]:
    """Processor, cores, system and Python, with the day."""
    return {
        "processor": processor(Path("/proc/cpuinfo")),
        "cores": str(usable_cores()),
        "system": platform.platform(terse=True),
        "Python": platform.python_version(),
        "date": date.today().isoformat(),
    }


def processor(info: Path) -> str:
    """The processor's name, as Linux has it or as Python knows it, with family, model and the widest vector unit."""
    try:
        text = info.read_text()
    except OSError:
        return platform.processor() or platform.machine()
    known = dict(re.findall(r"^(.+?)\s*: (.*)$", text, re.MULTILINE))
    vectors = next((name for name in ("avx512f", "avx2", "avx") if name in known.get("flags", "").split()), "no AVX")
    where = f"family {known.get('cpu family', '?')}, model {known.get('model', '?')}, {vectors}"
    return f"{known.get('model name', platform.machine())} ({where})"
