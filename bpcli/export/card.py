"""The model card of a network: a README in Markdown with the front matter that the Hugging Face hub reads.

It states what the checkpoint and the folder of the run know, and what was measured while it was written; nothing else.
Front matter: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bpcli import __version__
from bpcli import config as configuration
from bpcli.config import Tree
from bpcli.data.picture.digit import layout
from bpcli.export.card_usage import usage
from bpcli.inference.doubts import mistrust
from bpcli.inference.ensemble import MEAN, Combination, EnsembleMetrics
from bpcli.inference.predictions import default_min_score
from bpcli.inference.statistics import statistics_of
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.members import title
from bpcli.storage.metrics_csv import Row
from bpcli.strict_yaml import to_text

MNIST_ON_HUB = "ylecun/mnist"
LIBRARY, TASK = "bpcli", "image-classification"  # as the hub calls them
MOST = 12  # confusions that are listed
_PATHS = ("data.folder", "train.start")  # keys whose values are nobody else's business
_TOLD = 3  # settings by which a row tells a member from the others; where more differ, the configurations have them
_BY_CLASS = ("precision", "recall", "confusion")  # metrics


class Trained(NamedTuple):
    """A network that a card is about.

    Attributes:
        checkpoint: the network and its origin.
        sha256: of the checkpoint's file, in hexadecimal digits.
        epochs: the rows of the run's metrics.csv; none where there is no such file.
    """

    checkpoint: Checkpoint
    sha256: str
    epochs: tuple[Row, ...] = ()


class Subject(NamedTuple):
    """What a card is about: one network, or a committee.

    Attributes:
        name: of the network, as a heading.
        members: one or several.
        found: their metrics on the test split.
        files: the names of the files to use: of the checkpoints, or the one that was exported.
        kind: the format of the latter; "" for checkpoints.
        int8: whether that file has weights of int8.
        license: the identifier of the license that the user gives the network; "" if none is known.
        how: how several members answer together.
    """

    name: str
    members: Sequence[Trained]
    found: EnsembleMetrics
    files: Sequence[str]
    kind: str = ""
    int8: bool = False
    license: str = ""
    how: Combination = MEAN

    @property
    def first(self) -> Checkpoint:
        """The first member, whose classes, images and data are those of all."""
        return self.members[0].checkpoint

    @property
    def data(self) -> str:
        """The name of the data set."""
        folder = self.first.config.data.place
        return "MNIST" if folder is None else Path(folder).name


def card(subject: Subject) -> str:
    """Return the text of the model card."""
    sections = {
        "Results": _results(subject),
        "Confusion": _confusion(subject),
        "How it was trained": _training(subject),
        "How to use it": _usage(subject),
        "Limits": _limits(subject),
    }
    body = "".join(f"\n## {title}\n\n{_lines(lines)}" for title, lines in sections.items())
    return f"---\n{to_text(front_matter(subject))}---\n\n# {subject.name}\n\n{_lines(_introduction(subject))}{body}"


def front_matter(subject: Subject) -> dict[str, Any]:
    """Return what the hub reads; no license where none is given, and no data set but the hub's MNIST."""
    on_hub = subject.first.config.data.place is None
    dataset = {"type": MNIST_ON_HUB if on_hub else subject.data, "name": subject.data, "split": "test"}
    metrics = [{"type": "accuracy", "value": subject.found.together["accuracy"], "name": "Test accuracy"}]
    result = {"task": {"type": TASK}, "dataset": dataset, "metrics": metrics}
    return {
        **({"license": subject.license} if subject.license else {}),
        "library_name": LIBRARY,
        "pipeline_tag": TASK,
        **({"datasets": [MNIST_ON_HUB]} if on_hub else {}),
        "metrics": ["accuracy"],
        "model-index": [{"name": subject.name, "results": [result]}],
    }


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines).strip() + "\n"


