"""Checkpoints: .npz files that NumPy reads without pickle. bpcli checks every part of a file before using it.

`docs/formats.md` describes the members.
"""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from bpcli import config as configuration
from bpcli import model as models
from bpcli.config import Config
from bpcli.core import parameters
from bpcli.core.optimizers import OPTIMIZERS
from bpcli.core.types import Array
from bpcli.data.spec import MNIST, DataSpec, flaw_in_spec
from bpcli.errors import CheckpointError, ConfigError, OutputError
from bpcli.model import Model
from bpcli.storage import arrays
from bpcli.storage.archive import Archive, Malformed, pack
from bpcli.storage.files import SYSTEM, FileSystem, write_file
from bpcli.storage.state import Epochs, State

VERSION = 1
MAX_CHECKPOINT = 256 * 2**20  # bytes of the file
_BESIDES = 2**20  # bytes in it besides the vectors
_MAX_TEXT = 64 * 1024  # characters of the JSON text
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".heic")
_SINCE = ("silent_since", "still_since")  # members of a state, a number for each hidden unit
_NETWORK, _BEST = "", "best."  # sections of members, one vector each; the optimizer's sections have its own names

Count = Annotated[int, Meta(ge=0, le=10**12)]
Epoch = Annotated[int, Meta(ge=0, le=100_000)]
Metrics: TypeAlias = dict[str, float]
Environment: TypeAlias = dict[str, str | int]
Since: TypeAlias = tuple[Epochs, Epochs]


class Progress(Struct, frozen=True, forbid_unknown_fields=True, rename={"best_metrics": "best_figures"}):
    """The numbers of a state (`storage.state.State`); its vectors are separate members."""

    epoch: Epoch
    step: Count
    loss_sum: float
    correct: Count
    best_epoch: Annotated[int, Meta(ge=-1, le=100_000)]
    best_accuracy: Annotated[float, Meta(ge=-1, le=1)]
    best_metrics: Metrics

    @property
    def has_best(self) -> bool:
        """Whether the best epoch's parameters differ from the current ones."""
        return self.best_epoch >= 0 and (self.step > 0 or self.best_epoch != self.epoch - 1)


class _Input(Struct, frozen=True, forbid_unknown_fields=True):
    """A `DataSpec`."""

    side: int
    classes: tuple[str, ...]
    mean: float
    deviation: float
    digits: bool


