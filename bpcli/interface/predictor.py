"""A trained network, or several that answer together, for use from Python."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from bpcli import machine
from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Array, Bytes
from bpcli.data.datasets import Split, SplitName
from bpcli.data.picture.prepare import Prepared, prepare
from bpcli.data.picture.read import read_picture
from bpcli.data.spec import DataSpec
from bpcli.errors import ArgumentError, BpcliWarning, DataError
from bpcli.inference.doubts import mistrust
from bpcli.inference.ensemble import (
    MEAN,
    Combination,
    Ensemble,
    Rule,
    Weighting,
    combination,
    common_data,
    evaluate_ensemble,
    require_same_task,
)
from bpcli.inference.predictions import Prediction, default_min_score, predict_pictures
from bpcli.model import Model
from bpcli.storage import checkpoint
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.find import find_members, name_of

Named: TypeAlias = str | os.PathLike[str]
Picture: TypeAlias = Named | Image.Image
Ink: TypeAlias = Literal["auto", "dark", "light"]

_PATHS = (str, os.PathLike)
_PICTURES = (*_PATHS, Image.Image)


def load(source: Named) -> "Predictor":
    """Return a trained network.

    Args:
        source: a run, by its folder or its name, or "latest", the one that ended last; a series, whose networks then
            answer together; a checkpoint; or "pretrained", the network that comes with bpcli.

    Raises:
        CheckpointError: there is none, or it can't be read.
    """
    return load_ensemble(source)


def load_ensemble(source: Named, *others: Named, combine: Rule = "scores", weights: Weighting = "equal") -> "Predictor":
    """Return several trained networks as one, which answers by a mean of their outputs.

    Args:
        source: a run, a checkpoint or a series, as `load` takes it.
        *others: more of them.
        combine: what the mean is taken of: scores or logits.
        weights: equal; or validation, for those with the least loss on the validation images that all share.

    Raises:
        CheckpointError: one can't be read, or they don't take the same pictures and tell the same classes apart; logits
            or weights are asked for, and their outputs or losses differ; weights are asked for, and a network was
            trained on all images, or their validation splits differ.
        ArgumentError: one is named twice, or there is no such way to combine them.
    """
    _require_one_of("combine", combine, get_args(Rule))
    _require_one_of("weights", weights, get_args(Weighting))
    found = find_members([os.fspath(each) for each in (source, *others)])
    names, members = tuple(map(name_of, found.paths)), tuple(map(checkpoint.load, found.paths))
    doubts = (f"{name} {text}" for name, each in zip(names, members, strict=True) if (text := mistrust(each)))
    for text in (*found.notes, *doubts):
        warnings.warn(text, BpcliWarning, stacklevel=2)
    predictor = Predictor(names, members)
    how = combination([*zip(names, predictor.models, strict=True)], combine, weights, _threads())
    return replace(predictor, how=how)


def _require_one_of(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ArgumentError(f"{name} = {value!r}; it is one of: {', '.join(choices)}")


@dataclass(frozen=True, slots=True, repr=False)
class Predictor:
    """One trained network, or several that answer by a mean of their outputs.

    Images are arrays or pictures. An array, of uint8 or of floats from 0 to 1, is what the network sees: white ink on
    black for digits. It has the shape (n, side, side), (n, side²), or (side, side) for one image. A picture is a path,
    an image of Pillow, or a list of them; it is prepared as `bpcli predict` prepares it.

    What comes out has the form of what goes in: an array for an array, a list for a list, and one answer for one image.

    Attributes:
        names: the name of each network.
        members: the networks with their origin.
        how: how several answer together: by the mean of what, with which weights.
    """

    names: tuple[str, ...]
    members: tuple[Checkpoint, ...]
    how: Combination = MEAN

    def __post_init__(self) -> None:
        require_same_task([*zip(self.names, self.models, strict=True)])

    def __repr__(self) -> str:
        layers = {"-".join(map(str, model.network.sizes)) for model in self.models}
        return f"<Predictor {self.name}: {', '.join(sorted(layers))}>"

    @property
    def name(self) -> str:
        """The name of the network, or the names of all."""
        return ", ".join(self.names)

    @property
    def models(self) -> tuple[Model, ...]:
        """The networks, each with its parameters, for `bpcli.core` and `bpcli.gradcheck`."""
        return tuple(member.model for member in self.members)

    @property
    def ensemble(self) -> Ensemble:
        """The networks as one."""
        return Ensemble(self.models, self.how)

    @property
    def spec(self) -> DataSpec:
        """The images that the network expects."""
        return self.members[0].spec

    @property
    def classes(self) -> NDArray[Any]:
        """The classes in the order of the scores: the ints 0 to 9 for digits, else names."""
        return np.arange(len(self.spec.classes)) if self.spec.numerals else np.array(self.spec.classes)

    def predict(self, images: Any) -> Any:
        """Return the class of each image: an int for digits, else a name.

        An array is answered with the class of the highest score. A picture is answered as by `bpcli predict`: None if
        it shows nothing, or if no score is high enough; `read` gives the reason.

        Raises:
            DataError: an array has another shape, type or range.
            ImageError: a picture can't be read.
        """
        if isinstance(pictures := _pictures(images), list):
            answers = [self._class(answer) for answer in self.read(pictures)]
            return answers if isinstance(images, (list, tuple)) else answers[0]
        found = self.classes[self.scores(pictures).argmax(axis=-1)]
        return found if found.ndim else found.item()

    def scores(self, images: Any) -> Array:
        """Return the scores of each image, (n, classes), or (classes,) for one image, in the order of `classes`.

        The scores of sigmoid outputs don't sum to one: each says by itself how much the image looks like the class.
        Those of a picture that shows nothing are NaN.

        Raises:
            DataError, ImageError: as `predict`.
        """
        if isinstance(pictures := _pictures(images), list):
            rows = np.array([answer.scores or [np.nan] * len(self.classes) for answer in self.read(pictures)])
            scores: Array = rows.astype(np.float32).reshape(-1, len(self.classes))
            return scores if isinstance(images, (list, tuple)) else scores[0]
        one = pictures.shape == (self.spec.side, self.spec.side)
        scores = self.ensemble.scores(pictures[None] if one else pictures, _threads())
        return scores[0] if one else scores

    def predict_proba(self, images: Any) -> Array:
        """Return `scores`, under the name that scikit-learn uses; they sum to one for softmax outputs only."""
        return self.scores(images)

    def read(
        self, pictures: Picture | Sequence[Picture], *, ink: Ink = "auto", min_score: float | None = None
    ) -> list[Prediction]:
        """Return the answers for pictures with scores and reasons, as `bpcli predict`.

        Args:
            pictures: one or several.
            ink: whether the ink is darker or lighter than the paper; auto decides.
            min_score: if the best score is below it, the answer has no class; by default as in `bpcli predict`.

        Raises:
            ImageError: a picture can't be read.
        """
        least = default_min_score(self.members) if min_score is None else min_score
        return predict_pictures(self.ensemble, self.prepare(pictures, ink=ink), least, _threads())

    def prepare(self, pictures: Picture | Sequence[Picture], *, ink: Ink = "auto") -> list[Prepared]:
        """Return what the network sees of pictures: `pixels` (side, side), or None and the `reason`.

        Raises:
            ImageError: a picture can't be read.
        """
        each: Sequence[Any] = pictures if isinstance(pictures, (list, tuple)) else [pictures]
        seen = partial(prepare, ink=ink, side=self.spec.side, digits=self.spec.digits)
        return [seen(read_picture(_source(picture), "the picture")) for picture in each]

    def evaluate(self, images: Any = "test", labels: ArrayLike | None = None) -> dict[str, Any]:
        """Return n, errors, accuracy, its interval, loss, precision and recall by class, and the confusion matrix.

        Args:
            images: train, validation or test, of the data that the network was trained on; or an array of images.
            labels: the class of each of these images: its index, or its name.

        Returns:
            As `bpcli evaluate --json`: a row of the confusion matrix for each label, a column for each answer.

        Raises:
            DataError: the images or the labels are not what the network takes, or its data can't be read.
            CheckpointError: the split is empty, or the networks don't share it.
            ArgumentError: there is no such split.
        """
        split = self.split(images) if isinstance(images, str) else self._labelled(np.asarray(images), labels)
        return evaluate_ensemble(self.ensemble, split, _threads()).together

    def split(self, name: str = "test") -> Split:
        """Return the images (n, side²) and the labels (n,) of a split of the data that the network was trained on.

        A label is the index of its class: `model.classes[split.labels]` is what `predict` should say.

        Args:
            name: train, validation or test.

        Raises:
            DataError: a file is missing or malformed.
            CheckpointError: the networks don't share the split.
            ArgumentError: there is no such split.
        """
        if name not in get_args(SplitName):
            raise ArgumentError(f"{name!r} is no split of the data; these are: {', '.join(get_args(SplitName))}")
        return common_data([*zip(self.names, self.models, strict=True)], name)  # type: ignore[arg-type]

    def _labelled(self, images: NDArray[Any], labels: ArrayLike | None) -> Split:
        content, indices = self.models[0].preprocessing.to_bytes(images), self._indices(np.asarray(labels))
        if indices.shape != (len(content),):
            raise DataError(f"labels of the shape {indices.shape} for {len(content)} images; each image has one")
        return Split(content, indices)

    def _indices(self, labels: NDArray[Any]) -> Bytes:
        """Return labels, indices or names of classes, as indices."""
        names = self.spec.classes
        if labels.dtype.kind == "U" and set(labels.ravel().tolist()) <= set(names):
            return np.array([names.index(label) for label in labels.ravel().tolist()], np.uint8).reshape(labels.shape)
        if labels.dtype.kind in "iu" and (not labels.size or 0 <= labels.min() <= labels.max() < len(names)):
            return labels.astype(np.uint8)
        raise DataError(f"labels that are neither 0 to {len(names) - 1} nor names of classes ({', '.join(names)})")

    def _class(self, answer: Prediction) -> int | str | None:
        return answer.label if self.spec.numerals else answer.name


def _pictures(images: Any) -> list[Picture] | NDArray[Any]:
    """Return the pictures in a list if images are pictures, else an array."""
    if isinstance(images, _PICTURES):
        return [images]
    if isinstance(images, (list, tuple)) and (not images or any(isinstance(each, _PICTURES) for each in images)):
        return [*images]
    return np.asarray(images)


def _source(picture: object) -> Path | Image.Image:
    if isinstance(picture, Image.Image):
        return picture
    if not isinstance(picture, _PATHS):
        raise DataError(f"a list of pictures holds a {type(picture).__name__}; expected paths or images of Pillow")
    return Path(picture)


def _threads() -> ThreadGroup:
    return ThreadGroup(machine.usable_cores())
