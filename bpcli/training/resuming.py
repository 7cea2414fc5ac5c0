"""The configuration of a resumed run, and the record of its changes."""

from pathlib import Path

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import CheckpointError, ConfigError, DataError
from bpcli.storage import checkpoint, start
from bpcli.storage.checkpoint import Checkpoint, Progress
from bpcli.storage.run_folder import CONFIG, PREVIOUS
from bpcli.storage.state import State
from bpcli.strict_yaml import MAX_LENGTH
from bpcli.training.environment import IMAGES

_NEVER = ("model.hidden", "optimizer.kind", "data.kind", "data.side", "train.start")  # the saved state would not fit
# they determine what a step sees
_BETWEEN_EPOCHS = (
    "seed", "data.folder", "data.name", "data.validation", "data.test", "data.outliers", "data.outlier_kinds",
    "data.hands", "data.printed", "train.batch_size", "train.freeze",
)  # fmt: skip
_MARK = "# from epoch "
_HARMLESS = ("train.", "schedule.")  # keys that decide neither what images look like nor whether still weights stay so


def continued(
    folder: Path, found: Checkpoint | None, basis: str | None, overrides: list[str]
) -> tuple[Config, list[str]]:
    """Return the configuration to continue with, and a line for each key that changes.

    Args:
        folder: of the run.
        found: its last checkpoint, if one was saved.
        basis: the preset or file that the configuration must agree with; None for the run's config.yaml.
        overrides: `key=value` settings that may change it.

    Raises:
        ConfigError: the basis differs from the checkpoint in more than the overrides, or a change is impossible.
    """
    written = folder / CONFIG
    if found is None:
        return _begun(folder, basis or str(written), overrides), []
    config = configuration.override(found.config, overrides)
    if basis is not None or written.exists():
        source = basis or str(written)
        before = _before(folder, overrides) if basis is None else None
        wanted = configuration.load(source, overrides, lambda name: start.inherited(found.config))
        _require_agreement(source, wanted, config, before)
    changed = configuration.differences(found.config, config)
    if found.progress is not None:
        _require_possible(found.progress, config, changed)
    return config, [f"{key} = {now!r} from here on, {was!r} before" for key, (was, now) in changed.items()]


def _begun(folder: Path, source: str, overrides: list[str]) -> Config:
    """Return the configuration of a run without a checkpoint; refuse another network to start from than it began with.

    Raises:
        CheckpointError: the copy of that network is gone, or can't be read.
        ConfigError: the configuration is not valid.
    """
    began = configuration.load(str(folder / CONFIG))
    config = configuration.load(source, overrides, lambda name: start.inherited(began))
    if config.train.start != began.train.start:
        raise _impossible("train.start")
    return config


def require_same_images(found: Checkpoint, images: int) -> None:
    """Refuse to go on within an epoch over more or fewer images than it began with, as a folder of pictures may have.

    Raises:
        DataError: there are more or fewer.
    """
    then, where = found.environment.get(IMAGES, images), found.config.data.place or "the data"
    if found.progress and found.progress.step and isinstance(then, int) and then != images:
        raise DataError(
            f"{where}: {images:,} training images, but the run was saved within epoch {found.progress.epoch + 1} over "
            f"{then:,}; that epoch can't end with others"
        )


def trust_no_stillness(state: State, before: Config, after: Config) -> None:
    """Let every unit prove anew that it is dead, if changes of the configuration may wake it."""
    if any(not key.startswith(_HARMLESS) for key in configuration.differences(before, after)):
        state.still_since.fill(state.epoch + 1)


def comments(folder: Path, changes: list[str], state: State) -> str:
    """Return the comments at the head of config.yaml: a line for each change, earlier ones included."""
    try:
        with (folder / CONFIG).open("rb") as file:
            text = file.read(MAX_LENGTH).decode(errors="replace")
    except OSError:
        text = ""
    kept = [line for line in text.splitlines() if line.startswith(_MARK)]
    new = [f"{_MARK}{state.epoch + 1}, step {state.step + 1}: {change}" for change in changes]
    return "".join(f"{line}\n" for line in kept + new)


def _before(folder: Path, overrides: list[str]) -> Config | None:
    """Return the configuration of the previous checkpoint, with the overrides, if there is one."""
    try:
        return configuration.override(checkpoint.load(folder / PREVIOUS).config, overrides)
    except (CheckpointError, ConfigError):
        return None


def _require_agreement(source: str, written: Config, config: Config, before: Config | None) -> None:
    """Refuse a written configuration that differs from the checkpoint's.

    If a run is killed while it records a change, the change is in last.npz, but not yet in previous.npz and
    config.yaml.
    """
    if before is not None and not configuration.differences(before, written):
        return
    for key, (was, now) in configuration.differences(config, written).items():
        raise ConfigError(
            f"{source}: {key} = {now!r}, but the run was trained with {was!r}; to change it from here on, set it with "
            f"-s {key}=..."
        )


def _impossible(key: str) -> ConfigError:
    return ConfigError(f"{key} can't change in a run: what is saved would not fit")


def _require_possible(progress: Progress, config: Config, changed: dict[str, tuple[object, object]]) -> None:
    """Refuse changes with which the state can't continue."""
    for key in _NEVER:
        if key in changed:
            raise _impossible(key)
    for key in _BETWEEN_EPOCHS:
        if key in changed and progress.step:
            raise ConfigError(
                f"{key} can't change within an epoch; the run was saved after step {progress.step} of epoch "
                f"{progress.epoch + 1}"
            )
    done = progress.epoch + (progress.step > 0)
    if "train.epochs" in changed and config.train.epochs < done:
        raise ConfigError(f"train.epochs = {config.train.epochs}: the run is already in epoch {done}")