class _Text(Struct, forbid_unknown_fields=True, omit_defaults=True, rename={"metrics": "figures"}):
    """The JSON text of a checkpoint."""

    config: dict[str, Any]
    epoch: Epoch
    metrics: Metrics
    input: _Input | None = None  # missing in files of version 0.1, which were all of MNIST
    environment: Environment = {}
    progress: Progress | None = None
    dtype: Literal["<f4", "<f2"] = "<f4"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trained network and its origin.

    Attributes:
        config: of the run.
        spec: of the data set that it was trained on.
        epoch: how many epochs it was trained for.
        metrics: losses and accuracies after that epoch, by name, as in metrics.csv.
        parameters: one vector (`core.parameters`), float32; float16 is saved as such, and read as float32.
        environment: what else determines the exact bits of the run, by name.
        optimizer_state: vectors of the same layout, if the run can continue from here; else empty.
        best: the parameters of the best epoch, if the run can continue and they differ; else None.
        progress: where the run stands, if it can continue; else None.
        since: `silent_since` and `still_since` of the state, if it can continue; else, and in files of older versions,
            None.
    """

    config: Config
    spec: DataSpec
    epoch: int
    metrics: Mapping[str, float]
    parameters: Array
    environment: Mapping[str, str | int] = field(default_factory=dict)
    optimizer_state: tuple[Array, ...] = ()
    best: Array | None = None
    progress: Progress | None = None
    since: Since | None = None

    @property
    def model(self) -> Model:
        """The network, ready to use."""
        return models.build(self.config, self.spec, self.parameters)

    def state(self) -> State:
        """Return the state from which training continues.

        Raises:
            CheckpointError: the checkpoint holds a network only.
        """
        if self.progress is None or not self.optimizer_state:
            raise CheckpointError("this checkpoint holds a network, but not what is needed to go on training")
        best = self.parameters.copy() if self.best is None else self.best
        numbers = msgspec.structs.asdict(self.progress)
        vectors = (self.parameters, self.optimizer_state, best, *(self.since or self._unknown(self.progress)))
        return State(*vectors, metrics=dict(self.metrics), **numbers)

    def _unknown(self, progress: Progress) -> Since:
        """Return what is safe where nothing is known: every unit has fired and moved in the epoch under way."""
        none = np.full(sum(self.config.model.hidden), progress.epoch + (progress.step > 0), np.int32)
        return none, none.copy()


def of_state(config: Config, spec: DataSpec, state: State, environment: Mapping[str, str | int]) -> Checkpoint:
    """Return the checkpoint from which training can continue."""
    progress = Progress(*(getattr(state, name) for name in Progress.__struct_fields__))
    return Checkpoint(
        config,
        spec,
        state.epoch,
        state.metrics,
        state.parameters,
        environment,
        state.optimizer_state,
        state.best if progress.has_best else None,
        progress,
        (state.silent_since, state.still_since),
    )


def of_best(config: Config, spec: DataSpec, state: State, environment: Mapping[str, str | int]) -> Checkpoint:
    """Return the network of the best epoch so far."""
    return Checkpoint(config, spec, state.best_epoch + 1, state.best_metrics, state.best, environment)


def require_room(config: Config, spec: DataSpec) -> None:
    """Refuse a network whose checkpoints would be too large to be read.

    Raises:
        ConfigError: they would be too large.
    """
    vectors = 2 + len(_state_names(config))
    count = parameters.count(models.network(config, spec).sizes)
    room = (MAX_CHECKPOINT - _BESIDES) // (4 * vectors)
    if count > room:
        raise ConfigError(
            f"model.hidden = {list(config.model.hidden)} makes {count:,} parameters; a checkpoint, of "
            f"{MAX_CHECKPOINT // 2**20} MB at most, has room for {room:,}"
        )


def tensors(checkpoint: Checkpoint) -> dict[str, Array]:
    """Return the network's weights and biases by the names of the file's members: layer1.weight, layer1.bias, ..."""
    return _named(checkpoint.parameters, models.network(checkpoint.config, checkpoint.spec).sizes, _NETWORK)


def _state_names(config: Config) -> tuple[str, ...]:
    return OPTIMIZERS[config.optimizer.kind].state_names


def save(checkpoint: Checkpoint, path: Path, *, previous: str | None = None, fs: FileSystem = SYSTEM) -> None:
    """Write the checkpoint; the same checkpoint gives the same bytes.

    Args:
        checkpoint: what to save.
        path: the file.
        previous: the name under which to keep the file that was there before.
        fs: the system calls.

    Raises:
        OutputError: the file can't be written, or would be too large to be read.
    """
    content = to_bytes(checkpoint)
    if len(content) > MAX_CHECKPOINT:
        raise OutputError(f"{path}: would be larger than {MAX_CHECKPOINT // 2**20} MB, the most that is read")
    write_file(path, content, previous=previous, fs=fs)


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return the content of the checkpoint's file."""
    text = _Text(
        configuration.to_tree(checkpoint.config),
        checkpoint.epoch,
        dict(checkpoint.metrics),
        _Input(**asdict(checkpoint.spec)),
        dict(checkpoint.environment),
        checkpoint.progress,
        "<f2" if checkpoint.parameters.dtype == np.float16 else "<f4",
    )
    members = {"format_version": np.array(VERSION, "<i4"), "meta": np.array(msgspec.json.encode(text).decode())}
    sizes = models.network(checkpoint.config, checkpoint.spec).sizes
    state = zip(_state_names(checkpoint.config), checkpoint.optimizer_state, strict=bool(checkpoint.optimizer_state))
    members |= _named(checkpoint.parameters, sizes, _NETWORK)
    for name, vector in state:
        members |= _named(vector, sizes, f"{name}.")
    if checkpoint.best is not None:
        members |= _named(checkpoint.best, sizes, _BEST)
    members |= zip(_SINCE, checkpoint.since or (), strict=bool(checkpoint.since))
    return pack({f"{name}.npy": arrays.npy(array) for name, array in members.items()})


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and check its version, names, types, shapes, numbers and SHA-256.

    Raises:
        CheckpointError: the file is missing, damaged or not a checkpoint of this version.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise CheckpointError(f"{path}: not a file")
        if about.st_size > MAX_CHECKPOINT:
            raise CheckpointError(f"{path}: larger than {MAX_CHECKPOINT // 2**20} MB, which no checkpoint is")
        with path.open("rb") as file:
            return _read(Archive(file), str(path))
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    except (Malformed, msgspec.DecodeError, RecursionError) as error:
        if path.suffix.lower() in _PICTURES:
            raise CheckpointError(f"{path}: a picture, not a checkpoint; `bpcli predict` reads pictures") from error
        raise CheckpointError(f"{path}: not a checkpoint of bpcli, or damaged: {_short(str(error))}") from error


