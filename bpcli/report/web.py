"""Shared by all pages: the folder of their files, their marks, and the digest that allows only their own scripts."""

import base64
import hashlib
from pathlib import Path

PAGES = Path(__file__).parent / "pages"


def _mark(generator: str, title: str) -> bytes:
    """Return a regular expression for the beginning of a command's pages; those of version 0.1 name no generator."""
    return f'<!DOCTYPE html>.*(<meta name="generator" content="{generator}">| – {title}</title>)'.encode()


DRAWING_MARK = _mark("bpcli draw", "bpcli")
REPORT_MARK = _mark("bpcli report", "bpcli report")


def digest(text: str) -> str:
    """Return the hash of an inline style or script for a content security policy (CSP Level 3, section 8.4)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
