"""What all pages share: where their files lie, and how they allow their own styles and scripts and no others."""

import base64
import hashlib
from pathlib import Path

PAGES = Path(__file__).parent / "pages"


def digest(text: str) -> str:
    """What a content security policy calls an inline style or script by (CSP Level 3, section 8.4)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
