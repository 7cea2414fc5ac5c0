"""The drawings that the page to draw on collects: its archive, read by Python's zipfile."""

import io
import zipfile

import numpy as np

from tests.report.node import needs_node, run

NAMES = ["4", "a/b", "a_b", "A_B", "..", ".hidden", "dot.", "ü ö", 'all <>:"\\|?* of them']


@needs_node
def test_python_opens_the_archive_of_kept_drawings() -> None:
    rng = np.random.default_rng(0)
    files = [
        (place, rng.integers(256, size=size).tolist()) for place, size in enumerate([0, 1, 300, 70_000, 9, 8, 7, 6, 5])
    ]
    code = """const kept = data[1].map(([place, bytes], i) =>
        ({ place, bytes: Uint8Array.from(bytes), drawn: `drawn-${i}` }));
      return [zipOf(filesOf(kept, data[0])), tally(kept.slice(0, 2), data[0]), zipOf([]), timeName(new Date(0))];"""
    archive, told, empty, time = run(code, [NAMES, files])
    with zipfile.ZipFile(io.BytesIO(bytes(archive))) as opened:
        assert opened.testzip() is None
        names = opened.namelist()
        assert [list(opened.read(name)) for name in names] == [content for _, content in files]
    folders = [name.split("/")[0] for name in names]
    assert folders == ["4", "a_b", "a_b-2", "A_B-3", "__", "_hidden", "dot_", "ü ö", "all ________ of them"]
    assert [name.split("/")[1] for name in names] == [f"drawn-{i}.png" for i in range(9)]
    assert told == "2 drawings: “4” (1), “a/b” (1)"
    assert zipfile.ZipFile(io.BytesIO(bytes(empty))).namelist() == []
    assert time == "1970-01-01-00-00-00-000"
