"""A process that begins a run in the folder it is told, at the moment it is told, and holds it until it may go on.

python -m tests.reliability.rival WHERE CONFIG
"""

import os
import sys
from pathlib import Path

from bpcli import config as configuration
from bpcli.errors import BpcliError
from bpcli.training.run import recorded_training


def main() -> None:
    os.chdir(sys.argv[1])
    config = configuration.load(sys.argv[2])
    print("ready", flush=True)
    while folder := sys.stdin.readline().strip():
        run = recorded_training(config, "x", Path(folder))
        try:
            next(run)
            print("won", flush=True)
        except BpcliError as error:
            print(error.exit_code, flush=True)
        sys.stdin.readline()
        run.close()
        print("ready", flush=True)


if __name__ == "__main__":
    main()
