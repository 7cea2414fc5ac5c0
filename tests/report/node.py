"""The page's own code, run by Node.js without a browser."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from bpcli.report.drawing import script
from tests.children import HANGS


def may_skip(environment: Mapping[str, str]) -> bool:
    """Whether the tests of the page's code are skipped: where Node.js is missing, but not in CI, where they fail."""
    return "CI" not in environment and shutil.which("node", path=environment.get("PATH")) is None


needs_node = pytest.mark.skipif(may_skip(os.environ), reason="Node.js is not installed")


def run(code: str, data: object, page: str = "") -> Any:
    """What the code returns, as JSON. It knows `data` and the functions of a page, by default the one to draw on."""
    program = (
        f'"use strict";\n{page or script()}\nconst data = JSON.parse(require("fs").readFileSync(0));\n'
        f"const result = (() => {{ {code} }})();\n"
        "const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);\n"
        "process.stdout.write(JSON.stringify(result, plain));"
    )
    done = subprocess.run(
        ["node", "-e", program], input=json.dumps(data), capture_output=True, text=True, check=False, timeout=HANGS
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
