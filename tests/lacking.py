"""Runs command lines of bpcli in a process from which was taken what Windows doesn't have.

`python -m tests.lacking` reads a JSON list of command lines from standard input, runs them one by one, and ends
with the first exit code that isn't 0.
"""

import errno
import json
import os
import signal
import sys
import warnings
from typing import Any, NoReturn

MODULES = ("fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty")
OF_OS = (
    "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "fchmod", "fork", "getloadavg", "geteuid", "getuid", "link", "mkfifo",
    "pread", "pwrite", "sched_getaffinity", "sync", "sysconf",
)  # fmt: skip
SIGNALS = ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1")


def no_right(*arguments: Any, **options: Any) -> NoReturn:
    """Refuse to make a link, as Windows does without the right for it."""
    raise OSError(errno.EINVAL, "A required privilege is not held by the client")


def take_away() -> None:
    """Remove modules, functions and signals; refuse files that are opened in the encoding of the locale."""
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]  # an import of it then fails
    for module, names in ((os, OF_OS), (signal, SIGNALS)):
        for name in names:
            if hasattr(module, name):  # no system has all of them
                delattr(module, name)
    os.symlink = no_right
    warnings.filterwarnings("ignore", category=EncodingWarning)
    warnings.filterwarnings("error", category=EncodingWarning, module=r"bpcli(\.|$)")


def main() -> None:
    """Run the command lines."""
    commands = json.loads(sys.stdin.read())
    take_away()
    from bpcli.cli import cli
    from bpcli.cli.output import print_anywhere

    print_anywhere()
    for arguments in commands:
        try:
            cli(arguments, prog_name="bpcli")
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    main()
