"""The model card of `bpcli export`: networks are measured on their test images, and their runs asked."""

from collections.abc import Sequence
from pathlib import Path

from bpcli import machine
from bpcli.cli.options import Named
from bpcli.cli.output import one_line
from bpcli.core.threads import ThreadGroup
from bpcli.export.card import Subject, Trained, card
from bpcli.export.member import Member
from bpcli.inference.ensemble import Ensemble, common_data, evaluate_ensemble
from bpcli.storage import metrics_csv
from bpcli.storage.find import PRETRAINED
from bpcli.storage.metrics_csv import Row
from bpcli.storage.run_folder import BEST, LAST, PREVIOUS

_OWN_LICENSE = "mit"  # of the network that comes with bpcli


def measured_card(
    name: str,
    named: Sequence[Named],
    ensemble: Ensemble,
    members: Sequence[Member],
    exported: tuple[str, str] | None,
    license_id: str | None,
) -> str:
    """Return the model card of networks.

    Args:
        name: of all of them together.
        named: the networks.
        ensemble: the same as one.
        members: the same, as they are exported.
        exported: the format and the name of the file that is written; None if the card is alone.
        license_id: the license; None for one that isn't known, but for the network that comes with bpcli.

    Raises:
        CheckpointError: they have no test images in common, or a run's metrics.csv is damaged.
        DataError: the images can't be read.
    """
    images = common_data([(each.name, each.model) for each in named], "test")
    found = evaluate_ensemble(ensemble, images, ThreadGroup(machine.usable_cores()))
    trained = [
        Trained(each.checkpoint, member.sha256, _epochs(each.path)) for each, member in zip(named, members, strict=True)
    ]
    kind, files = (exported[0], [exported[1]]) if exported else ("", _files(named))
    own = _OWN_LICENSE if [each.name for each in named] == [PRETRAINED] else ""
    int8 = any(member.quantized is not None for member in members)
    known = own if license_id is None else license_id
    return card(Subject(name, trained, found, files, kind, int8, known, ensemble.how))


def _epochs(path: Path) -> tuple[Row, ...]:
    """Return the rows of metrics.csv beside a run's checkpoint; none where there is no such file."""
    known = path.name in (BEST, LAST, PREVIOUS) and (path.parent / metrics_csv.NAME).exists()
    return metrics_csv.read(path.parent) if known else ()


def _files(named: Sequence[Named]) -> list[str]:
    """Return the names of the checkpoints' files; those of several with their folders."""
    if len(named) == 1:
        return [PRETRAINED if named[0].name == PRETRAINED else one_line(named[0].path.name)]
    return [one_line("/".join(each.path.resolve().parts[-2:])) for each in named]
