"""The console blocks of a document: their commands, and whether what one prints is what the document shows.

A line that begins with `$ ` is a command; the lines up to the next are what it prints, on stdout and stderr. A line
`...` stands for any lines. Blanks count as one, and a date is as good as another. Numbers may differ as far as
`TOLERANCES` says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# a number's unit, or the word before it, and how far it may be from what is shown: by a difference, or by a factor
TOLERANCES = {"%": (0.5, 1.0), "s": (0.0, 100.0), "MB": (0.0, 1.5), "bytes": (0.0, 1.01), "errors": (0.0, 1.5)}
DECIMAL = (0.2, 1.0)  # a number with a decimal point and no unit, such as a score or a loss
WHOLE = (0.0, 1.0)  # a whole number without a unit, such as a count of images

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
_NUMBER = re.compile(r"(?<![\w.-])(errors )?(\d[\d,]*(?:\.\d+)?)(?:[ \u00a0]?(%|s\b|MB\b|bytes\b))?")


@dataclass
class Step:
    """A command of a document, what it prints there, and the number of its line."""

    command: str
    line: int
    printed: list[str] = field(default_factory=list)


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of a document's console blocks, in order."""
    step, inside = None, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if step:
                yield step
            step, inside = None, line == "```console"
        elif inside and line.startswith("$ "):
            if step:
                yield step
            step = Step(line[2:].partition("  #")[0].strip(), number)
        elif inside and step:
            step.printed.append(line)


def difference(shown: list[str], printed: list[str]) -> str:
    """Return the first line in which a command's output differs from what the document shows, or ""."""
    if not shown:
        return ""
    first, *rest = shown
    if first == "...":
        tries = [difference(rest, printed[start:]) for start in range(len(printed) + 1)] if rest else [""]
        return "" if "" in tries else tries[0]
    if not printed:
        return f"shown, but not printed: {first}"
    if not same(first, printed[0]):
        return f"shown: {first}\nprinted: {printed[0]}"
    return f"printed, but not shown: {printed[1]}" if not rest and printed[1:] else difference(rest, printed[1:])


def same(shown: str, printed: str) -> bool:
    """Return whether two lines are the same, up to blanks and what numbers may differ by."""
    lines = [_DATE.sub("DATE", line) for line in (shown, printed)]
    texts = [" ".join(_NUMBER.sub(r"\1#", line).split()) for line in lines]
    numbers = zip(*map(_NUMBER.finditer, lines), strict=False)
    return texts[0] == texts[1] and all(_near(*pair) for pair in numbers)


def _near(shown: re.Match[str], printed: re.Match[str]) -> bool:
    if shown[3] != printed[3]:
        return False
    a, b = (float(found[2].replace(",", "")) for found in (shown, printed))
    unit = shown[3] or (shown[1] or "").strip()
    distance, factor = TOLERANCES.get(unit, DECIMAL if "." in shown[2] else WHOLE)
    return abs(a - b) <= distance + 1e-9 or max(a, b) <= factor * min(a, b)
