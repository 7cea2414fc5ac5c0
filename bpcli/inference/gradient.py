"""The gradient of a network's loss over some labelled images."""

from dataclasses import replace

import numpy as np

from bpcli.core import parameters
from bpcli.core.network import Buffers, backward, forward
from bpcli.core.parameters import Layer
from bpcli.data.datasets import Split
from bpcli.inference.evaluation import one_hot
from bpcli.model import Model


@np.errstate(over="ignore", invalid="ignore")
def gradient(model: Model, sample: Split) -> tuple[Layer, ...]:
    """Return the gradient of the sample's mean loss, with the layers' shapes; frozen layers have one too."""
    net = replace(model.network, frozen=0)
    gradients = parameters.views(np.zeros_like(model.parameters), net.sizes)
    room = Buffers.allocate(net, len(sample), np.float32)
    x = model.preprocessing.inputs(model.preprocessing.upright(sample.images))
    p = net.output.value(forward(net, model.layers, x, room))
    y = one_hot(sample.labels, net.sizes[-1], np.dtype(np.float32))
    backward(net, model.layers, x, p, y, room, gradients)
    return gradients
