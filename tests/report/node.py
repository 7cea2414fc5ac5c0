"""The page's own code, run by Node.js without a browser."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from bpcli.report.drawing import script

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


def run(code: str, data: object) -> Any:
    """What the code returns, as JSON, to which the page's functions and `data` are known."""
    program = (
        f'"use strict";\n{script()}\nconst data = JSON.parse(require("fs").readFileSync(0));\n'
        f"const result = (() => {{ {code} }})();\n"
        "const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);\n"
        "process.stdout.write(JSON.stringify(result, plain));"
    )
    done = subprocess.run(["node", "-e", program], input=json.dumps(data), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