def _introduction(subject: Subject) -> Iterator[str]:
    spec, shapes = subject.first.spec, [_shape(each.checkpoint) for each in subject.members]
    one = "which digit" if spec.digits else f"which of {len(spec.classes)} classes"
    if len(shapes) == 1:
        yield f"A fully connected network of {shapes[0]} that says {one} a picture shows."
    else:
        yield f"A committee of {len(shapes)} fully connected networks that says {one} a picture shows, by the mean of"
        yield f"their {subject.how.rule}{_weighted(subject.how)}. They have {', '.join(dict.fromkeys(shapes))}."
    yield f"It was trained with bpcli in NumPy; bpcli {__version__} wrote this card."
    for each in subject.members:
        if text := mistrust(each.checkpoint):
            yield f"\n**Warning: a network {_escaped(text)}.**"


def _weighted(how: Combination) -> str:
    weights = ", ".join(f"{weight:.3f}" for weight in how.weights or ())
    return f", weighted by {weights}: the weights were chosen on validation images" if weights else ""


def _shape(loaded: Checkpoint) -> str:
    return f"{'-'.join(map(str, loaded.model.network.sizes))} units ({loaded.parameters.size:,} parameters)"


def _results(subject: Subject) -> Iterator[str]:
    together, several = subject.found.together, len(subject.members) > 1
    yield f"On the {together['n']:,} test images of {_escaped(subject.data)}, measured when this card was written:"
    yield ""
    rows = [*_rows(subject)] if several else [("test", *_numbers(together))]
    yield from _table(("", "accuracy", "errors", "loss"), rows)
    if not several and (kept := _validation(subject.first)):
        yield ""
        yield kept
    yield ""
    yield from _table(("class", "precision", "recall", "images"), [*_class_rows(subject)])


def _class_rows(subject: Subject) -> Iterator[tuple[str, ...]]:
    classes, metrics = subject.first.spec.classes, subject.found.together
    for name, right, hit, row in zip(classes, *(metrics[key] for key in _BY_CLASS), strict=True):
        yield _escaped(name), _percent(right), _percent(hit), f"{sum(row):,}"


def _rows(subject: Subject) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the members of a committee, their statistics, and all together."""
    for name, metrics in zip(_titles(subject), subject.found.members, strict=True):
        yield _escaped(name), *_numbers(metrics)
    accuracy, errors = (statistics_of([each[key] for each in subject.found.members]) for key in ("accuracy", "errors"))
    yield "mean", _percent(accuracy.mean), f"{errors.mean:.1f}", ""
    yield "standard deviation", f"{100 * (accuracy.sd or 0.0):.2f} points", f"{errors.sd or 0.0:.1f}", ""
    yield "all together", *_numbers(subject.found.together)


def _titles(subject: Subject) -> list[str]:
    """Return what tells the members apart: their seeds; or, where these don't, a few settings in which they differ."""
    configs = [each.checkpoint.config for each in subject.members]
    different = {key: None for config in configs for key in configuration.differences(configs[0], config)}
    keys = [key for key in different if key not in ("seed", *_PATHS)]
    told = keys if len({config.seed for config in configs}) < len(configs) and len(keys) <= _TOLD else []
    lines = [configuration.to_lines(config) for config in configs]
    return [title({key: each[key] for key in (*told, "seed")}) for each in lines]


def _numbers(metrics: dict[str, Any]) -> tuple[str, str, str]:
    loss = metrics["loss"]
    return _percent(metrics["accuracy"]), f"{metrics['errors']:,}", "" if loss is None else f"{loss:.4f}"


def _validation(loaded: Checkpoint) -> str:
    """Return the accuracy on the images that were kept from training, as the run measured it; "" if it had none."""
    accuracy, kept = loaded.metrics.get("validation_accuracy"), loaded.config.data.validation
    if accuracy is None:
        return ""
    images = f"{kept:,} validation images" if type(kept) is int else "validation images"
    return f"On the {images}, by which the epoch was chosen, it was {_percent(accuracy)}."


def _confusion(subject: Subject) -> Iterator[str]:
    pairs = confusions(subject.found.together["confusion"])
    if not pairs:
        yield "None of the test images was taken for another class."
        return
    classes = [_escaped(name) for name in subject.first.spec.classes]
    yield f"The most frequent mistakes on the test images, of {subject.found.together['errors']:,}:"
    yield ""
    rows = [(classes[label], classes[answer], str(n)) for n, label, answer in pairs[:MOST]]
    yield from _table(("the picture shows", "the answer was", "images"), rows)


