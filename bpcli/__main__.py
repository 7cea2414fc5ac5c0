"""`python -m bpcli` and the `bpcli` command."""

import _signal  # the built-in part of `signal`, which takes its time, within which Ctrl-C would end in a traceback

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # Ctrl-C ends the process, without a word, even while it starts

from bpcli.cli import main

if __name__ == "__main__":
    main()
