"""What is trained: the same networks, batches and rules for every contender."""

import json
from dataclasses import asdict, dataclass, replace

MOMENTUM = 0.9
MEAN, DEVIATION = 0.1307, 0.3081  # of the pixels from 0 to 1, which every contender normalises
EPOCH = 50_000  # images


@dataclass(frozen=True, slots=True)
class Case:
    """A network and how it is trained, as plain data.

    The output units are sigmoid with binary cross-entropy; gradient descent has a momentum of 0.9.

    Attributes:
        sizes: the units of each layer, inputs first.
        batch: images a step.
        steps: how many are timed at a stretch; a quarter of them are done before, untimed.
        activation: of the hidden layers: relu or sigmoid.
        learning_rate: η.
        images: how many there are to train on.
    """

    sizes: tuple[int, ...]
    batch: int
    steps: int
    activation: str = "relu"
    learning_rate: float = 0.1
    images: int = EPOCH

    @property
    def name(self) -> str:
        """Such as 784-1024-10, batch 256."""
        return f"{'-'.join(map(str, self.sizes))}, batch {self.batch}"

    def encode(self) -> str:
        """As JSON, in which a case travels to a contender's process."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> "Case":
        """From JSON."""
        plain = json.loads(text)
        return cls(**plain | {"sizes": tuple(plain["sizes"])})


NETWORKS = {
    "default": Case((784, 1024, 10), batch=256, steps=96),
    "small": Case((784, 30, 10), batch=10, steps=1000, activation="sigmoid"),
    "deep": Case((784, 2500, 2000, 1500, 1000, 500, 10), batch=256, steps=5, learning_rate=0.01),
}


def stretch(case: Case) -> Case:
    """The case with about as many multiplications a stretch as thirty steps of the default network have."""
    weights = sum(a * b for a, b in zip(case.sizes, case.sizes[1:], strict=False))
    steps = round(30 * 256 * 784 * 1024 / (case.batch * weights))
    return replace(case, steps=min(max(steps, 8), 400, case.images // case.batch))


IMAGES = [replace(NETWORKS["default"], images=images, steps=-(-images // 256)) for images in (12_500, 25_000, EPOCH)]
HIDDEN = [stretch(replace(NETWORKS["default"], sizes=(784, units, 10))) for units in (128, 256, 512, 1024, 2048)]
BATCHES = [stretch(replace(NETWORKS["default"], batch=batch)) for batch in (16, 64, 256, 1024, 4096)]
