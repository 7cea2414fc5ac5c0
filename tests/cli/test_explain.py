import json
import math
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result

from bpcli.errors import ArgumentError

EXAMPLE = ["(a+b)*(b+1)", "a=2", "b=1"]


def test_the_texts_example(bpcli: Callable[..., Result]) -> None:
    lines = [line.strip() for line in bpcli("explain", *EXAMPLE).stdout.splitlines()]
    assert lines[3:8] == ["a = 2", "b = 1", "c = a + b = 3", "d = b + 1 = 2", "e = c · d = 6"]
    assert "∂c/∂a = ∂c/∂a·∂a/∂a + ∂c/∂b·∂b/∂a = 1·1 + 1·0 = 1" in lines
    assert "∂e/∂b = ∂e/∂c·∂c/∂b + ∂e/∂d·∂d/∂b = 2·1 + 3·1 = 5" in lines
    assert "∂e/∂a = ∂e/∂c·∂c/∂a = 2·1 = 2" in lines
    assert lines[-1] == "passes for all derivatives of e: forward mode 2, one for each input; reverse mode 1"


def test_forward_mode_by_another_input(bpcli: Callable[..., Result]) -> None:
    lines = [line.strip() for line in bpcli("explain", *EXAMPLE, "--wrt", "b").stdout.splitlines()]
    assert "∂e/∂b = ∂e/∂c·∂c/∂b + ∂e/∂d·∂d/∂b = 2·1 + 3·1 = 5" in lines[lines.index("") :][8:15]
    record = json.loads(bpcli("explain", *EXAMPLE, "--wrt", "b", "--json").stdout)
    assert (record["wrt"], record["nodes"][-1]["forward"]) == ("b", 5)


def test_json_has_every_node(bpcli: Callable[..., Result]) -> None:
    record = json.loads(bpcli("explain", "sigmoid(w*x)**2", "w=0.5", "x=3", "--json").stdout)
    nodes = {node["name"]: node for node in record["nodes"]}
    s = 1 / (1 + math.exp(-1.5))
    assert record["value"] == pytest.approx(s * s)
    assert nodes["w"]["reverse"] == pytest.approx(2 * s * s * (1 - s) * 3)
    assert nodes["x"]["reverse"] == pytest.approx(2 * s * s * (1 - s) * 0.5)
    assert record["passes"] == {"forward": 2, "reverse": 1}
    assert [node["operation"] for node in record["nodes"]] == ["input", "input", "*", "sigmoid", "constant", "**"]


def test_dot_has_every_node_and_edge(bpcli: Callable[..., Result]) -> None:
    lines = bpcli("explain", *EXAMPLE, "--dot").stdout.splitlines()
    assert (lines[0], lines[-1]) == ("digraph {", "}")
    assert '  n1 [label="b = 1\\n∂e/∂b = 5"]' in lines
    assert '  n4 -> n5 [label="∂e/∂d = 3"]' in lines
    assert sum("->" in line for line in lines) == 6
    assert all(line.count('"') in (0, 2) for line in lines)


def test_nothing_to_differentiate(bpcli: Callable[..., Result]) -> None:
    for text, value in (("1+2", "a = 1 + 2 = 3"), ("7", "7 = 7")):
        lines = bpcli("explain", text).stdout.splitlines()
        assert f"  {value}" in lines
        assert lines[-1] == "no inputs: nothing to differentiate by"


def test_more_nodes_than_letters(bpcli: Callable[..., Result]) -> None:
    lines = bpcli("explain", "+".join(["a"] * 40), "a=1").stdout.splitlines()
    assert "  n1 = m1 + a = 40" in lines


