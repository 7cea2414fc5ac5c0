"""`python -m bpcli` and the `bpcli` command."""

import _signal  # the built-in part of `signal`: while `signal` loads, Ctrl-C would print a traceback

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # Ctrl-C ends the process silently, even while it starts

from bpcli.cli import main

if __name__ == "__main__":
    main()
