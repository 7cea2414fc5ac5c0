"""`bpcli step`: one training step on one picture, both ways, with every number."""

import re
from pathlib import Path

import click

from bpcli.cli.options import chosen_network, introduce
from bpcli.cli.output import print_text, warn
from bpcli.core.types import Bytes
from bpcli.errors import ArgumentError, BpcliError, ImageError
from bpcli.gradcheck.one_step import Unit, one_step
from bpcli.gradcheck.one_step_text import opened, overview
from bpcli.inference.evaluation import read_split_of
from bpcli.inference.pictures import example, look_at
from bpcli.model import Model
from bpcli.report.units import activity

SAMPLE = 1000  # test images that tell which units are dead


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="[CHECKPOINT|RUN] IMAGE")
@click.option("--label", metavar="CLASS", help="What the picture shows; an image of the data set has its own label.")
@click.option("--unit", "unit_name", metavar="LAYER:UNIT",
              help="Open the sums of one unit, such as 1:7: layers count from 1, units from 0.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(0, 1e6, min_open=True), help="η.  [default: that of the run]")
def step(sources: tuple[str, ...], label: str | None, unit_name: str | None, rate: float | None) -> None:
    """Show one training step on one picture: forward, backward, proof, update.

    IMAGE is a file, or an image of the network's own data set such as test:123. The step is the first one of a run: no
    velocity yet, no weight decay, no distortion, a batch of this one picture.
    """
    if len(sources) > 2:
        raise ArgumentError(f"one network and one picture are enough; {' '.join(sources)} names {len(sources)}")
    network = chosen_network(sources[0] if len(sources) == 2 else None)
    model = network.model
    unit = None if unit_name is None else _unit(unit_name, model)
    image, index = _picture(sources[-1], label, model)
    introduce([network], by_default=len(sources) == 1)
    taken, eta = one_step(model, image, index), rate or model.config.optimizer.learning_rate
    lines = overview(taken, eta, _dead(model)) if unit is None else opened(taken, unit, eta)
    print_text("\n".join(lines))


def _picture(name: str, label: str | None, model: Model) -> tuple[Bytes, int]:
    """Return a picture as the network's input before deslanting, (side, side), and the index of its class.

    Raises:
        ArgumentError: there is no such image or class, or the picture's class is not known.
        ImageError: the picture can't be read.
    """
    found = example(name, model)
    known = None if label is None else _class(label, model)
    if found is not None:
        return found.pixels, found.label if known is None else known
    if known is None:
        raise ArgumentError(f"{name}: what does it show? Add --label, such as --label {model.spec.classes[-1]}")
    seen = look_at(Path(name), model.spec, "auto", multi=False, keep_steps=False)
    if isinstance(seen, ImageError):
        raise seen
    if seen.prepared is None or seen.prepared.pixels is None:
        raise ImageError(f"{name}: {seen.prepared.reason if seen.prepared else 'shows nothing'}")
    return seen.prepared.pixels, known


def _class(name: str, model: Model) -> int:
    """Return the index of a class.

    Raises:
        ArgumentError: the network has no class of this name.
    """
    if name not in model.spec.classes:
        raise ArgumentError(f"--label {name}: the network's classes are {', '.join(model.spec.classes)}")
    return model.spec.classes.index(name)


def _unit(name: str, model: Model) -> Unit:
    """Return the unit that LAYER:UNIT names.

    Raises:
        ArgumentError: the network has no such unit.
    """
    found, sizes = re.fullmatch(r"([0-9]{1,3}):([0-9]{1,6})", name), model.network.sizes
    if found is None:
        raise ArgumentError(f"--unit {name}: expected LAYER:UNIT, such as 1:7")
    unit = Unit(int(found[1]), int(found[2]))
    if not 1 <= unit.layer < len(sizes):
        raise ArgumentError(f"--unit {name}: the network has the layers 1 to {len(sizes) - 1}")
    if unit.number >= sizes[unit.layer]:
        raise ArgumentError(f"--unit {name}: layer {unit.layer} has the units 0 to {sizes[unit.layer] - 1}")
    return unit


def _dead(model: Model) -> list[int]:
    """Return how many units of each hidden layer learn from none of some test images; none if there are no data."""
    try:
        sample = read_split_of(model, "test").first(SAMPLE)
    except BpcliError as error:
        warn(f"which units are dead is not known: {error}")
        return []
    return [int(active.dead.sum()) for active in activity(model, sample.images)]
