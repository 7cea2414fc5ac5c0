"""The contenders' processes, with a network small enough for a test."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.cases import BATCHES, HIDDEN, IMAGES, NETWORKS, Case
from benchmarks.contender import Contender, Failed
from benchmarks.contenders.trainer import configured
from benchmarks.steps import compare, floor, numpy_kinds, trainer

TINY = Case((784, 6, 5, 10), batch=20, steps=4, images=110, activation="sigmoid", learning_rate=0.25)


@pytest.mark.parametrize("case", [*NETWORKS.values(), *IMAGES, *HIDDEN, *BATCHES, TINY], ids=lambda case: case.name)
def test_a_case_survives_its_journey_and_fits_into_an_epoch(case: Case) -> None:
    assert Case.decode(case.encode()) == case
    assert case.batch * (case.steps - 1) < case.images


def test_bpcli_trains_the_case() -> None:
    config = configured(TINY, "2")
    assert (config.model.hidden, config.model.activations) == ((6, 5), ("sigmoid", "sigmoid"))
    assert (config.model.output, config.loss) == ("sigmoid", "binary_cross_entropy")
    assert (config.optimizer.learning_rate, config.optimizer.momentum) == (0.25, 0.9)
    assert (config.train.batch_size, config.train.threads) == (20, 2)


def test_contenders_take_turns_and_who_fails_is_left_out(tmp_path: Path) -> None:
    kinds = numpy_kinds({1}) | {"a stranger": ("floor", "no number")}
    outcome = compare(TINY, kinds, tmp_path, rounds=2)
    assert outcome.workers == 1
    assert set(outcome.seconds) == {floor(1), trainer(1)}
    assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in outcome.seconds.values())
    assert "invalid literal for int()" in outcome.failures["a stranger"]


def test_the_dead_have_last_words(tmp_path: Path) -> None:
    with closing(Contender(sys.executable, "floor", TINY, "1", tmp_path)) as contender:
        assert "NumPy" in contender.about()
        assert contender.seconds() > 0
        contender.kill()
        with pytest.raises(Failed, match="ended without a word"):
            contender.seconds()
