"""Signals at any moment: the run is saved and the process gone within two seconds."""

import fcntl
import os
import pty
import random
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bpcli import config as configuration
from bpcli.data.folder.splits import kept_of
from bpcli.storage.find import newest
from bpcli.training.run import resumed_training
from tests.children import HANGS, child
from tests.reliability.conftest import ROOT
from tests.reliability.disks import QUICK

MAX_LENGTH = 2.0  # seconds from the signal to the end of the process
TICK = 0.01  # seconds
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SETTINGS = ["model.hidden=[64]", "train.epochs=2", "data.validation=20000", "train.threads=1"]
PATHS = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]), "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Ending:
    """How a process ended, and how long after the signal."""

    code: int
    told: str
    seconds: float


def train(folder: Path) -> AbstractContextManager["subprocess.Popen[str]"]:
    settings = [part for setting in SETTINGS for part in ("-s", setting)]
    command = [sys.executable, "-m", "bpcli", "train", "-o", "run", *settings]
    folder.mkdir()
    return child(
        command, cwd=folder, env=os.environ | PATHS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def lifetime(folder: Path) -> float:
    """Seconds that a run takes if nobody disturbs it."""
    start = time.perf_counter()
    with train(folder) as process:
        process.communicate(timeout=HANGS)
    return time.perf_counter() - start


def deliver(folder: Path, number: int, delay: float) -> Ending:
    with train(folder) as process:
        time.sleep(delay)
        process.send_signal(number)
        seconds = until_the_end(process)
        told, complaints = process.communicate(timeout=HANGS)
        return Ending(process.returncode, told + complaints, seconds)


def until_the_end(process: "subprocess.Popen[Any]") -> float:
    """Seconds until a process ends, by a clock that stands still where the machine lets this process stand still."""
    seconds, before = 0.0, time.perf_counter()
    while process.poll() is None:
        time.sleep(TICK)
        now = time.perf_counter()
        seconds += min(now - before, 10 * TICK)
        before = now
        assert seconds < HANGS
    return seconds


def past_the_start(told: str) -> bool:
    """Whether a traceback comes from beyond the line of `bpcli/__main__.py` that leaves Ctrl-C to the system.

    Before it is the interpreter's own start, which can't be helped: a signal that came within it may show at the first
    lines too. What lies in .venv belongs to that start; its path may hold "bpcli/", as the folder's own name.
    """
    lines = (ROOT / "bpcli/__main__.py").read_text().splitlines()
    heeded = next(number for number, line in enumerate(lines, 1) if "SIG_DFL)" in line)
    frames = re.findall(rf'File "{re.escape(str(ROOT))}/bpcli/(.+)", line (\d+)', told)
    return any(file != "__init__.py" and (file != "__main__.py" or int(line) > heeded) for file, line in frames)


def test_tracebacks_of_the_interpreters_start_are_told_from_ours() -> None:
    def traceback(file: str) -> str:
        return f'Traceback (most recent call last):\n  File "{ROOT}/{file}, in <module>\nKeyboardInterrupt\n'

    for start in ('.venv/lib/python3/site-packages/finder.py", line 9', 'bpcli/__main__.py", line 0'):
        assert not past_the_start(traceback(start))
    for ours in ('bpcli/cli/__init__.py", line 3', 'bpcli/__main__.py", line 99'):
        assert past_the_start(traceback(ours))


def check(folder: Path, number: int, ending: Ending) -> str:
    """Sees that the run is saved; gives the phase in which the signal came."""
    if ending.code == 0 or "the run is in run" in ending.told:
        return "ended before"
    assert ending.seconds < MAX_LENGTH
    if "Traceback" in ending.told:
        assert not past_the_start(ending.told)
        assert not (folder / "run").exists()
        return "starting"
    if ending.code == -number:
        assert not (folder / "run").exists()
        return "starting"
    assert ending.code == 128 + number
    assert ending.told.splitlines()[-1].startswith(f"stopped by {signal.Signals(number).name}")
    if not (folder / "run").exists():
        return "reading"
    found, warning = newest(folder / "run")
    assert found is not None
    assert warning == ""
    assert found.progress is not None
    assert not list((folder / "run").glob(".*.tmp"))
    if found.progress.epoch == 2:
        return "testing"
    return "validating" if found.progress.step == 157 else "training"


def storm(tmp_path: Path, count: int, seed: int) -> tuple[dict[str, int], float]:
    """Delivers so many signals at random moments; how many came in each phase, and the longest seconds to the end."""
    rng = random.Random(seed)
    whole = max(lifetime(tmp_path / f"whole{n}") for n in range(1 + (count > 10)))
    phases: dict[str, int] = {}
    delivered, longest = 0, 0.0
    while delivered < count:
        folder, number = tmp_path / f"{seed}-{sum(phases.values())}", rng.choice(SIGNALS)
        ending = deliver(folder, number, rng.uniform(0.02, whole))
        phase = check(folder, number, ending)
        phases[phase] = phases.get(phase, 0) + 1
        if phase != "ended before":
            delivered, longest = delivered + 1, max(longest, ending.seconds)
    return phases, longest


def test_a_few_signals_at_random_moments(tmp_path: Path) -> None:
    phases, _ = storm(tmp_path, 6, 1)
    assert sum(phases.values()) >= 6


@pytest.mark.torture
def test_200_signals_at_random_moments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phases, longest = storm(tmp_path, 200, 2)
    with capsys.disabled():
        sys.stdout.write(f"signals by phase: {phases}; the end came after {longest:.2f} s at most\n")
    assert phases.keys() >= {"starting", "reading", "training", "testing"}


def told(process: "subprocess.Popen[str]", start: str) -> None:
    assert process.stderr is not None
    assert any(line.startswith(start) for line in process.stderr)


def test_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tmp_path / "whole"
    lifetime(whole)
    with train(tmp_path / "stopped") as process:
        told(process, "training on")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=HANGS)
    assert process.returncode == 143
    monkeypatch.chdir(tmp_path / "stopped")
    list(resumed_training("run", fs=QUICK))
    for name in ("best.npz", "last.npz"):
        assert (whole / "run" / name).read_bytes() == Path("run", name).read_bytes()


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    with train(tmp_path / "run") as process:
        told(process, "  1/2")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=HANGS)
    assert process.returncode in (130, -signal.SIGTERM)  # it may have been done already
    found, warning = newest(tmp_path / "run/run")
    assert found is not None
    assert found.epoch >= 1
    assert warning == ""