def confusions(confusion: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    """Return how many images of which label got which wrong answer, the most frequent first."""
    pairs = [(n, label, answer) for label, row in enumerate(confusion) for answer, n in enumerate(row)]
    return sorted((pair for pair in pairs if pair[0] and pair[1] != pair[2]), key=lambda pair: (-pair[0], *pair[1:]))


def _training(subject: Subject) -> Iterator[str]:
    for each in subject.members:
        yield f"- {'; '.join(_facts(each))}."
    for settings in _settings(subject):
        yield from ("", "```yaml", *to_text(settings).splitlines(), "```")


def _facts(each: Trained) -> Iterator[str]:
    """Yield how a network was trained, as far as its files know."""
    loaded, about = each.checkpoint, each.checkpoint.environment
    yield f"Seed {loaded.config.seed}"
    yield _origin(loaded)
    if isinstance(images := about.get("training images"), int):
        yield f"{images:,} training images"
    yield f"the network after epoch {loaded.epoch}" + (f" of {len(each.epochs)}" if each.epochs else "")
    if each.epochs:
        yield f"{sum(row['seconds'] or 0 for row in each.epochs):,.0f} s for all epochs with their validation"
    versions = [f"{name} {about[name]}" for name in ("NumPy", "BLAS") if name in about]
    if threads := about.get("workers"):
        yield _escaped(", ".join([*versions, f"{threads} thread{'s' * (threads != 1)}"]))
    yield f"SHA-256 of the checkpoint {each.sha256}"


def _origin(loaded: Checkpoint) -> str:
    """Return what a network started from: the checkpoint names another network, or the weights were drawn."""
    about = loaded.environment
    name = about.get("start") or configuration.to_tree(loaded.config)["train"].get("start")
    digest = f", SHA-256 {about['start SHA-256']}" if "start SHA-256" in about else ""
    weights = f"the weights of {_escaped(Path(str(name)).name)}{digest}" if name else "random weights"
    return f"started from {weights}"


def _settings(subject: Subject) -> list[Tree]:
    """Return the different configurations, without their seeds and without the paths of folders."""
    found: list[Tree] = []
    for each in subject.members:
        tree = configuration.to_tree(each.checkpoint.config)
        del tree["seed"]
        for section, key in (path.split(".") for path in _PATHS):
            if tree[section].get(key):
                tree[section][key] = Path(tree[section][key]).name
        if tree not in found:
            found.append(tree)
    return found


def _usage(subject: Subject) -> Iterator[str]:
    yield from usage(subject.kind, subject.files, subject.first.spec, subject.how)
    if subject.int8:
        yield "The weights in the file are rounded to int8. The figures above are those of the network in float32."


def _limits(subject: Subject) -> Iterator[str]:
    spec, configs = subject.first.spec, [each.checkpoint.config for each in subject.members]
    yield f"- It takes grey pictures of {spec.side}×{spec.side} pixels."
    if not spec.digits:
        yield f"- It answers one of its {len(spec.classes)} classes, whatever the picture shows."
        return
    yield (
        f"- The digits are light on dark, scaled into a box of {layout(spec.side).box} pixels and centred by mass. "
        "`bpcli predict` prepares photographs and scans so; other programs have to do it themselves."
    )
    yield (
        "- The figures above are those of the test images. How well it reads pictures of your own was not measured for "
        "this card; `bpcli evaluate --pictures` measures it on generated ones."
    )
    if not any(config.augment.distorts for config in configs):
        yield "- It was trained without distortions, on digits as they are in the data set."
    if not any(config.data.outliers for config in configs):
        yield "- It was shown no pictures without digits in training, and may find a digit in any of them."
    least = default_min_score([each.checkpoint for each in subject.members])
    yield f'- `bpcli predict` answers "no digit" where the best score is below {least:g}.'


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (heading, ["---"] * len(heading), *rows):
        yield f"| {' | '.join(row)} |"


def _escaped(text: str) -> str:
    """Return a text of others for Markdown, such as the name of a class."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|~" else c for c in text)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"
