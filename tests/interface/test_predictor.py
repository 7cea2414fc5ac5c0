"""Networks from Python: they answer as the commands do, for arrays and for pictures."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

import bpcli as package
from bpcli import BpcliWarning, Predictor
from bpcli import config as configuration
from bpcli import model as models
from bpcli.core import parameters
from bpcli.data.datasets import Split, read_split
from bpcli.data.spec import DataSpec
from bpcli.errors import ArgumentError, CheckpointError, DataError, ImageError
from bpcli.inference.ensemble import Combination
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.members import of_seeds

PICTURES = Path(__file__).parents[1] / "pictures"
SERIES = Path(__file__).parents[1] / "old_versions/0.1.0/series"


@pytest.fixture(scope="module")
def pretrained() -> Predictor:
    return package.load("pretrained")


@pytest.fixture(scope="module")
def digits(small_mnist: Path) -> Split:
    return read_split(small_mnist, "test", 0)


@pytest.fixture(scope="module")
def fruit() -> Predictor:
    """A network of three named classes, whose weights are noise."""
    config = configuration.load("default", ["model.hidden=[5]", "model.output=softmax", "loss=cross_entropy"])
    spec = DataSpec(8, ("apple", "pear", "plum"), 0.5, 0.2, digits=False)
    weights = np.random.default_rng(0).normal(size=parameters.count(models.network(config, spec).sizes))
    return Predictor(("fruit",), (Checkpoint(config, spec, 1, {}, weights.astype(np.float32)),))


def test_pictures_are_answered_as_by_the_command(
    bpcli: Callable[..., Result], pretrained: Predictor, tmp_path: Path
) -> None:
    Image.new("L", (60, 60), 200).save(tmp_path / "blank.png")
    paths = [*sorted(PICTURES.glob("[0-9]-*"))[:4], tmp_path / "blank.png"]
    lines = bpcli("predict", "--json", "-m", "pretrained", *paths).stdout
    said = [json.loads(line) for line in lines.splitlines()]
    assert pretrained.predict(paths) == [each["digit"] for each in said] == [0, 1, 2, 3, None]
    assert pretrained.scores(paths[:4]) == pytest.approx(np.array([each["scores"] for each in said[:4]]))
    assert np.isnan(pretrained.scores(paths)[4]).all()
    assert [each.reason for each in pretrained.read(paths)] == [each.get("reason", "") for each in said]
    assert pretrained.predict(str(paths[3])) == 3
    assert pretrained.scores(paths[3]).shape == (10,)


def test_what_pillow_holds_is_a_picture(pretrained: Predictor) -> None:
    with Image.open(PICTURES / "2-chalk.jpg") as picture:
        assert pretrained.predict(picture) == 2
        assert (pretrained.scores([picture]) == pretrained.scores([PICTURES / "2-chalk.jpg"])).all()
    assert pretrained.predict(Image.new("RGB", (50, 50))) is None
    assert pretrained.predict([]) == []
    assert pretrained.scores([]).shape == (0, 10)


def test_the_ink_and_the_threshold_are_options(pretrained: Predictor) -> None:
    path = PICTURES / "2-chalk.jpg"
    (seen,) = pretrained.prepare(path)
    assert seen.pixels is not None
    assert pretrained.predict(seen.pixels) == 2
    (refused,) = pretrained.read(path, min_score=1.01)
    assert (refused.label, refused.reason[:24]) == (None, "no score reaches 1.01; t")
    assert pretrained.prepare(path, ink="dark")[0].pixels is None or pretrained.read(path, ink="dark")[0].label != 2


def test_arrays_go_straight_to_the_network(pretrained: Predictor, digits: Split) -> None:
    flat = digits.images[:20]
    square = flat.reshape(-1, 28, 28)
    scores = pretrained.models[0].scores(flat)
    for images in (flat, square, square / 255, square.astype(np.float32) / 255, [*square]):
        assert (pretrained.predict_proba(images) == scores).all()
        assert pretrained.predict(images).tolist() == scores.argmax(axis=1).tolist()
    assert pretrained.predict(square[3]) == scores[3].argmax()
    assert (pretrained.scores(square[3]) == pretrained.scores(square[3:4])[0]).all()
    assert pretrained.predict(flat[:0]).shape == (0,)


def test_it_is_evaluated_as_by_the_command(bpcli: Callable[..., Result], trained: Path, digits: Split) -> None:
    model, said = package.load(trained), json.loads(bpcli("evaluate", "--json", trained).stdout)
    for found in (model.evaluate(), model.evaluate(digits.images, digits.labels)):
        assert found.items() <= said.items()
    assert model.evaluate("validation")["n"] == 100
    assert model.evaluate(digits.images[:9], digits.labels[:9].astype(str))["n"] == 9


def test_named_classes_are_answered_by_name(fruit: Predictor, tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 255, (30, 8, 8), np.uint8)
    answers = fruit.predict(images)
    assert set(answers) == set(fruit.classes) == {"apple", "pear", "plum"}
    assert answers.tolist() == fruit.classes[fruit.scores(images).argmax(axis=1)].tolist()
    Image.fromarray(images[0]).save(tmp_path / "fruit.png")
    assert fruit.predict(tmp_path / "fruit.png") == answers[0]
    assert fruit.evaluate(images, answers)["accuracy"] == 1
    assert fruit.evaluate(images, fruit.scores(images).argmax(axis=1))["accuracy"] == 1


@pytest.mark.filterwarnings("ignore:.*learned nothing")
def test_several_networks_answer_by_their_mean_score(digits: Split) -> None:
    each = [package.load(SERIES / f"seed-{seed}") for seed in (3, 4)]
    mean = np.mean([model.scores(digits.images) for model in each], axis=0)
    together = package.load_ensemble(SERIES / "seed-3", SERIES / "seed-4")
    assert together.scores(digits.images) == pytest.approx(mean)
    assert (package.load(SERIES).scores(digits.images) == together.scores(digits.images)).all()
    assert together.evaluate(digits.images, digits.labels)["loss"] is None
    assert str(SERIES / "seed-4") in together.name


@pytest.mark.filterwarnings("ignore:.*learned nothing")
def test_several_networks_answer_by_their_mean_logits(digits: Split) -> None:
    together = package.load_ensemble(SERIES, combine="logits")
    logits = np.mean([model.outputs(digits.images).logits for model in together.models], axis=0)
    assert together.scores(digits.images) == pytest.approx(1 / (1 + np.exp(-logits)), rel=1e-5)
    assert together.evaluate(digits.images, digits.labels)["loss"] > 0
    weighted = replace(together, how=Combination("logits", (1.0, 0.0)))
    assert (weighted.scores(digits.images) == together.models[0].scores(digits.images)).all()
    for wrong in ({"combine": "votes"}, {"weights": "mine"}):
        with pytest.raises(ArgumentError, match="it is one of: "):
            package.load_ensemble(SERIES, **wrong)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:.*learned nothing")
def test_a_series_that_is_not_finished_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unfinished = of_seeds(configuration.load(), (3, 4)).with_finished("seed-3")
    monkeypatch.setattr("bpcli.storage.series_file.read", lambda folder: unfinished)
    with pytest.warns(BpcliWarning, match="1 of the 2 runs of this series are finished"):
        assert len(package.load(SERIES).members) == 1


def test_it_says_what_it_is(pretrained: Predictor) -> None:
    assert (repr(pretrained), pretrained.name) == ("<Predictor pretrained: 784-800-400-10>", "pretrained")
    assert pretrained.classes.tolist() == list(range(10))


def test_members_of_other_tasks_are_refused(fruit: Predictor, pretrained: Predictor) -> None:
    with pytest.raises(CheckpointError, match="fruit: has other classes than pretrained"):
        Predictor(("pretrained", "fruit"), pretrained.members + fruit.members)
    with pytest.raises(ArgumentError, match="is named twice"):
        package.load_ensemble("pretrained", "pretrained")


@pytest.mark.parametrize(
    ("wrong", "error", "complaint"),
    [
        (lambda model: model.predict(np.zeros((3, 5))), DataError, "images of the shape"),
        (lambda model: model.predict(np.full((1, 784), 255.0)), DataError, "not between 0 and 1"),
        (lambda model: model.predict("none.png"), ImageError, "none.png: can't be read"),
        (lambda model: model.predict([PICTURES / "2-chalk.jpg", 3]), DataError, "holds a int"),
        (lambda model: model.evaluate("tset"), ArgumentError, "'tset' is no split .*: train, validation, test"),
        (lambda model: model.evaluate(np.zeros((1, 784)), [11]), DataError, "neither 0 to 9 nor names of classes"),
        (lambda model: model.evaluate(np.zeros((1, 784)), ["x"]), DataError, "neither 0 to 9 nor names of classes"),
        (lambda model: model.evaluate(np.zeros((1, 784))), DataError, "neither 0 to 9 nor names of classes"),
        (lambda model: model.evaluate(np.zeros((2, 784)), [1]), DataError, r"shape \(1,\) for 2 images"),
        (lambda model: package.load("none"), CheckpointError, "none: no such file, nor a run of that name"),
    ],
)
def test_mistakes_are_named(
    pretrained: Predictor, wrong: Callable[[Predictor], Any], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        wrong(pretrained)
