"""`bpcli config`: the configuration that a run would have."""

import click

from bpcli import config as configuration
from bpcli.cli import preset_text
from bpcli.cli.options import configured
from bpcli.cli.output import one_line, print_file
from bpcli.storage import start


@click.command()
@configured
@click.option("--list", "listing", is_flag=True, help="List the presets instead.")
def config(source: str, overrides: tuple[str, ...], listing: bool) -> None:
    """Print the whole configuration of a preset or file, with any overrides, as YAML.

    Comments say what each key means and which values it may have. `bpcli train -c FILE` reads what is printed; a file
    may leave out any key, for which the value in default then holds.
    """
    print_file(_presets() if listing else _whole(source, overrides))


def _presets() -> str:
    """Return a line for each preset: its name and what it is."""
    names = configuration.preset_names()
    return "".join(f"{name:{max(map(len, names))}}  {preset_text.summary(name)}\n" for name in names)


def _whole(source: str, overrides: tuple[str, ...]) -> str:
    """Return the configuration as YAML with comments."""
    values = configuration.to_lines(start.load(source, overrides))
    changed = f" with {' '.join(overrides)}" if overrides else ""
    return preset_text.commented(values, one_line(f"The whole configuration of {source}{changed}."))
