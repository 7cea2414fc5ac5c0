"""Networks as bpcli's own checkpoints, without what training needs to go on."""

from collections.abc import Sequence
from dataclasses import replace

from bpcli.export.member import Member
from bpcli.storage import checkpoint


def npz(members: Sequence[Member]) -> bytes:
    """Return a checkpoint of one network alone, which `numpy.load` and bpcli read."""
    (member,) = members
    return checkpoint.to_bytes(replace(member.checkpoint, optimizer_state=(), best=None, progress=None, since=None))
