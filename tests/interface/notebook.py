"""Execute a notebook's code cells in one namespace, without Jupyter.

`python -m tests.interface.notebook examples/digits.ipynb` stores the outputs in the notebook.
"""

import ast
import base64
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

Cell = dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def code_cells(notebook: dict[str, Any]) -> list[Cell]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def execute(cells: list[Cell], namespace: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the outputs of each cell, as a notebook stores them."""
    for number, cell in enumerate(cells, 1):
        body = ast.parse("".join(cell["source"]))
        last = ast.Expression(body.body.pop().value) if isinstance(body.body[-1], ast.Expr) else None  # type: ignore[attr-defined]
        with redirect_stdout(io.StringIO()) as printed:
            exec(compile(body, f"cell {number}", "exec"), namespace)
            value = None if last is None else eval(compile(last, f"cell {number}", "eval"), namespace)
        yield [*_stream(printed.getvalue()), *_result(value, number)]


def _stream(text: str) -> Iterator[dict[str, Any]]:
    if text:
        yield {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}


def _result(value: Any, number: int) -> Iterator[dict[str, Any]]:
    if value is None:
        return
    data: dict[str, Any] = {"text/plain": [repr(value)]}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = [value._repr_html_()]
    if hasattr(value, "_repr_png_"):
        data["image/png"] = base64.b64encode(value._repr_png_()).decode()
        data["text/plain"] = [f"<picture of {value.width}×{value.height} pixels>"]  # Pillow's repr has an address
    yield {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data}


def main(path: Path) -> None:
    notebook = read(path)
    cells, here = code_cells(notebook), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number, (cell, outputs) in enumerate(zip(cells, execute(cells, {}), strict=True), 1):
            cell |= {"outputs": outputs, "execution_count": number}
        os.chdir(here)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
