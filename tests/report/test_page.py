"""The report's pages, read by Python's own HTML parser."""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from bpcli.data.spec import DataSpec
from bpcli.report import plots
from bpcli.report.page import comparison_page, report_page
from bpcli.report.study import Study
from tests.report.others import LETTERS, NAMES, TWO, study_of


class Page(HTMLParser):
    """What stands in a page: its elements, and the text of each kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _, attributes in self.elements for key, value in attributes.items() if key == name]


@pytest.fixture(scope="module")
def report(seen: Study) -> str:
    return report_page(seen)


@pytest.fixture(scope="module")
def page(report: str) -> Page:
    return Page(report)


def embedded(text: str, name: str) -> Any:
    """The JSON of this name inside a page."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else(report: str, page: Page) -> None:
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    style = re.findall(r"<style>(.*?)</style>", report, re.DOTALL)
    script = re.findall(r"<script>(.*?)</script>", report, re.DOTALL)
    assert len(style) == len(script) == 1
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == f"'sha256-{sha256(style[0])}'"
    assert rules["script-src"] == f"'sha256-{sha256(script[0])}'"
    assert rules["img-src"] == "data:"
    assert not page.attributes("style")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    assert all(source.startswith("data:") for source in page.attributes("src"))
    assert all(link.startswith(("#", "data:")) for link in page.attributes("href") + page.attributes("xlink:href"))


def test_text_of_others_is_escaped(report: str, page: Page) -> None:
    assert "<b>a &" not in report
    assert any(text == "<b>a & 'b'" for text in page.texts["h1"])


def test_names_are_unique(page: Page) -> None:
    assert [name for name, count in Counter(page.attributes("id")).items() if count > 1] == []


def test_the_confusion_matrix_opens_every_digit(seen: Study, report: str, page: Page) -> None:
    cells = embedded(report, "cells")["cells"]
    confusion = np.array(seen.splits["test"]["confusion"])
    assert {tuple(map(int, name.split("-"))) for name in cells} == set(zip(*np.nonzero(confusion), strict=True))
    assert sorted(page.attributes("data-cell")) == sorted(cells)
    assert sorted(i for each in cells.values() for i in each["index"]) == list(range(200))
    for name, each in cells.items():
        label, digit = map(int, name.split("-"))
        assert each["of"] == len(each["index"]) == confusion[label, digit]
        for index, score in zip(each["index"], each["scores"], strict=True):
            assert (seen.test.labels[index], seen.test.scores[index].argmax()) == (label, digit)
            assert score == pytest.approx(float(seen.test.scores[index, digit]), abs=6e-4)


def test_every_part_is_there(seen: Study, page: Page) -> None:
    labels = page.attributes("aria-label")
    for plot in ("training and validation loss by epoch", "learning rate by epoch", "share of right answers by score"):
        assert plot in labels
    for layer in ("hidden layer 1", "hidden layer 2", "output layer"):
        assert {f"histogram of the weights, {layer}", f"histogram of the gradient's size, {layer}"} <= set(labels)
    pictures = page.attributes("alt")
    errors = seen.splits["test"]["errors"]
    assert sum(alt.startswith("Weights of unit") for alt in pictures) == 24
    assert sum(alt.startswith("Test image") for alt in pictures) == 24 + min(errors, 24)
    rows = page.texts["td"]
    assert f"{100 * seen.splits['validation']['accuracy']:.2f}\u00a0%" in rows
    assert "[24, 16]" in rows
    active = seen.layers[0].active
    assert active is not None
    assert sum(alt.startswith("Digits that excite it most: ") for alt in pictures) == (active.fired > 0).sum()
    opening = "".join(page.texts["p"])
    assert "This network sees 28 × 28 pixels through\n40 hidden units and answers with one of 10 digits." in opening
    assert page.texts["b"].count(f"{errors} of 200") == 1


def test_the_curves_and_snapshots_of_each_epoch_are_there(seen: Study, report: str, page: Page) -> None:
    story = embedded(report, "story")
    assert (story["epochs"], story["kept"], story["side"]) == ([1, 2], seen.run.loaded.epoch, 28)
    (rate,), (training, validation) = (story["curves"][name]["lines"] for name in ("rate", "error"))
    assert (training["name"], validation["name"], rate["name"]) == ("training", "validation", "learning rate")
    wrong = [1 - accuracy for accuracy in seen.run.column("validation_accuracy")]
    assert validation["text"] == [f"{100 * each:.2f} %" for each in wrong]
    assert training["x"] == validation["x"]
    assert (validation["y"][0] < validation["y"][1]) == (wrong[0] > wrong[1])
    assert [each["epoch"] for each in story["snapshots"]["epochs"]] == [1, 2]
    rows = [np.array(each["confusion"]) for each in story["snapshots"]["epochs"]]
    assert [each.sum() - np.trace(each) for each in rows] == pytest.approx([100 * each for each in wrong])
    assert sorted(story["snapshots"]["units"]) == list(range(24))
    assert story["snapshots"]["units"] == seen.ranking
    assert {"replay", "epoch", "play"} <= set(page.attributes("id"))


