"""The presets as texts: their summaries, and the keys, values and comments of default.yaml; without NumPy.

`bpcli config` prints the comments, and the completion of the shell, which has to be quick, offers keys and values.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from bpcli import resources

_LINE = re.compile(r"(?P<indent> *)(?P<name>\w+):(?: +(?P<value>[^#\s].*?))??(?: +# (?P<comment>.*))?")
_NAMES = re.compile(r"\bone of (\w+(?:, \w+)*)")
_COMMENT = 29  # the column at which comments begin


class Line(NamedTuple):
    """A line of default.yaml; without a key where it is empty or a comment alone."""

    text: str
    indent: str = ""
    key: str = ""
    value: str | None = None
    comment: str = ""

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition(".")[2]

    @property
    def choices(self) -> list[str]:
        """The names that the key may have as its value: those that the comment lists, or true and false."""
        if self.value in ("true", "false"):
            return ["true", "false"]
        listed = _NAMES.search(re.sub(r" \([^)]*\)", "", self.comment))
        return listed[1].split(", ") if listed else []


def summary(preset: str) -> str:
    """Return what the first line of a preset's file says of it."""
    return _text(preset).partition("\n")[0].removeprefix("# ")


def settings() -> list[Line]:
    """Return the lines of default.yaml that hold a key and its value."""
    return [line for line in _lines() if line.value is not None]


def commented(values: Mapping[str, str], heading: str) -> str:
    """Return a configuration as YAML with the comments of default.yaml.

    Args:
        values: the value of every dotted key, each as YAML in one line.
        heading: the comment at the top.
    """
    body = [_filled(line, values) for line in _lines()]
    return "\n".join([f"# {heading}", *body[body.index("") :], ""])


def _filled(line: Line, values: Mapping[str, str]) -> str:
    """Return the text of a line, with the value that its key has."""
    if line.value is None:
        return line.text
    return f"{f'{line.indent}{line.name}: {values[line.key]}':{_COMMENT - 1}} # {line.comment}"


@cache
def _lines() -> list[Line]:
    """Return the lines of default.yaml."""
    lines, section = [], ""
    for text in _text("default").splitlines():
        found = _LINE.fullmatch(text)
        if found is None:
            lines.append(Line(text))
            continue
        section = section if found["indent"] else ""
        lines.append(Line(text, found["indent"], f"{section}{found['name']}", found["value"], found["comment"] or ""))
        section = section if found["value"] else f"{found['name']}."
    return lines


def _text(preset: str) -> str:
    return (resources.presets() / f"{preset}.yaml").read_text(encoding="utf-8")
