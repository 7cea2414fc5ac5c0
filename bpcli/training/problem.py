"""From the configuration to the objects that train."""

import os

import msgspec
import numpy as np

from bpcli.config import Config
from bpcli.core import parameters
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.deslant import deslant
from bpcli.core.distortions import Ranges
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Network, Part
from bpcli.core.optimizers import Momentum
from bpcli.core.schedules import Schedule
from bpcli.core.types import Bytes
from bpcli.data.mnist import CLASSES, PIXELS
from bpcli.errors import ConfigError
from bpcli.training.team import Team, usable_cores

# multiplications of a forward pass over a batch below which meetings cost more than sharing saves
_WORTH_SHARING = 20_000_000

LARGEST_CHECKPOINT = 256 * 2**20  # bytes of a checkpoint's file
_BESIDES = 2**20  # bytes of it that are not parameters, velocities or the best epoch's parameters, 4 bytes each


def network(config: Config) -> Network:
    """The network that a configuration describes."""
    model = config.model
    return Network(
        (PIXELS, *model.hidden, CLASSES),
        tuple(ACTIVATIONS[name] for name in model.activations),
        OUTPUTS[model.output, config.loss],
    )


def optimizer(config: Config, images: int) -> Momentum:
    """The rule of a step, for a training split of so many images."""
    settings = config.optimizer
    return Momentum(settings.momentum, settings.weight_decay / images, settings.nesterov)


def schedule(config: Config) -> Schedule:
    """The learning rate's schedule."""
    settings = config.schedule
    return Schedule(settings.kind, config.train.epochs, settings.milestones, settings.factor, settings.warmup)


def distortions(config: Config) -> Ranges:
    """How far the training images are distorted."""
    return Ranges(**msgspec.structs.asdict(config.augment))


def prepared(config: Config, images: Bytes, team: Team | None = None) -> Bytes:
    """The images (n, 784) as the configuration's network is shown them, before pixels become numbers.

    Args:
        config: the network's.
        images: as they are in the data set.
        team: who shares the work; by default one worker.
    """
    if not config.data.deslant:
        return images
    workers, upright = team or Team(1), np.empty_like(images)

    def work(worker: int) -> None:
        part = Part(worker, workers.size).slice(len(images))
        upright[part] = deslant(images[part])

    workers.each(work)
    return upright


def team(config: Config) -> Team:
    """The workers that train the configuration's network."""
    if config.train.threads != "auto":
        return Team(config.train.threads)
    products = config.train.batch_size * parameters.count(network(config).sizes)
    return Team(usable_cores() if products >= _WORTH_SHARING else 1)


def require_memory(config: Config, per_parameter: int = 16) -> None:
    """Refuses a network that there is no room for, before anything is allocated.

    Args:
        config: the network's.
        per_parameter: bytes; training keeps parameters, velocity, gradients and the best epoch's copy in float32.

    Raises:
        ConfigError: it needs more than the machine's memory, or its checkpoints would be too large.
    """
    sizes = network(config).sizes
    # and a, δ and f' of a batch
    needed = per_parameter * parameters.count(sizes) + 4 * 3 * config.train.batch_size * sum(sizes)
    memory = _memory()
    if needed > memory:
        raise ConfigError(
            f"model.hidden = {list(config.model.hidden)} with train.batch_size = {config.train.batch_size} needs "
            f"{needed / 2**30:,.1f} GiB of memory; this machine has {memory / 2**30:,.1f} GiB"
        )


def require_checkpoint(config: Config) -> None:
    """Refuses a network whose checkpoints would be larger than what is read.

    Raises:
        ConfigError: that is so.
    """
    count, room = parameters.count(network(config).sizes), (LARGEST_CHECKPOINT - _BESIDES) // 12
    if count > room:
        raise ConfigError(
            f"model.hidden = {list(config.model.hidden)} makes {count:,} parameters; a checkpoint, of "
            f"{LARGEST_CHECKPOINT // 2**20} MB at most, has room for {room:,}"
        )


def _memory() -> int:
    """The machine's memory in bytes; practically unlimited where the system doesn't tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 1 << 62
