"""`python -m bpcli` and the `bpcli` command."""

from bpcli.cli import main

if __name__ == "__main__":
    main()
