"""Checkpoints: .npz files that NumPy alone reads, without pickle, and that are believed only after a close look.

`docs/formats.md` describes the members.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.core import parameters
from bpcli.core.types import Array
from bpcli.errors import CheckpointError, ConfigError
from bpcli.training import problem
from bpcli.training.files import write_file
from bpcli.training.loop import State

VERSION = 1
LARGEST = 256 * 2**20  # bytes of a file that is read
_LONGEST_TEXT = 64 * 1024  # characters of the JSON text

# The numbers of a state, which stand in the JSON text; its vectors are members of their own.
_PROGRESS = tuple(field.name for field in fields(State) if field.name not in ("parameters", "velocity", "best"))
_WRONG = (
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A network and where it comes from.

    Attributes:
        config: of the run.
        epoch: how many epochs it was trained for.
        figures: losses and accuracies after that epoch, by name, as in metrics.csv.
        parameters: one vector (`core.parameters`), float32.
        velocity: of the same layout, where the run can go on from here.
        progress: the numbers of the run's `State`, likewise.
    """

    config: Config
    epoch: int
    figures: Mapping[str, float]
    parameters: Array
    velocity: Array | None = None
    progress: Mapping[str, float] | None = None

    def state(self, best: Array) -> State:
        """The state to go on from, given the parameters of the best epoch so far.

        Raises:
            CheckpointError: the checkpoint holds a network only.
        """
        if self.velocity is None or self.progress is None:
            raise CheckpointError("this checkpoint holds a network, but not what is needed to go on training")
        return State(self.parameters, self.velocity, best, **self.progress)  # type: ignore[arg-type]


def of_state(config: Config, state: State, figures: Mapping[str, float]) -> Checkpoint:
    """The checkpoint to go on from."""
    progress = {name: value for name, value in asdict(state).items() if name in _PROGRESS}
    return Checkpoint(config, state.epoch, figures, state.parameters, state.velocity, progress)


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Writes the checkpoint; the same checkpoint gives the same bytes.

    Raises:
        OutputError: the file can't be written; what was there before still is.
    """
    text = {
        "config": configuration.to_tree(checkpoint.config),
        "epoch": checkpoint.epoch,
        "figures": dict(checkpoint.figures),
    }
    members = {"format_version": np.array(VERSION, "<i4")}
    sizes = problem.network(checkpoint.config).sizes
    vectors = {"": checkpoint.parameters}
    if checkpoint.velocity is not None and checkpoint.progress is not None:
        text["progress"] = dict(checkpoint.progress)
        vectors["velocity."] = checkpoint.velocity
    members["meta"] = np.array(json.dumps(text))
    for prefix, vector in vectors.items():
        members |= _named(vector, sizes, prefix)
    write_file(path, lambda file: _write_members(file, members))


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint and checks its version, names, types, shapes and numbers.

    Raises:
        CheckpointError: the file is missing, damaged or not a checkpoint of this version.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise CheckpointError(f"{path}: larger than {LARGEST // 2**20} MB, which no checkpoint is")
        with zipfile.ZipFile(path) as archive:
            return _read(archive, str(path))
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}") from error
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    except _WRONG as error:
        raise CheckpointError(f"{path}: not a checkpoint of bpcli, or damaged: {_reason(error)}") from error


def _read(archive: zipfile.ZipFile, path: str) -> Checkpoint:
    version = int(_member(archive, "format_version", (), "<i4"))
    if version != VERSION:
        raise CheckpointError(f"{path}: has the format version {version}; this bpcli reads version {VERSION}")
    text = json.loads(str(_text(archive)))
    config = configuration.from_tree(text["config"], f"{path}: config")
    sizes = problem.network(config).sizes
    progress = text.get("progress")
    _require_names(archive, sizes, ("", "velocity.") if progress is not None else ("",))
    return Checkpoint(
        config,
        int(text["epoch"]),
        {str(name): float(value) for name, value in text["figures"].items()},
        _vector(archive, sizes, ""),
        None if progress is None else _vector(archive, sizes, "velocity."),
        None if progress is None else {name: progress[name] for name in _PROGRESS},
    )


def _named(vector: Array, sizes: tuple[int, ...], prefix: str) -> dict[str, NDArray[Any]]:
    """The members of a vector: layer1.weight, layer1.bias, layer2.weight and so on."""
    named: dict[str, NDArray[Any]] = {}
    for number, layer in enumerate(parameters.views(vector, sizes), 1):
        named[f"{prefix}layer{number}.weight"] = layer.weight
        named[f"{prefix}layer{number}.bias"] = layer.bias
    return named


def _write_members(file: BinaryIO, members: Mapping[str, NDArray[Any]]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in members.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.array(array, order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getbuffer())  # ZipInfo's date is a fixed one


def _require_names(archive: zipfile.ZipFile, sizes: tuple[int, ...], prefixes: tuple[str, ...]) -> None:
    layers = [f"{prefix}layer{number}" for prefix in prefixes for number in range(1, len(sizes))]
    names = {
        "format_version",
        "meta",
        *(f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")),
    }
    found = sorted(archive.namelist())
    if found != sorted(f"{name}.npy" for name in names):
        odd = set(found) ^ {f"{name}.npy" for name in names} or {name for name in found if found.count(name) > 1}
        raise ValueError(f"missing, unknown or repeated member {sorted(odd)[0]!r}")


def _vector(archive: zipfile.ZipFile, sizes: tuple[int, ...], prefix: str) -> Array:
    """The vector of all layers' members, checked."""
    vector = np.empty(parameters.count(sizes), np.float32)
    for name, view in _named(vector, sizes, prefix).items():
        array = _member(archive, name, view.shape, "<f4")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
        view[...] = array
    return vector


def _text(archive: zipfile.ZipFile) -> NDArray[np.str_]:
    with archive.open("meta.npy") as member:
        _, _, dtype = _header(member)
    if dtype.kind != "U" or dtype.itemsize > 4 * _LONGEST_TEXT:
        raise ValueError("meta is not a short text")
    return _member(archive, "meta", (), dtype.str)


def _member(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """One array, of just this shape and type; its declared size is checked before anything is read."""
    expected = np.dtype(dtype)
    info = archive.getinfo(f"{name}.npy")
    size = int(np.prod(shape, dtype=np.int64)) * expected.itemsize
    if not size <= info.file_size <= size + 10_000:
        raise ValueError(f"{name} has {info.file_size} bytes, not {size} and a header")
    content = io.BytesIO(archive.read(info))
    found, fortran, found_dtype = _header(content)
    if (found, fortran, found_dtype) != (shape, False, expected):
        raise ValueError(f"{name} is {found_dtype} {found}, not {expected} {shape}")
    data = content.read()
    if len(data) != size:
        raise ValueError(f"{name} has {len(data)} bytes of data, not {size}")
    return np.frombuffer(data, expected).reshape(shape)


def _header(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type that a .npy file declares."""
    if np.lib.format.read_magic(member) != (1, 0):
        raise ValueError("an array in a newer format than checkpoints use")
    return np.lib.format.read_array_header_1_0(member)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else f"{text[:117]}..."
