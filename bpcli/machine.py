"""The processors, the memory and the shell of this machine."""

import os
import shlex

_WINDOWS = os.name == "nt"


def usable_cores() -> int:
    """Return the number of processors that this process may use, by its affinity and by the container's limit."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _container_cores() or allowed))


def _container_cores() -> int:
    """Return the number of whole processors that a control group (cgroup v2) grants; 0 without a limit."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:  # noqa: PTH123
            quota, period = file.read().split()
        return int(quota) // int(period) or 1
    except (OSError, ValueError):
        return 0


def memory() -> int:
    """Return the machine's memory in bytes, or a practically unlimited number if the system doesn't report it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 1 << 62


def quote(text: str) -> str:
    """Return the text as one word of a command line, in double quotes on Windows, where shells know no others."""
    if not _WINDOWS:
        return shlex.quote(text)
    from subprocess import list2cmdline

    return list2cmdline([text])
