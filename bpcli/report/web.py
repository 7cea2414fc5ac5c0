"""Shared by all pages: the folder of their files, their marks, and how their files become one."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

PAGES = Path(__file__).parent / "pages"


def _mark(generator: str, title: str) -> bytes:
    """Return a regular expression for the beginning of a command's pages; those of version 0.1 name no generator."""
    return f'<!DOCTYPE html>.*(<meta name="generator" content="{generator}">| – {title}</title>)'.encode()


DRAWING_MARK = _mark("bpcli draw", "bpcli")
REPORT_MARK = _mark("bpcli report", "bpcli report")


def scripts(*names: str) -> str:
    """Return the code of a page: JavaScript files of `PAGES`, such as `shared/network`, in this order."""
    return "\n".join((PAGES / f"{name}.js").read_text(encoding="utf-8") for name in names)


def assembled(template: str, style: str, code: str, parts: Mapping[str, str]) -> str:
    """Return a page: the template with each {{name}} replaced; the replacements are not searched again.

    Besides `parts` it may name `style` and `script`, and for its content security policy their hashes, `style_hash`
    and `script_hash`.
    """
    own = {"style": style, "style_hash": digest(style), "script": code, "script_hash": digest(code)}
    whole = {**parts, **own}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: whole[found.group(1)], template)


def inline_json(value: object) -> str:
    """Return a value as JSON that may stand inside a script element."""
    return json.dumps(value).replace("<", "\\u003c")


def digest(text: str) -> str:
    """Return the hash of an inline style or script for a content security policy (CSP Level 3, section 8.4)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
