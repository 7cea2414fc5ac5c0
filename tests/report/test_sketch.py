"""The sentence and the drawing that open a report."""

from dataclasses import replace

import numpy as np
import pytest

from bpcli.data.spec import DataSpec
from bpcli.report.sketch import HEIGHT, MOST_OUTPUTS, WIDTH, commonest, sketch
from bpcli.report.study import Study
from tests.report.others import LETTERS, NAMES, TWO, study_of


def test_the_commonest_mistake_is_off_the_diagonal_and_was_made_twice() -> None:
    assert commonest([[90, 2, 1], [1, 80, 7], [0, 3, 99]], "abc") == ("b", "c", 7)
    assert commonest([[90, 1], [0, 80]], "ab") is None


def test_the_network_is_drawn_with_a_picture_of_the_commonest_mistake(seen: Study) -> None:
    drawn, test = sketch(seen), seen.test
    label, answer, _ = commonest(seen.splits["test"]["confusion"], seen.run.loaded.spec.classes) or ("", "", 0)
    assert (drawn.label, drawn.answer) == (label, answer)
    assert (str(test.labels[drawn.number]), str(test.answers[drawn.number])) == (label, answer)
    assert [first for _, first, _ in drawn.columns] == ["24 relu", "16 tanh", "10 scores"]
    outputs = drawn.columns[-1][0]
    assert [dot.name for dot in outputs] == [str(n) for n in range(10)]
    assert [dot.score for dot in outputs] == pytest.approx(test.scores[drawn.number].tolist())
    assert {dot.name: dot.kind for dot in outputs if dot.kind != "other"} == {label: "label", answer: "answer"}


def test_dead_units_have_their_share_of_the_dots(seen: Study) -> None:
    first, second, last = seen.layers
    assert first.active is not None
    steepest = np.where(np.arange(24) < 8, 0.0, 1.0)
    layers = [replace(first, active=replace(first.active, steepest=steepest)), second, last]
    (dots, _, words), *_ = sketch(replace(seen, layers=layers)).columns
    assert [dot.kind for dot in dots].count("dead") == 3  # a third of nine
    assert words == "8 dead"


def test_a_network_without_mistakes_looks_at_its_least_certain_answer(seen: Study) -> None:
    sure = replace(seen.test, labels=seen.test.answers.astype(np.uint8))
    drawn = sketch(replace(seen, test=sure))
    assert drawn.label == drawn.answer
    assert drawn.number == int(seen.test.margins.argmin())


@pytest.mark.parametrize("about", [LETTERS, NAMES, TWO], ids=["letters", "names", "two"])
def test_any_number_of_layers_and_classes_lies_within_the_drawing(seen: Study, about: DataSpec) -> None:
    made_up = study_of(about, seen)
    config = replace(made_up.run.loaded, config=seen.run.loaded.config)
    deep = replace(made_up, run=replace(made_up.run, loaded=config))
    drawn = sketch(deep)
    for dots, _, _ in drawn.columns:
        assert all(0 < dot.x < WIDTH and 0 < dot.y < HEIGHT for dot in dots)
    assert len(drawn.columns[-1][0]) <= MOST_OUTPUTS
    assert drawn.label in [dot.name for dot in drawn.columns[-1][0]]