def test_a_terminal_that_hangs_up(tmp_path: Path) -> None:
    """The kernel sends SIGHUP, and whatever is printed from then on is an error."""
    parent, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    command = [sys.executable, "-m", "bpcli", "train", "-o", "run", "--epochs", "1000", "-s", "model.hidden=[]"]
    with child(
        command, cwd=tmp_path, env=os.environ | PATHS, stdin=terminal, stdout=terminal, stderr=terminal,
        preexec_fn=own_terminal,
    ) as process:  # fmt: skip
        os.close(terminal)
        seen = b""
        while b"epoch    3/1000" not in seen:
            part = os.read(parent, 4096)
            assert part
            seen += part
        os.close(parent)
        assert until_the_end(process) < MAX_LENGTH
        assert process.returncode == 128 + signal.SIGHUP
    found, _ = newest(tmp_path / "run")
    assert found is not None
    assert found.epoch >= 2


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    def nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    command = [sys.executable, "-m", "bpcli", "train", "-o", "run", "-s", "model.hidden=[]", "--epochs", "1"]
    with child(
        command, cwd=tmp_path, env=os.environ | PATHS, preexec_fn=nohup, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        told(process, "training on")
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=HANGS)
    assert process.returncode == 0


@pytest.mark.parametrize("command", [["evaluate"], ["train"], ["config"]], ids=lambda command: command[0])
def test_ctrl_c_leaves_no_traceback_while_the_program_starts(tmp_path: Path, command: list[str]) -> None:
    """After the first import of bpcli's own and some later ones; the process tells of each, and waits to be read."""
    for imports in (1, 40, 80, 120):
        with child(
            [sys.executable, "-X", "importtime", "-m", "bpcli", *command], cwd=tmp_path, env=os.environ | PATHS,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0, pipesize=4096,
        ) as process:  # fmt: skip
            assert process.stderr is not None
            assert any(line.endswith(b"| bpcli\n") for line in process.stderr)
            for _ in range(imports):
                assert process.stderr.readline().startswith(b"import time:")
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=HANGS)
        assert process.returncode in (-signal.SIGINT, 128 + signal.SIGINT)  # the latter where `train` notes it already
        assert b"Traceback" not in complaints


def test_a_run_of_a_library_user_is_not_touched() -> None:
    from bpcli.cli.signals import noted_signals

    def mine(number: int, frame: object) -> None:
        """A handler of somebody's."""

    before: Callable[..., object] = signal.signal(signal.SIGTERM, mine)  # type: ignore[assignment]
    try:
        with noted_signals() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.arrived()
            assert (stop.name, stop.exit_code) == ("SIGTERM", 143)
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_settings_make_what_the_phases_say() -> None:
    config = configuration.load("default", SETTINGS)
    assert -(-(60_000 - kept_of(60_000, config.data.validation)) // config.train.batch_size) == 157
