"""`bpcli config`: the configuration that a run would have."""

import click

from bpcli.cli.options import configured


@click.command()
@configured
@click.option("--list", "listing", is_flag=True, help="List the presets instead.")
def config(source: str, overrides: tuple[str, ...], listing: bool) -> None:
    """Print the whole configuration of a preset or file, with any overrides, as YAML."""
    from bpcli import config as configuration

    if listing:
        click.echo("\n".join(configuration.preset_names()))
    else:
        click.echo(configuration.to_yaml(configuration.load(source, overrides)), nl=False)