def test_several_runs_are_compared(seen: Study) -> None:
    text = comparison_page([seen, seen])
    page = Page(text)
    assert "<b>a &" not in text
    assert page.texts["th"].count("<b>a & 'b'") == 4  # in the summary and in the table of digits
    assert page.texts["text"].count(" <b>a & 'b'") == 4  # in the legends
    assert "Nothing: the configurations are the same." in page.texts["p"]
    assert page.texts["td"].count(f"{100 * seen.splits['test']['accuracy']:.2f}\u00a0%") >= 2


def doubted(seen: Study) -> Study:
    """The study of a run that ended with a warning."""
    return replace(seen, run=replace(seen.run, warning="it learned <nothing>"))


@pytest.fixture(scope="module")
def poor(seen: Study) -> str:
    """The report of a network that is sure of nothing: each answer has a score of 0.01, and the others 0."""
    scores = np.where(np.eye(10)[seen.test.answers] == 1, 0.01, 0).astype(np.float32)
    return report_page(replace(doubted(seen), test=replace(seen.test, scores=scores)))


def test_a_run_that_went_wrong_has_a_warning_at_the_top(seen: Study, report: str, poor: str) -> None:
    notes = [
        re.findall('role="note"><b>Warning:</b> (.*)</p>', text.partition("<main>")[0])
        for text in (report, poor, comparison_page([seen, doubted(seen)]))
    ]
    told = "it learned &lt;nothing&gt;"
    assert notes == [[], [told], [f"&lt;b&gt;a &amp; &#39;b&#39;: {told}"]]


def test_a_small_score_has_a_bar_that_is_seen(poor: str) -> None:
    bars = [a for tag, a in Page(poor).elements if tag == "rect" and a.get("class") in ("right", "answer", "other")]
    heights = {bar["height"] for bar in bars}
    assert heights == {"0.50", "2.90"}  # a line for 0; for 0.01 another tenth of 24, its root


def test_compared_runs_have_a_colour_each_and_a_line_for_each_split(seen: Study) -> None:
    nothing = {"validation_loss": None, "validation_accuracy": None}
    alone = replace(seen.run, name="alone", epochs=tuple({**row, **nothing} for row in seen.run.epochs))
    whole = plots.figure([lambda axes: plots.compared(axes, [seen.run, alone, *[seen.run] * 7], "loss")])
    (axes,) = whole.axes
    curves = [(line, np.asarray(line.get_ydata()).tolist()) for line in axes.get_lines()]
    drawn = [(line, values) for line, values in curves if values]
    validation, training = seen.run.column("validation_loss"), seen.run.column("train_loss")
    assert [values for _, values in drawn] == [validation, training, training, *[validation, training] * 7]
    assert [line.get_linestyle() for line, _ in drawn] == ["-", "--", "--", *["-", "--"] * 7]
    looks = [(line.get_color(), line.get_marker()) for line, _ in drawn]
    assert looks[0] == looks[1]
    assert len(set(looks)) == 9
    names = axes.get_legend_handles_labels()[1]
    assert names == [" <b>a & 'b'", " alone", *[" <b>a & 'b'"] * 7, "validation", "training"]


@pytest.mark.parametrize("about", [LETTERS, NAMES, TWO], ids=["letters", "names", "two"])
def test_a_network_of_other_classes_has_a_report(seen: Study, about: DataSpec) -> None:
    made_up = study_of(about, seen)
    text = report_page(made_up)
    page, count = Page(text), len(about.classes)
    assert "<b>a thing" not in text
    assert "digit" not in re.sub(
        r"<(script|style).*?</\1>|<code>.*?</code>|id=\"[^\"]*\"|=\"cell-[^\"]*\"", "", text, flags=re.DOTALL
    )
    assert [name for name, times in Counter(page.attributes("id")).items() if times > 1] == []
    sheets = embedded(text, "cells")
    assert (sheets["side"], sheets["classes"]) == (about.side, list(about.classes))
    confusion = np.array(made_up.splits["test"]["confusion"])
    assert sorted(page.attributes("data-cell")) == sorted(f"{row}-{column}" for row, column in np.argwhere(confusion))
    assert page.attributes("colspan") == [str(count)]
    assert f"{about.side**2}-24-16-{count}" in "".join(page.texts["p"])
    assert not {"replay", "epoch", "play"} & set(page.attributes("id"))  # it has no snapshots
    assert embedded(text, "story")["snapshots"] == {"units": [], "epochs": []}
    assert len(page.attributes("data-curve")) == 3
    if count > 2:
        assert all(page.attributes("title").count(name) == 2 for name in about.classes)


def test_the_matrix_of_many_classes_is_drawn_large_enough(seen: Study) -> None:
    with plots.our_style():
        whole = plots.figure(
            [lambda axes: plots.confusion_matrix(axes, np.eye(3, dtype=int).tolist(), ["a", "$b", "c" * 40])]
        )
        whole.draw_without_rendering()
    (axes,) = whole.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", r"\$b", "c" * 11 + "…"]


def test_runs_of_different_classes_are_compared_without_them(seen: Study) -> None:
    letters = study_of(LETTERS, seen)
    assert "Recall of each" not in comparison_page([letters, study_of(TWO, seen)])
    assert "Recall of each class" in comparison_page([letters, letters])
