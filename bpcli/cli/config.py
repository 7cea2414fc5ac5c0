"""`bpcli config`: the configuration that a run would have."""

import click

from bpcli import config as configuration
from bpcli.cli.options import configured
from bpcli.cli.output import print_text


@click.command()
@configured
@click.option("--list", "listing", is_flag=True, help="List the presets instead.")
def config(source: str, overrides: tuple[str, ...], listing: bool) -> None:
    """Print the whole configuration of a preset or file, with any overrides, as YAML."""
    if listing:
        print_text("\n".join(configuration.preset_names()))
    else:
        print_text(configuration.to_yaml(configuration.load(source, overrides)).encode(), nl=False)  # -c reads UTF-8
