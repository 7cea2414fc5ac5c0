"""Makes torch.json: 100 steps of each case in PyTorch, float64, by its own autograd and its own SGD.

    python -m tests.golden.make_torch      (PyTorch 2.13.0 on a CPU made the file that is here)

Nothing of bpcli is used but the masks of dropout, which are drawn at random and can't be guessed.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bpcli.core.dropout import write_mask
from tests.golden.cases import BATCH, CASES, EPOCHS, IMAGES, Case, first_parameters, order, projections

HERE = Path(__file__).parent
MNIST = HERE.parent.parent / "data/mnist"
ACTIVATIONS = {
    "relu": torch.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "identity": lambda z: z,
    "elu": functional.elu,
    "gelu": functional.gelu,
}


def data() -> tuple[Tensor, Tensor]:
    """The first training images, normalised, and their labels."""
    images = gzip.decompress((MNIST / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((MNIST / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    x = np.frombuffer(images, np.uint8, IMAGES * 784).reshape(IMAGES, 784) / 255
    return torch.tensor((x - 0.1307) / 0.3081), torch.tensor(list(labels[:IMAGES]))


def loss_of(case: Case, z: Tensor, labels: Tensor) -> Tensor:
    """The mean over the batch."""
    y = functional.one_hot(labels, 10).double()
    if case.loss == "cross_entropy":
        return functional.cross_entropy(z, labels)
    if case.loss == "binary_cross_entropy":
        return functional.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(y)
    p = torch.sigmoid(z) if case.output == "sigmoid" else z
    return functional.mse_loss(p, y, reduction="sum") / 2 / len(y)


def run(case: Case, images: Tensor, labels: Tensor) -> dict[str, list[float] | list[list[float]]]:
    """The losses of the steps, each before its step, and the projections of the parameters after the last."""
    parameters = [[torch.tensor(array, requires_grad=True) for array in layer] for layer in first_parameters(case)]
    weights, biases = zip(*parameters, strict=True)
    groups = [{"params": weights, "weight_decay": case.weight_decay / IMAGES}, {"params": biases, "weight_decay": 0.0}]
    optimizer = optimizer_of(case, groups)
    losses = []
    for epoch in range(EPOCHS):
        if epoch in case.milestones:
            lower_rate(optimizer)
        for step, batch in enumerate(torch.tensor(order(epoch)).split(BATCH)):
            a = images[batch]
            for layer, ((weight, bias), name) in enumerate(
                zip(parameters, (*case.activations, "identity"), strict=True)
            ):
                a = ACTIVATIONS[name](a @ weight + bias)
                if case.dropout and layer < len(case.activations):
                    a = a * torch.tensor(mask(case, epoch, step, layer, len(batch)))
            loss = loss_of(case, a, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return {
        "losses": losses,
        "projections": [projections(array.detach().numpy()) for layer in parameters for array in layer],
    }


def optimizer_of(case: Case, groups: list[dict[str, object]]) -> torch.optim.Optimizer:
    """PyTorch's own; the betas and the epsilon are its defaults, and ours."""
    if case.optimizer == "momentum":
        return torch.optim.SGD(groups, lr=case.learning_rate, momentum=case.momentum, nesterov=case.nesterov)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[case.optimizer](groups, lr=case.learning_rate)


def mask(case: Case, epoch: int, step: int, layer: int, images: int) -> np.ndarray:
    """The mask of a step's dropout, from the seed 0."""
    out = np.empty((images, case.sizes[layer + 1]))
    write_mask(case.dropout, 0, epoch, step, layer, slice(out.shape[1]), out)
    return out


def lower_rate(optimizer: torch.optim.Optimizer) -> None:
    """Takes a tenth of the learning rate and keeps the velocity: PyTorch's is −velocity/η."""
    for group in optimizer.param_groups:
        group["lr"] *= 0.1
        for parameter in group["params"]:
            if "momentum_buffer" in optimizer.state[parameter]:
                optimizer.state[parameter]["momentum_buffer"] *= 10


def main() -> None:
    """Writes the file beside this one."""
    metrics = {name: run(case, *data()) for name, case in CASES.items()}
    (HERE / "torch.json").write_text(json.dumps(metrics, indent=0) + "\n")


if __name__ == "__main__":
    main()
