"""The files of forms: how they are read, what is refused, and what those that come with bpcli hold."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bpcli.data.drawn import hands, printed
from bpcli.data.drawn.forms import Form, held_out_forms, held_out_styles, parse_forms, training_forms
from bpcli.errors import ConfigError

ONE = 'one:\n  digit: 1\n  style: german\n  note: a flag\n  strokes: ["0,40 | 40,0 | 40,100", "8,100 70,100"]\n'


def test_a_text_becomes_strokes_with_corners() -> None:
    (form,) = parse_forms(ONE.encode(), "mine.yaml")
    assert (form.name, form.digit, form.style, form.note, form.held_out) == ("one", 1, "german", "a flag", False)
    flagged, foot = form.strokes
    np.testing.assert_array_equal(flagged.points, [(0, 0.4), (0.4, 0), (0.4, 1)])
    assert flagged.corners.tolist() == [True, True, False]
    assert foot.corners.tolist() == [False, False]


def test_dots_are_strokes_that_stay_where_they_begin() -> None:
    (form,) = parse_forms(b'x: {digit: 7, style: s, note: n, dots: ["##", ".#", ".#"], held_out: true}', "mine.yaml")
    assert form.held_out
    assert [stroke.points.tolist() for stroke in form.strokes] == [
        [[x, y], [x, y]] for x, y in ((0, 0), (0.5, 0), (0.5, 0.5), (0.5, 1))
    ]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("digit: 1", "digit: 10", "mine.yaml: one: digit = 10: expected 0 to 9"),
        ("digit: 1", "digit: true", "mine.yaml: one: digit = True: expected 0 to 9"),
        ("  digit: 1\n", "", "mine.yaml: one: digit = None: expected 0 to 9"),
        ("style: german", "style: ' '", "mine.yaml: one: style = ' ': expected a text"),
        ("note: a flag", "note: [a]", r"mine.yaml: one: note = \['a'\]: expected a text"),
        ("note:", "nota:", "mine.yaml: one: unknown key 'nota'; expected some of digit, style, note"),
        ("40,100", "40;100", "strokes = .*: '40;100' is no point x,y of whole numbers up to 300"),
        ("40,100", "40,301", "'40,301' is no point x,y of whole numbers up to 300"),
        ("0,40 |", "| 0,40", r"'\|' is no point"),
        ("8,100 70,100", "8,100", "strokes = '8,100': expected 2 to 60 points x,y"),
        ('["0,40', '["","0,40', "strokes = '': expected 2 to 60 points"),
        ("  strokes", "  dots: ['#']\n  strokes", "mine.yaml: one: expected either strokes or dots"),
        ("strokes", "dots", "dots = '0,40 | 40,0 | 40,100': expected a row of # and ."),
        ("note: a flag", "note: a flag\n  held_out: 1", "held_out = 1: expected true or false"),
        (ONE, "one: 1", "mine.yaml: one: expected a name with digit, style, note and strokes"),
        (ONE, "1: {}", "mine.yaml: 1: expected a name with"),
        (ONE, "", "mine.yaml: expected names of forms"),
        (ONE, ONE + ONE, "mine.yaml, line 6, column 1: .*duplicate key 'one'"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, complaint: str) -> None:
    assert old in ONE
    with pytest.raises(ConfigError, match=complaint):
        parse_forms(ONE.replace(old, new, 1).encode(), "mine.yaml")


@pytest.mark.parametrize("kind", [hands, printed], ids=lambda kind: kind.__name__)
def test_every_digit_is_trained_and_held_out_and_whole_styles_are(kind: ModuleType) -> None:
    forms = kind.all_forms()
    training, held_out = training_forms(forms), held_out_forms(forms)
    assert {form.digit for form in training} == {form.digit for form in held_out} == set(range(10))
    assert len(training) + len(held_out) == len(forms)
    assert 0.2 < len(held_out) / len(forms) < 0.4
    styles = held_out_styles(forms)
    assert len(styles) >= 3
    assert styles.isdisjoint(form.style for form in training)


def test_the_forms_stand_upright_in_a_box_and_say_where_they_are_usual() -> None:
    assert len(hands.all_forms()) >= 60
    for form in hands.all_forms():
        points = np.concatenate([stroke.points for stroke in form.strokes])
        assert points.min() >= -0.1
        assert points.max() <= 1.1, form.name
        assert np.ptp(points[:, 1]) >= 0.9, form.name
        assert np.ptp(points[:, 0]) <= 1, form.name
        assert len(form.note) > 4


def test_the_files_lie_in_the_package() -> None:
    setup = (Path(__file__).parents[3] / "setup.cfg").read_text(encoding="utf-8")
    assert "bpcli.data.drawn = *.yaml" in setup
    assert all(isinstance(form, Form) for form in hands.all_forms())
