"""The report's own code that says which epoch is meant, run by Node.js."""

from bpcli.report.web import scripts
from tests.report.node import needs_node, run


@needs_node
def test_epochs_are_found_by_pointer_snapshot_and_key() -> None:
    code = f"""{scripts("report/epochs")}
    const lines = [{{ name: "training", text: ["1", "2"] }}, {{ name: "validation", text: ["3", "4"] }}];
    const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "a"];
    return {{
      nearest: [-9, 14, 15, 16, 99].map((x) => nearest([10, 20, 30], x)),
      upTo: [1, 2, 3, 9, 40].map((epoch) => upTo([2, 4, 9], epoch)),
      moved: keys.map((key) => moved(50, key, 100)),
      ends: [moved(0, "ArrowLeft", 3), moved(2, "PageUp", 3), moved(0, "End", 1)],
      told: told(lines, 1),
      shade: [[0, 9, "hit"], [9, 9, "hit"], [5, 9, "hit"], [1, 100, "miss"], [2, 100, "miss"], [50, 100, "miss"],
        [0, 0, "hit"]].map((each) => shade(...each)),
      errors: errors([[5, 1], [2, 7]]),
    }};"""
    assert run(code, None) == {
        "nearest": [0, 0, 0, 1, 2],
        "upTo": [0, 0, 0, 2, 2],
        "moved": [49, 51, 51, 49, 0, 99, 60, 40, None],
        "ends": [0, 2, 0],
        "told": "training 2, validation 4",
        "shade": [0, 8, 5, 4, 8, 8, 0],
        "errors": {"images": 15, "wrong": 3},
    }
