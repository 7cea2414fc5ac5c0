"""Plots inside a page: no style attribute, no name twice, colours that follow the theme."""

import re
import xml.etree.ElementTree as ET

import pytest

from bpcli.report import plots
from bpcli.report.study import Study
from bpcli.report.svg import Inliner


@pytest.fixture
def inlined(seen: Study) -> tuple[list[ET.Element], str]:
    """Two plots and their rules."""
    inliner = Inliner(plots.PROPERTIES)
    with plots.our_style():
        drawn = [inliner.inline(plots.figure([lambda axes: plots.loss(axes, seen.run)]), "a <plot>") for _ in range(2)]
    return [ET.fromstring(svg) for svg in drawn], inliner.css()


def elements(roots: list[ET.Element]) -> list[ET.Element]:
    return [element for root in roots for element in root.iter()]


def test_names_are_unique_and_all_references_lead_somewhere(inlined: tuple[list[ET.Element], str]) -> None:
    names = [element.get("id", "") for element in elements(inlined[0]) if "id" in element.attrib]
    assert len(names) == len(set(names))
    text = " ".join(value for element in elements(inlined[0]) for value in element.attrib.values())
    referred = set(re.findall(r"(?:^|\s|\()#([\w-]+)", text))
    assert referred == set(names)
    assert len(referred) > 4


def test_styles_are_classes_in_the_themes_colours(inlined: tuple[list[ET.Element], str]) -> None:
    roots, css = inlined
    assert not [element for element in elements(roots) if "style" in element.attrib or element.tag.endswith("style")]
    used = {element.get("class") for element in elements(roots)} - {None, "plot"}
    assert used == {rule.split()[0][1:] for rule in css.splitlines()}
    assert "stroke: var(--series-0)" in css
    assert not re.search(r"#[0-9a-f]{6}", css)


def test_screen_readers_are_told_what_it_is(inlined: tuple[list[ET.Element], str]) -> None:
    for root in inlined[0]:
        assert (root.get("role"), root.get("aria-label")) == ("img", "a <plot>")
        assert "width" not in root.attrib
