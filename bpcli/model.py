"""The model: a network with its parameters and the preprocessing of its input. It turns images into scores."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.config import Config
from bpcli.core import parameters as flat
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.losses import OUTPUTS
from bpcli.core.network import Buffers, Network, forward
from bpcli.core.parameters import Layer
from bpcli.core.pixels import NORMALIZATIONS
from bpcli.core.threads import Interrupted, ThreadGroup, never_stop
from bpcli.core.types import Array, Bytes
from bpcli.data.preprocessing import Preprocessing
from bpcli.data.spec import DataSpec

CHUNK = 512  # images per pass, so that the default network's buffers stay within a few MB


class Outputs(NamedTuple):
    """The outputs of a network for n images: `logits`, z of the output layer, and `scores`, both (n, classes)."""

    logits: Array
    scores: Array


@dataclass(frozen=True, slots=True)
class Model:
    """A network with everything needed to use it.

    Attributes:
        config: the configuration it was made from.
        spec: the images that it expects, and the names of its classes.
        network: its layers.
        parameters: its weights and biases, one vector (`core.parameters`).
        preprocessing: what prepares images for it.
    """

    config: Config
    spec: DataSpec
    network: Network
    parameters: Array
    preprocessing: Preprocessing

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The weights and biases of each layer: views of the parameters."""
        return flat.views(self.parameters, self.network.sizes)

    def scores(self, images: NDArray[Any], threads: ThreadGroup | None = None) -> Array:
        """Return the scores (n, classes) of images.

        Args:
            images: (n, side, side) or (n, side²); uint8, or floats between 0 and 1.
            threads: the threads that share the work; by default one.

        Raises:
            DataError: the images are something else.
        """
        return self.outputs(images, threads).scores

    def outputs(
        self, images: NDArray[Any], threads: ThreadGroup | None = None, should_stop: Callable[[], bool] = never_stop
    ) -> Outputs:
        """Return the logits and the scores of images, as `scores`.

        Raises:
            DataError: the images are something else.
            Interrupted: `should_stop` returned True before all was done.
        """
        group = threads or ThreadGroup(1)
        upright = self.preprocessing.upright(self.preprocessing.to_bytes(images), group)
        outputs = Outputs(*np.empty((2, len(upright), self.network.sizes[-1]), self.parameters.dtype))

        @np.errstate(over="ignore", invalid="ignore")  # if the network has diverged, the loss shows it
        def work(index: int) -> None:
            """Run every `group.size`-th chunk through the whole network."""
            room = Buffers.allocate(self.network, min(CHUNK, len(upright)), self.parameters.dtype, backward=False)
            for start in range(index * CHUNK, len(upright), group.size * CHUNK):
                chunk = slice(start, start + CHUNK)
                self._write(outputs, upright[chunk], chunk, room)
                if should_stop():
                    raise Interrupted

        group.parallel(work)
        return outputs

    def _write(self, outputs: Outputs, upright: Bytes, chunk: slice, room: Buffers) -> None:
        x = self.preprocessing.inputs(upright, self.parameters.dtype.type)
        logits = forward(self.network, self.layers, x, room.first(len(x)))
        outputs.logits[chunk], outputs.scores[chunk] = logits, self.network.output.value(logits)

    def for_upright(self) -> "Model":
        """Return the model for images that `Preprocessing.upright` has changed already."""
        return replace(self, preprocessing=replace(self.preprocessing, deslant=False, width=None))


def build(config: Config, spec: DataSpec, parameters: Array) -> Model:
    """Return the model of a configuration, a data set and parameters."""
    return Model(config, spec, network(config, spec), parameters, preprocessing(config, spec))


def network(config: Config, spec: DataSpec) -> Network:
    """Return the network that a configuration describes, for a data set."""
    model = config.model
    return Network(
        (spec.pixels, *model.hidden, len(spec.classes)),
        tuple(ACTIVATIONS[name] for name in model.activations),
        OUTPUTS[model.output, config.loss],
        config.train.freeze,
    )


def preprocessing(config: Config, spec: DataSpec) -> Preprocessing:
    """Return the preprocessing that a configuration describes, for a data set."""
    normalization = NORMALIZATIONS[config.data.normalize](spec.mean, spec.deviation)
    return Preprocessing(spec.side, normalization, config.data.deslant, config.data.width)
