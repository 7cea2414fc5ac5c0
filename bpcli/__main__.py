"""`python -m bpcli` and the `bpcli` command."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the process, without a traceback, even while it starts

from bpcli.cli import main

if __name__ == "__main__":
    main()
