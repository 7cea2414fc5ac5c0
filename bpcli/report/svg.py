"""Conversion of matplotlib's SVG for use in a page.

Ids become unique and colours follow the page's theme. Style attributes become classes, because the page's security
policy forbids them.
"""

import io
import re
import xml.etree.ElementTree as ET  # nosec B405
from collections.abc import Mapping

from matplotlib.figure import Figure

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_NEEDLESS = (f"{_SVG}metadata", f"{_SVG}style")
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


class Inliner:
    """A converter of the figures of one page to SVG text.

    Args:
        colours: the CSS custom property for each colour.
    """

    def __init__(self, colours: Mapping[str, str]) -> None:
        self._colours = colours
        self._classes: dict[str, str] = {}
        self._count = 0

    def inline(self, figure: Figure, label: str) -> str:
        """Return the figure as an `<svg>` element; screen readers say its label."""
        content = io.StringIO()
        figure.savefig(content, format="svg", transparent=True, metadata=_NO_METADATA)
        root = ET.fromstring(content.getvalue())  # noqa: S314 (matplotlib wrote it)  # nosec B314
        self._count += 1
        _drop_needless(root)
        _rename(root, f"plot{self._count}")
        for element in root.iter():
            self._style(element)
        for name in ("width", "height", "version"):
            root.attrib.pop(name, None)
        root.attrib |= {"class": "plot", "role": "img", "aria-label": label}
        return _serialize(root)

    def css(self) -> str:
        """Return the CSS rules of the classes that the figures use."""
        return "\n".join(f".{name} {{ {style} }}" for style, name in self._classes.items())

    def _style(self, element: ET.Element) -> None:
        """Move an element's style attribute into a class."""
        if style := element.attrib.pop("style", ""):
            themed = re.sub(r"#[0-9a-f]{6}", self._themed, style)
            element.set("class", self._classes.setdefault(themed, f"p{len(self._classes)}"))

    def _themed(self, found: re.Match[str]) -> str:
        colour = found.group()
        return f"var({self._colours[colour]})" if colour in self._colours else colour


def _drop_needless(root: ET.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in _NEEDLESS:
                parent.remove(child)


def _rename(root: ET.Element, prefix: str) -> None:
    """Make the ids that are referred to unique in the page, and drop the others."""
    text = ET.tostring(root, encoding="unicode")
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', text))
    for element in root.iter():
        name = element.attrib.pop("id", None)
        if name in used:
            element.set("id", f"{prefix}-{name}")
        if link := element.attrib.pop(_LINK, None):
            element.set("href", f"#{prefix}-{link[1:]}")
        if clip := element.get("clip-path"):
            element.set("clip-path", clip.replace("url(#", f"url(#{prefix}-"))


def _serialize(root: ET.Element) -> str:
    ET.register_namespace("", _SVG[1:-1])
    return ET.tostring(root, encoding="unicode")