def _read(archive: Archive, path: str) -> Checkpoint:
    version = int(arrays.read(archive, "format_version", (), "<i4"))
    if version != VERSION:
        raise CheckpointError(f"{path}: has the format version {version}; this bpcli reads version {VERSION}")
    text = _text(archive)
    config, spec = configuration.from_tree(text.config, f"{path}: config"), _spec(text)
    sizes = models.network(config, spec).sizes
    names = _state_names(config) if text.progress else ()
    sections = (_NETWORK, *(f"{name}." for name in names), *([_BEST] if _has_best(text) else []))
    known = _SINCE if text.progress and f"{_SINCE[0]}.npy" in archive.members else ()
    _require_members(archive, sizes, sections, text.dtype, known)
    vectors = {section: _vector(archive, sizes, section, text.dtype) for section in sections}
    return Checkpoint(
        config,
        spec,
        text.epoch,
        text.metrics,
        vectors[_NETWORK],
        text.environment,
        tuple(vectors[f"{name}."] for name in names),
        vectors.get(_BEST),
        text.progress,
        _since(archive, sizes, text.epoch) if known else None,
    )


def _since(archive: Archive, sizes: tuple[int, ...], epoch: int) -> Since:
    """Return the epochs of the hidden units, each the next one at most."""
    silent, still = (arrays.read(archive, name, (sum(sizes[1:-1]),), "<i4").astype(np.int32) for name in _SINCE)
    if not ((silent >= 0) & (silent <= epoch + 1) & (still >= 0) & (still <= epoch + 1)).all():
        raise Malformed("silent_since or still_since holds numbers that are no epoch of the run")
    return silent, still


def _spec(text: _Text) -> DataSpec:
    """Return the specification of the images; version 0.1 knew only MNIST and saved none."""
    if text.input is None:
        return MNIST
    spec = DataSpec(**msgspec.structs.asdict(text.input))
    if flaw := flaw_in_spec(spec):
        raise Malformed(f"its input: {flaw}")
    return spec


def _has_best(text: _Text) -> bool:
    """Return whether the parameters of the best epoch are among the members."""
    progress = text.progress
    if progress is None:
        return False
    if text.dtype != "<f4" or text.epoch != progress.epoch or progress.best_epoch >= progress.epoch:
        raise Malformed("its progress contradicts itself")
    return progress.has_best


def _named(vector: Array, sizes: tuple[int, ...], section: str) -> dict[str, NDArray[Any]]:
    """Return the members of a vector: layer1.weight, layer1.bias, layer2.weight and so on."""
    arrays = (array for layer in parameters.views(vector, sizes) for array in layer)
    return dict(zip((name for name, _ in _shapes(sizes, section)), arrays, strict=True))


def _shapes(sizes: tuple[int, ...], section: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the names of a section's members, each with its shape."""
    for number, (fan_in, fan_out) in enumerate(pairwise(sizes), 1):
        yield f"{section}layer{number}.weight", (fan_in, fan_out)
        yield f"{section}layer{number}.bias", (fan_out,)


def _require_members(
    archive: Archive, sizes: tuple[int, ...], sections: tuple[str, ...], dtype: str, since: tuple[str, ...]
) -> None:
    """Check that exactly the expected members are there, each of the size that the configuration implies."""
    shapes = dict(shape for section in sections for shape in _shapes(sizes, section))
    expected = {f"{name}.npy" for name in ("format_version", "meta", *shapes, *since)}
    odd = expected ^ archive.members.keys()
    if odd:
        raise Malformed(f"missing or unknown member {_short(repr(min(odd)))}")
    for name, shape in shapes.items():
        arrays.require_size(archive, name, prod(shape) * np.dtype(dtype).itemsize)


def _vector(archive: Archive, sizes: tuple[int, ...], section: str, dtype: str) -> Array:
    """Return the vector of a section's members; refuse numbers that are not finite."""
    vector = np.empty(parameters.count(sizes), np.float32)
    for name, view in _named(vector, sizes, section).items():
        array = arrays.read(archive, name, view.shape, dtype)
        if not np.isfinite(array).all():
            raise Malformed(f"{name} holds numbers that are not finite")
        view[...] = array
    return vector


def _text(archive: Archive) -> _Text:
    member = archive.members.get("meta.npy")
    if member is None or member.size > 4 * _MAX_TEXT + arrays.MAX_HEADER:
        raise Malformed("meta is missing, or not a short text")
    descr, shape, data = arrays.opened(archive, "meta")
    if shape != "()" or descr != f"<U{len(data) // 4}":
        raise Malformed("meta is missing, or not a short text")
    try:
        return msgspec.json.decode(str(data, "utf-32-le"), type=_Text)
    except UnicodeDecodeError as error:
        raise Malformed(f"meta is not text: {error}") from error


def _short(text: str) -> str:
    """Return a reason, shortened for a message."""
    return text if len(text) <= 120 else f"{text[:117]}..."
