"""PyTorch: eager, with the fused SGD, compiled, and with autocast to bfloat16."""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import count, pairwise

import torch
from torch import nn

from benchmarks.cases import MOMENTUM, Case
from benchmarks.contenders.data import normalised
from benchmarks.contenders.serving import Ready, serve


def make(case: Case, variant: str, folder: str) -> Ready:
    """A model of a case with its optimizer: `eager`, `fused`, `compiled` or `bfloat16`, the last two fused as well."""
    torch.manual_seed(0)
    x, y = (torch.from_numpy(each) for each in normalised(case, folder))
    network, criterion = _network(case), nn.BCEWithLogitsLoss(reduction="sum")
    optimizer = torch.optim.SGD(network.parameters(), case.learning_rate, MOMENTUM, fused=variant != "eager")
    epochs = count()

    def loss(images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16) if variant == "bfloat16" else nullcontext():
            total: torch.Tensor = criterion(network(images), targets) / len(images)
            return total

    if variant == "compiled":
        loss = torch.compile(loss)

    def step(chosen: torch.Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss(x[chosen], y[chosen]).backward()
        optimizer.step()

    def ready(steps: int) -> Callable[[], None]:
        generator = torch.Generator().manual_seed(next(epochs))
        batches = torch.randperm(len(x), generator=generator)[: steps * case.batch].split(case.batch)

        def run() -> None:
            for batch in batches:
                step(batch)

        return run

    return ready


def _network(case: Case) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(case.sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU() if case.activation == "relu" else nn.Sigmoid()]
    return nn.Sequential(*layers[:-1])


def about(case: Case) -> dict[str, str]:
    """PyTorch's version."""
    return {"PyTorch": torch.__version__}


if __name__ == "__main__":
    serve(make, about)
