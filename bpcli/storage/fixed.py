"""The keys that no series can vary by `--vary`. The shell's completion reads them, so nothing here imports NumPy."""

from collections.abc import Mapping

_ONE_TEST = "a committee is tested on one data set"
_ONE_IMAGE = "a committee's members take the same pictures"

# why --vary refuses a key
REASONS: Mapping[str, str] = {
    "seed": "--seeds says which seeds", "train.start": "the runs of a series start from one network",
    "data.folder": _ONE_TEST, "data.name": _ONE_TEST, "data.test": _ONE_TEST,
    "data.kind": _ONE_IMAGE, "data.side": _ONE_IMAGE,
}  # fmt: skip
