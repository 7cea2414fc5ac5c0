"""The classes of a form as a user writes them, and what their names must be to become folders on any system."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from bpcli.data.form.layout import MAX_CLASSES
from bpcli.data.spec import MAX_NAME
from bpcli.errors import ArgumentError

_RANGE = re.compile("(.)-(.)", re.DOTALL)
_FORBIDDEN = set('<>:"/\\|?*')  # in names of files on Windows
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def parse_classes(text: str) -> tuple[str, ...]:
    """Return the classes that a text such as 0-9, A-Z or plus,minus names.

    Raises:
        ArgumentError: there are none or too many, or one can't be a folder's name.
    """
    names = tuple(name for part in text.split(",") for name in _names(part))
    if len(names) > MAX_CLASSES:
        raise ArgumentError(f"--classes {text}: {len(names):,} classes; at most {MAX_CLASSES} are possible")
    if flaw := flaw_in_folders(names):
        raise ArgumentError(f"--classes {text}: {flaw}")
    return names


def _names(part: str) -> Iterator[str]:
    """Yield the characters of a range, or the name itself."""
    ends = _RANGE.fullmatch(part)
    if ends is None:
        yield part
    elif ends[1] > ends[2]:
        raise ArgumentError(f"--classes: {part} runs backwards; did you mean {ends[2]}-{ends[1]}?")
    else:
        yield from map(chr, range(ord(ends[1]), ord(ends[2]) + 1))


def flaw_in_folders(names: Sequence[str]) -> str:
    """Return why the names can't be those of folders beside each other on any system, or ""."""
    seen: dict[str, str] = {}
    for name in names:
        if flaw := _flaw(name):
            return flaw
        if (other := seen.get(_folded(name))) is not None:
            return f"two classes are called {name}" if other == name else _alike(other, name)
        seen[_folded(name)] = name
    return ""


def _alike(one: str, other: str) -> str:
    return f"{one} and {other} differ by case only, and would be one folder on some systems"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _flaw(name: str) -> str:
    """Return why a name can't be a folder's."""
    if not name or len(name) > MAX_NAME:
        return f"a class's name has {len(name)} characters; expected 1 to {MAX_NAME}"
    if not name.isprintable() or name != name.strip() or _FORBIDDEN & set(name):
        return f"the class {name!r} can't be a folder's name on every system; name it otherwise, such as slash"
    if name.startswith(".") or name.endswith(".") or name.partition(".")[0].casefold() in _DEVICES:
        return f"the class {name} can't be a folder's name on every system; name it otherwise, such as dot"
    return ""
