"""`bpcli step`: one training step on one picture, both ways, with every number."""

import re
from pathlib import Path

import click

from bpcli.cli.options import FiniteRange, Named, chosen_network, forcible, introduce, require_free
from bpcli.cli.output import one_line, open_page, print_text, shown, warn
from bpcli.core.types import Bytes
from bpcli.errors import ArgumentError, BpcliError, ImageError, OutputError
from bpcli.gradcheck.one_step import Unit, one_step
from bpcli.gradcheck.one_step_text import opened, overview
from bpcli.inference.evaluation import read_split_of
from bpcli.inference.pictures import example, look_at
from bpcli.model import Model
from bpcli.report.step import Dead, Shown, step_page
from bpcli.report.units import activity
from bpcli.report.web import STEP_MARK
from bpcli.storage.files import write_file

PAGE = Path("step.html")
SAMPLE = 1000  # test images that tell which units are dead


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="[CHECKPOINT|RUN] IMAGE")
@click.option("--label", metavar="CLASS", help="What the picture shows; an image of the data set has its own label.")
@click.option("--unit", "unit_name", metavar="LAYER:UNIT",
              help="Open the sums of one unit, such as 1:7: layers count from 1, units from 0.")  # fmt: skip
@click.option("--rate", type=FiniteRange(0, 1e6, min_open=True), help="η.  [default: that of the run]")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE",
              help="The page.  [default: step.html; none with --unit]")  # fmt: skip
@click.option("--open", "browse", is_flag=True, help="Show the page in the browser.")
@forcible
def step(
    sources: tuple[str, ...], label: str | None, unit_name: str | None, rate: float | None, out: Path | None,
    browse: bool, force: bool,
) -> None:  # fmt: skip
    """Show one training step on one picture: forward, backward, proof, update.

    IMAGE is a file, or an image of the network's own data set such as test:123. The step is the first one of a run: no
    velocity yet, no weight decay, no distortion, a batch of this one picture. It is printed, and written as a page in
    which every number opens: one file that works offline.
    """
    page = out or (PAGE if unit_name is None or browse else None)
    if page is not None:
        require_free(page, force, STEP_MARK)
    if len(sources) > 2:
        raise ArgumentError(f"one network and one picture are enough; {' '.join(sources)} names {len(sources)}")
    network = chosen_network(sources[0] if len(sources) == 2 else None)
    model = network.model
    unit = None if unit_name is None else _unit(unit_name, model)
    image, index = _picture(sources[-1], label, model)
    introduce([network], by_default=len(sources) == 1)
    eta, dead = rate or model.config.optimizer.learning_rate, [] if page is None else _dead(model)
    shown_step = Shown(one_step(model, image, index), one_line(sources[-1]), image, eta, dead, unit)
    text = None if page is None else _page(network, shown_step, required=out is not None)
    print_text("\n".join(_lines(shown_step)))
    if page is not None and text is not None:
        write_file(page, text.encode())
        print_text(f"\nthe page is {shown(page)}")
        if browse:
            open_page(page)


def _lines(given: Shown) -> list[str]:
    """Return the step, or its unit, as text."""
    if given.unit is not None:
        return opened(given.step, given.unit, given.rate)
    return overview(given.step, given.rate, [int(mask.sum()) for mask in given.dead])


def _page(network: Named, given: Shown, *, required: bool) -> str | None:
    """Return the page; None, and a line that says so, if the network is too large for one that is not required."""
    try:
        return step_page(network.checkpoint, network.name, given)
    except OutputError as error:
        if required:
            raise
        warn(f"no page is written: {error}")
        return None


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


def _dead(model: Model) -> Dead:
    """Return which units of each hidden layer learn from none of some test images; nothing if there are no data."""
    try:
        sample = read_split_of(model, "test").first(SAMPLE)
    except BpcliError as error:
        warn(f"which units are dead is not known: {error}")
        return []
    return [active.dead for active in activity(model, sample.images)]
