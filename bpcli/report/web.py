"""Shared by all pages: the folder of their files, and the digest that allows their own styles and scripts only."""

import base64
import hashlib
from pathlib import Path

PAGES = Path(__file__).parent / "pages"


def digest(text: str) -> str:
    """Return the hash of an inline style or script for a content security policy (CSP Level 3, section 8.4)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
