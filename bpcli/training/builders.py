"""Build the objects of a training from its configuration."""

from collections.abc import Sequence

import msgspec
import numpy as np

from bpcli import machine
from bpcli import model as models
from bpcli.config import Config
from bpcli.core import parameters, processes, seeds
from bpcli.core.distortions import AugmentRanges
from bpcli.core.initializers import INITIALIZERS, initialize
from bpcli.core.optimizers import OPTIMIZERS, Adam, Momentum, Optimizer
from bpcli.core.parameters import Layer
from bpcli.core.processes import ProcessGroup
from bpcli.core.schedules import Schedule
from bpcli.core.threads import Group, ThreadGroup
from bpcli.data.spec import DataSpec
from bpcli.errors import ConfigError
from bpcli.model import Model
from bpcli.storage import checkpoint
from bpcli.storage.start import Start
from bpcli.storage.state import State

# A step's work is about that many multiplications for each parameter and image, and 40 more for each parameter, whose
# update waits for memory. With less work than this for each of them, workers lose more time at barriers than they save.
# benchmarks/workers.py measures it.
_UPDATE = 40
_WORTH_A_PROCESS, _WORTH_A_THREAD = 7_000_000, 20_000_000
_MOST = 16  # workers that `auto` takes; more than two were never measured, only reckoned from what one and two take


def optimizer(config: Config, images: int) -> Optimizer:
    """Return the optimizer, for a training split of `images` images."""
    settings, decay = config.optimizer, config.optimizer.weight_decay / images
    if settings.kind == "momentum":
        return Momentum(settings.momentum, decay, settings.nesterov)
    return Adam(settings.beta1, settings.beta2, settings.epsilon, decay, decoupled=settings.kind == "adamw")


def steps(config: Config, images: int) -> int:
    """Return the number of steps of an epoch over so many images; the last batch may be smaller."""
    return -(-images // config.train.batch_size)


def schedule(config: Config) -> Schedule:
    """Return the learning rate's schedule."""
    settings = config.schedule
    return Schedule(settings.kind, config.train.epochs, settings.milestones, settings.factor, settings.warmup)


def augment_ranges(config: Config) -> AugmentRanges:
    """Return the ranges of the distortions of training images."""
    return AugmentRanges(**msgspec.structs.asdict(config.augment))


def thread_group(config: Config, spec: DataSpec, cores: int | None = None) -> ThreadGroup:
    """Return the threads that train the configuration's network; `workers` may put processes in their place.

    Args:
        config: of the network.
        spec: of its data.
        cores: the processors that `train.threads: auto` may use; None for all that this process may.
    """
    if config.train.threads != "auto":
        return ThreadGroup(config.train.threads)
    work = (config.train.batch_size + _UPDATE) * parameters.count(models.network(config, spec).sizes)
    worth = _WORTH_A_PROCESS if processes.available() else _WORTH_A_THREAD
    return ThreadGroup(min(max(work // worth, 1), cores or machine.usable_cores(), _MOST))


def workers(threads: ThreadGroup) -> Group:
    """Return the workers that do the steps of a training: as many processes as these threads, where it is possible."""
    return ProcessGroup(threads.size) if threads.size > 1 and processes.available() else threads


def first_state(config: Config, spec: DataSpec, start: Start | None = None) -> State:
    """Return the state before the first step: weights drawn from the seed, and an optimizer state of zeros.

    Args:
        config: of the network.
        spec: of its data.
        start: a network with the same hidden layers, whose weights replace those drawn; None for none.

    Raises:
        ConfigError: the machine has too little memory for the network, or a checkpoint too little room.
    """
    require_possible(config, spec)
    sizes = models.network(config, spec).sizes
    vector = np.zeros(parameters.count(sizes), np.float32)
    rng = seeds.stream(config.seed, seeds.INITIALIZATION)
    initialize(parameters.views(vector, sizes), INITIALIZERS[config.model.init], rng)
    if start is not None:
        _take_over(start.model, parameters.views(vector, sizes), spec.classes)
    names = OPTIMIZERS[config.optimizer.kind].state_names
    since = np.zeros((2, sum(sizes[1:-1])), np.int32)
    return State(vector, tuple(np.zeros_like(vector) for _ in names), vector.copy(), *since)


def _take_over(start: Model, layers: Sequence[Layer], classes: Sequence[str]) -> None:
    """Copy a network's hidden layers, and its output units of the classes that it knows by name."""
    *hidden, output = start.layers
    for mine, theirs in zip(layers[:-1], hidden, strict=True):
        mine.weight[:], mine.bias[:] = theirs
    for unit, name in enumerate(classes):
        if name in start.spec.classes:
            known = start.spec.classes.index(name)
            layers[-1].weight[:, unit], layers[-1].bias[unit] = output.weight[:, known], output.bias[known]


def require_possible(config: Config, spec: DataSpec) -> None:
    """Refuse a network that can't be trained here, before anything is allocated.

    Raises:
        ConfigError: the machine has too little memory for the network, or a checkpoint too little room.
    """
    kept = 1 + len(OPTIMIZERS[config.optimizer.kind].state_names)  # parameters and the optimizer's vectors
    shared = kept if isinstance(workers(thread_group(config, spec)), ProcessGroup) else 0  # the workers' copies
    require_memory(config, spec, 4 * (kept + shared + 2))  # with gradients and the best parameters
    checkpoint.require_room(config, spec)


def require_memory(config: Config, spec: DataSpec, per_parameter: int) -> None:
    """Refuse a network that doesn't fit into memory.

    Args:
        config: of the network.
        spec: of its data.
        per_parameter: bytes for each parameter.

    Raises:
        ConfigError: it needs more than the machine's memory.
    """
    sizes = models.network(config, spec).sizes
    # for the parameters, and for a, δ and f' of a batch
    needed = per_parameter * parameters.count(sizes) + 4 * 3 * config.train.batch_size * sum(sizes)
    memory = machine.memory()
    if needed > memory:
        raise ConfigError(
            f"model.hidden = {list(config.model.hidden)} with train.batch_size = {config.train.batch_size} needs "
            f"{needed / 2**30:,.1f} GiB of memory; this machine has {memory / 2**30:,.1f} GiB"
        )
