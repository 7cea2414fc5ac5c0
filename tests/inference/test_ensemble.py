"""Several networks as one: whose mean it is, of which data, and what counts as a member."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli import resources
from bpcli.core.threads import Interrupted, ThreadGroup
from bpcli.data.datasets import Split, read_split
from bpcli.data.spec import MNIST
from bpcli.errors import ArgumentError, CheckpointError
from bpcli.inference.ensemble import (
    Combination,
    Ensemble,
    Rule,
    combination,
    common_data,
    compare_members,
    evaluate_ensemble,
    require_same_task,
)
from bpcli.inference.evaluation import evaluate
from bpcli.inference.predictions import MIN_SCORE, default_min_score
from bpcli.model import Model
from bpcli.storage import checkpoint, series_file
from bpcli.storage.checkpoint import Checkpoint
from bpcli.storage.find import find_members
from bpcli.storage.members import of_seeds
from bpcli.storage.run_folder import point_latest
from bpcli.training.builders import first_state
from bpcli.training.environment import environment

Make = Callable[..., Checkpoint]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def untrained(small_mnist: Path) -> Make:
    """Makes a network with its first weights."""

    def make(*settings: str) -> Checkpoint:
        data = [f"data.folder={small_mnist}", "data.validation=100"]
        config = configuration.load("default", [*data, "model.hidden=[16]", *settings])
        parameters = first_state(config, MNIST).parameters
        return Checkpoint(config, MNIST, 1, {}, parameters, environment(ThreadGroup(1), 500))

    return make


@pytest.fixture
def different(untrained: Make) -> list[Model]:
    """Networks of different sizes, activations, pixels, preprocessing, outputs and losses."""
    return [
        untrained().model,
        untrained("seed=1", "model.hidden=[20, 12]", "model.activation=tanh", "data.normalize=unit").model,
        untrained("seed=2", "model.output=softmax", "loss=cross_entropy", "data.deslant=true").model,
    ]


def test_a_committee_answers_by_the_mean_score(different: list[Model], small_mnist: Path) -> None:
    test = read_split(small_mnist, "test", 0)
    verdict = evaluate_ensemble(Ensemble(different), test, ThreadGroup(1))
    each = [member.scores(test.images) for member in different]
    expected = (each[0].astype(float) + each[1] + each[2]) / 3
    np.testing.assert_allclose(verdict.scores, expected, rtol=1e-6)
    assert (verdict.scores == Ensemble(different).scores(test.images, ThreadGroup(2))).all()
    assert verdict.together["errors"] == (expected.argmax(axis=1) != test.labels).sum()
    assert verdict.together["loss"] is None
    for metrics, member in zip(verdict.members, different, strict=True):
        loss, scores, _ = evaluate(member, test)
        assert (metrics["loss"], metrics["errors"]) == (loss, (scores.argmax(axis=1) != test.labels).sum())


def of_one_output(untrained: Make) -> list[tuple[str, Model]]:
    return [(str(seed), untrained(f"seed={seed}", f"model.hidden=[{seed + 5}]").model) for seed in range(3)]


@pytest.mark.parametrize("weights", [None, (0.5, 0.5, 0.0), (0.2, 0.3, 0.5)])
def test_a_committee_may_answer_by_its_mean_logits(
    untrained: Make, small_mnist: Path, weights: tuple[float, ...] | None
) -> None:
    test = read_split(small_mnist, "test", 0)
    models = [model for _, model in of_one_output(untrained)]
    found = evaluate_ensemble(Ensemble(models, Combination("logits", weights)), test, ThreadGroup(1))
    logits = [model.outputs(test.images).logits.astype(float) for model in models]
    z = np.average(logits, axis=0, weights=weights)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-z)), rtol=1e-5)
    assert found.scores.dtype == np.float32
    right = np.take_along_axis(z, test.labels[:, None].astype(int), axis=1)
    assert found.together["loss"] == pytest.approx((np.logaddexp(0, z).sum(axis=1) - right[:, 0]).mean(), rel=1e-5)


def test_weights_of_scores_are_those_of_the_mean(untrained: Make, small_split: Split) -> None:
    models = [model for _, model in of_one_output(untrained)]
    first = Ensemble(models, Combination("scores", (1.0, 0.0, 0.0)))
    assert np.array_equal(first.scores(small_split.images), models[0].scores(small_split.images))
    assert evaluate_ensemble(first, small_split, ThreadGroup(1)).together["loss"] is None


@pytest.mark.parametrize("rule", ["scores", "logits"])
def test_weights_by_validation_are_the_best_there(untrained: Make, small_mnist: Path, rule: Rule) -> None:
    named = of_one_output(untrained)
    found = combination(named, rule, "validation", ThreadGroup(1))
    kept, models = read_split(small_mnist, "validation", 100), [model for _, model in named]
    y = np.eye(10)[kept.labels]

    def loss(*weights: float) -> float:
        scores = Ensemble(models, Combination(rule, weights)).scores(kept.images).astype(float)
        return float(-(y * np.log(scores) + (1 - y) * np.log(1 - scores)).sum(axis=1).mean())

    assert found.weights is not None
    others = [loss(a / 10, b / 10, (10 - a - b) / 10) for a in range(11) for b in range(11 - a)]
    assert loss(*found.weights) <= min(others) + 1e-6
    assert combination(named[:1], rule, "validation", ThreadGroup(1)) == Combination(rule)


def test_members_of_different_outputs_have_no_logits_and_no_weights_in_common(different: list[Model]) -> None:
    named = [*zip("abc", different, strict=True)]
    assert combination(named, "scores", "equal", ThreadGroup(1)) == Combination()
    message = "^c: has softmax and cross_entropy as output and loss, but a sigmoid and binary_cross_entropy; "
    with pytest.raises(CheckpointError, match=message + "a mean of logits need"):
        combination(named, "logits", "equal", ThreadGroup(1))
    with pytest.raises(CheckpointError, match=message + "weights need"):
        combination(named, "scores", "validation", ThreadGroup(1))


def test_weights_want_images_that_no_member_was_trained_on(untrained: Make) -> None:
    one, fewer, all_images = (untrained(f"data.validation={n}").model for n in (100, 50, 0))
    with pytest.raises(CheckpointError, match=r"^b: was trained on all images \(data\.validation = 0\); weights are"):
        combination([("a", one), ("b", all_images)], "scores", "validation", ThreadGroup(1))
    with pytest.raises(CheckpointError, match=r"^b: data\.validation = 50, but 100 in a; their validation splits are"):
        combination([("a", one), ("b", fewer)], "scores", "validation", ThreadGroup(1))


def test_each_pair_is_compared_on_the_same_images(different: list[Model], small_split: Split) -> None:
    found = compare_members(evaluate_ensemble(Ensemble(different), small_split, ThreadGroup(1)))
    wrong = [member.scores(small_split.images).argmax(axis=1) != small_split.labels for member in different]
    assert [(one, two) for one, two, _ in found] == [(0, 1), (0, 2), (1, 2)]
    for one, two, pair in found:
        assert pair.n01 - pair.n10 == wrong[one].sum() - wrong[two].sum()
        assert pair.n01 + pair.n10 == (wrong[one] ^ wrong[two]).sum()


def test_one_network_is_a_committee_of_one(untrained: Make, small_mnist: Path) -> None:
    test = read_split(small_mnist, "test", 0)
    loss, scores, _ = evaluate(untrained().model, test)
    verdict = evaluate_ensemble(Ensemble([untrained().model]), test, ThreadGroup(1))
    assert verdict.scores.tobytes() == scores.tobytes()
    assert verdict.together == verdict.members[0]
    assert verdict.together["loss"] == loss


def test_a_judgement_can_be_broken_off(untrained: Make, small_split: Split) -> None:
    with pytest.raises(Interrupted):
        evaluate_ensemble(Ensemble([untrained().model]), small_split, ThreadGroup(1), lambda: True)


def test_what_members_have_in_common(untrained: Make, tmp_path: Path, small_mnist: Path) -> None:
    (tmp_path / "same").symlink_to(small_mnist)
    one, same = untrained(), untrained(f"data.folder={tmp_path / 'same'}")
    other, elsewhere = untrained("data.validation=50"), untrained("data.folder=null")

    def common(*members: Checkpoint, split: str = "test") -> int:
        return len(common_data([("one", one.model), *(("other", each.model) for each in members)], split))  # type: ignore[arg-type]

    assert common(same, split="validation") == 100
    assert common(same, split="train") == 500
    assert common(other) == 200
    for alike in ("auto", 1 / 6):  # of 600 images
        assert common(untrained(f"data.validation={alike}", "data.test=0.3"), split="validation") == 100
    for split in ("train", "validation"):
        with pytest.raises(CheckpointError, match=r"^other: data\.validation = 50, but 100 in one; their .* splits"):
            common(other, split=split)
    with pytest.raises(CheckpointError, match=r"^other: data\.folder = .*, but .*small in one; a committee is"):
        common(elsewhere)
    with pytest.raises(CheckpointError, match=r"data\.folder"):
        common(untrained("data.folder='no\\0where'".replace("'", '"')))


def test_members_have_the_same_classes_and_pictures(untrained: Make) -> None:
    model = untrained().model
    letters = replace(model, spec=replace(model.spec, classes=tuple("abcdefghij"), digits=False))
    smaller = replace(model, spec=replace(model.spec, side=20))
    require_same_task([("one", model), ("other", model)])
    with pytest.raises(CheckpointError, match=r"^other: has other classes than one; a committee's members"):
        require_same_task([("one", model), ("other", letters)])
    with pytest.raises(CheckpointError, match=r"^other: takes other pictures than one"):
        require_same_task([("one", model), ("other", smaller)])


def series(folder: Path, *finished: int) -> Path:
    """The folder of a series of three, some of them finished."""
    for seed in finished:
        member = folder / f"seed-{seed}"
        member.mkdir(parents=True)
        (member / "best.npz").touch()
    folder.mkdir(exist_ok=True)
    whole = of_seeds(configuration.load(), (2, 0, 1))
    series_file.write(folder, whole.with_finished(*(f"seed-{seed}" for seed in finished)))
    return folder


def test_members_are_files_runs_and_the_finished_runs_of_a_series() -> None:
    assert find_members([]).paths == [resources.pretrained()]
    Path("x.npz").touch()
    folder = series(Path("s"), 0, 2)
    Path("run").mkdir()
    Path("run/best.npz").touch()
    found = find_members(["run", "s", "x.npz"])
    assert found.paths == [Path("run/best.npz"), folder / "seed-2/best.npz", folder / "seed-0/best.npz", Path("x.npz")]
    assert found.notes == ["s: 2 of the 3 runs of this series are finished"]
    point_latest(folder)
    assert [path.parent.name for path in find_members([]).paths] == ["seed-2", "seed-0"]
    assert find_members([str(series(Path("whole"), 0, 1, 2))]).notes == []
    with pytest.raises(
        CheckpointError, match="no run of this series is finished yet; go on with: bpcli train --resume"
    ):
        find_members([str(series(Path("new")))])


def test_a_network_votes_once(trained: Path) -> None:
    best = trained / "best.npz"
    Path("copy.npz").write_bytes(best.read_bytes())
    Path("x.npz").touch()
    Path("link.npz").symlink_to(best)
    Path("loop.npz").symlink_to("loop.npz")
    assert len(find_members([str(trained), "copy.npz"]).paths) == 2
    assert find_members(["loop.npz", "x.npz"]).paths == [Path("loop.npz"), Path("x.npz")]
    for again in (str(best), "link.npz", "runs/latest", str(trained)):
        with pytest.raises(ArgumentError, match="is named twice; a network votes once"):
            find_members([str(trained), again])


def test_the_least_score_of_a_committee_is_the_mean(untrained: Make) -> None:
    chosen = Checkpoint(untrained().config, MNIST, 1, {"min_score": 0.3}, untrained().parameters)
    assert default_min_score([chosen]) == 0.3
    assert default_min_score([untrained()]) == MIN_SCORE
    assert default_min_score([untrained(), chosen]) == pytest.approx((MIN_SCORE + 0.3) / 2)


def test_a_saved_member_answers_as_before(untrained: Make, small_split: Split) -> None:
    checkpoint.save(untrained(), Path("x.npz"))
    images = small_split.images[:5]
    kept = Ensemble([checkpoint.load(Path("x.npz")).model]).scores(images, ThreadGroup(1))
    assert (kept == Ensemble([untrained().model]).scores(images, ThreadGroup(1))).all()