def test_an_expression_that_begins_with_a_minus(bpcli: Callable[..., Result]) -> None:
    assert json.loads(bpcli("explain", "--json", "--", "-x", "x=-0.0").stdout)["value"] == 0
    assert "  a = −x = 0" in bpcli("explain", "--", "-x", "x=0").stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["a+b", "a=1"], "b has no value; add one, such as b=2"),
        (["a", "a=1", "b=2"], "b=2: there is no b in the expression; it has a"),
        (["1", "b=2"], "b=2: there is no b in the expression; it has no names at all"),
        (["a", "a=1", "a=2"], "a=2: a has a value already, 1"),
        (["a", "a"], "a: expected NAME=VALUE"),
        (["a", "=1"], "=1: expected NAME=VALUE"),
        (["a", "a=x"], "a=x: expected a number"),
        (["a", "a=nan"], "a=nan: expected a finite number"),
        (["a", "a=1e999"], "expected a finite number"),
        (["a", "a=1", "--wrt", "c"], "--wrt c: the expression has a"),
        (["1", "--wrt", "c"], "--wrt c: the expression has no inputs"),
        (["a.b", "a=1"], "a.b: column 1: an attribute"),
        (["log(a)", "a=0"], "log(a): log(0) is not defined"),
        (["1/a", "a=0"], "1 / 0 divides by zero"),
        (["exp(exp(a))", "a=10"], "too large for a floating-point number"),
        (["\udcff", "a=1"], "column 1: "),
        (["(" * 999, "a=1"], "column"),
        (["-" * 1999 + "1", "--wrt=b"], "No such option"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(bpcli: Callable[..., Result], arguments: list[str], complaint: str) -> None:
    result = bpcli("explain", *arguments)
    assert result.exit_code == ArgumentError.exit_code == 2
    assert complaint in result.stderr
    assert "No such option" in complaint or len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


ROOT = ["explain", "(x*x-a)**2", "a=2", "x=1", "--minimize", "x"]


def test_minimizing_prints_both_ways_and_their_minimum(bpcli: Callable[..., Result]) -> None:
    lines = bpcli(*ROOT, "--steps", "3").stdout.splitlines()
    assert lines[2] == "gradient descent: x ← x − 0.05·f'(x)"
    assert lines[3].split() == ["step", "x", "f", "f'", "f''", "error"]
    assert lines[4].split() == ["0", "1", "1", "-4", "4", "4.1e-01"]
    assert lines[5].split()[:2] == ["1", "1.2"]
    assert lines[9] == "Newton's method: x ← x − f'(x)/f''(x)"
    assert lines[12].split()[:2] == ["1", "2"]
    assert any(line.startswith("minimum: f(1.414213562)") for line in lines)
    assert lines[-1] == "  o gradient descent, x Newton's method, * both"


def test_minimizing_as_json(bpcli: Callable[..., Result]) -> None:
    record = json.loads(bpcli(*ROOT, "--rate", "0.2", "--json").stdout)
    assert (record["name"], record["rate"], len(record["gradient_descent"])) == ("x", 0.2, 21)
    assert record["minimum"]["x"] == pytest.approx(math.sqrt(2))
    assert record["newton"][1] == {"x": 2, "value": 4, "first": 16, "second": 40}
    assert "too large" in record["remarks"][0]


def test_the_drawing_of_a_minimization_is_svg(bpcli: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "root.svg"
    result = bpcli(*ROOT, "-o", str(out))
    assert result.stdout.splitlines()[-1] == "the drawing is root.svg"
    texts = [each.text for each in ElementTree.parse(out).iter() if each.tag.endswith("text")]
    assert {"x", "step", "distance from the minimum", "Newton's method"} <= set(texts)
    before = out.read_bytes()
    assert bpcli(*ROOT, "-o", str(out)).exit_code == 0  # our own drawing may be replaced
    assert out.read_bytes() == before
    out.write_text("<svg>mine</svg>")
    refused = bpcli(*ROOT, "-o", str(out))
    assert (refused.exit_code, out.read_text()) == (8, "<svg>mine</svg>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x*x", "x=1", "--minimize", "y"], "--minimize y: the expression has x"),
        (["x*x", "--minimize", "x"], "x has no value; add one, such as x=2"),
        (["log(x)", "x=-1", "--minimize", "x"], "log(x): log((-1)) is not defined"),
        (["x*x", "x=1", "--rate", "0.1"], "--rate belongs to --minimize NAME"),
        (["x*x", "x=1", "--minimize", "x", "--dot"], "--dot and --minimize can't go together"),
        (["x*x", "x=1", "--minimize", "x", "--wrt", "x"], "--wrt and --minimize can't go together"),
        (["x*x", "x=1", "--minimize", "x", "--rate", "0"], "Invalid value for '--rate'"),
        (["x*x", "x=1", "--minimize", "x", "-o", "x.png"], "x.png: is written as SVG; its name should be x.svg"),
    ],
)
def test_what_can_not_be_minimized(bpcli: Callable[..., Result], arguments: list[str], message: str) -> None:
    result = bpcli("explain", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
