import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import page
from benchmarks.aims import of_growth, of_processes, of_steps
from benchmarks.cases import NETWORKS
from benchmarks.machine import environment, processor
from benchmarks.page import Results
from benchmarks.processes import CLICK, FLOOR, HELP, MANY, NUMPY, ONE, TRAIN, Process, Whole, python
from benchmarks.steps import EAGER, JAX, Outcome, floor, rows, trainer
from benchmarks.tables import table

OUTCOME = Outcome(
    NETWORKS["default"],
    {floor(2): [0.002, 0.004, 0.003], trainer(2): [0.0022, 0.0044, 0.0036], EAGER: [0.0044, 0.0088, 0.0072]},
    {JAX: "ModuleNotFoundError: No module named 'jax'"},
    {"auto": "2", "NumPy": "2.4.6"},
)
WHOLE = Whole(
    {
        CLICK: [0.02, 0.04], HELP: [0.028, 0.06], NUMPY: [0.1], ONE: [0.31], MANY: [1.5],
        FLOOR: [4.0], TRAIN: [5.9],
    },
    {TRAIN: 150 * 2**20},
)  # fmt: skip


def test_columns_are_aligned() -> None:
    assert table(("what", "s"), [("a", "1.25"), ("bc", "10")]) == (
        "| what |    s |\n| ---- | ---: |\n| a    | 1.25 |\n| bc   |   10 |"
    )


def test_rows_tell_times_ratios_and_reasons() -> None:
    found = list(rows(OUTCOME, [trainer(2), JAX]))
    assert found == [
        ["bpcli, 2 workers", "3.6 (2.9 to 4)", "0.703", "1.10 (1.10 to 1.15)", "0.50"],
        [JAX, "– (ModuleNotFoundError: No module named 'jax')", "–", "–", "–"],
    ]


def test_aims_of_steps_are_held_against_who_took_part() -> None:
    found = list(of_steps({"default": OUTCOME}))
    assert [aim.limit for aim in found] == [1.06, 0.50]
    assert [aim.found for aim in found] == pytest.approx([1.1, 0.5])


def test_aims_of_growth_are_those_of_the_cases_with_a_limit() -> None:
    limited = replace(OUTCOME, case=replace(OUTCOME.case, batch=1024), seconds={floor(2): [0.01], trainer(2): [0.0113]})
    failed = replace(limited, seconds={floor(2): [0.01]})
    (aim,) = of_growth({"batch size": [limited, failed], "images": [OUTCOME]})
    assert aim.row == ["784-1024-10, batch 1024: bpcli, 2 workers ÷ the floor, 2 threads", "1.13", "1.12", "no"]


def test_aims_of_processes() -> None:
    found = list(of_processes(WHOLE))
    assert [aim.found for aim in found] == pytest.approx([1.45, 0.31 / 0.30, 1.5, 5.9 / 5.2])
    assert [aim.limit for aim in found] == [1.5, 1.0, 2.0, 1.0]
    assert [aim.row[-1] for aim in found] == ["yes", "no", "yes", "no"]


def test_the_page_holds_what_was_measured_and_no_more() -> None:
    text = page.text(Results({"cores": "2"}, {"default": OUTCOME}, WHOLE))
    assert "### 784-1024-10, batch 256" in text
    assert "2.4.6" in text
    assert "| bpcli train " in text
    assert "## What grows" not in text
    grown = page.text(Results({}, growth={"images": [OUTCOME]}, predicting=[["1", "0.2", "40"]]))
    assert "| 50,000 |" in grown
    assert "## Whole processes" not in grown


def test_what_failed_is_a_dash_or_a_line() -> None:
    failed = Outcome(NETWORKS["default"], {}, {floor(2): "no memory"})
    text = page.text(Results({}, {"default": failed}, growth={"images": [failed]}, problems=["processes: no disk"]))
    assert text.count("– (no memory)") == 2
    assert "Not measured: processes: no disk" in text


def test_no_variable_steers_a_library() -> None:
    kept = environment({"PATH": "here", "OPENBLAS_L2_SIZE": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    assert set(kept) == {"PATH", "PYTHONPATH"}


def test_the_processor_has_a_name(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Some CPU\nflags\t\t: fpu avx avx2\n")
    assert processor(info) == "Some CPU (family 6, model 85, avx2)"
    assert processor(tmp_path / "none")


def test_a_process_has_a_time_and_a_peak(tmp_path: Path) -> None:
    """Measured from a small process: the system counts what a child was before it became another program."""
    measure = (
        "from pathlib import Path\n"
        "from benchmarks.processes import python\n"
        f"large = python('x = bytearray(100 * 2**20)', Path({str(tmp_path)!r}))\n"
        "print(large() > 0, large.peak)\n"
    )
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", measure], cwd=root, capture_output=True, text=True, check=True, timeout=300
    )
    positive, peak = done.stdout.split()
    assert positive == "True"
    assert 100 * 2**20 < int(peak) < 200 * 2**20


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="out of order"):
        Process(python("raise SystemExit('out of order')", tmp_path).arguments, tmp_path)()
