import signal
import subprocess
import sys
import time

import pytest

from tests import children
from tests.children import SIGNALS, child

SLEEP = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_process_hears_what_the_tests_were_told_to_ignore(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with child(SLEEP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(number)
            process.wait(timeout=10)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert process.returncode == -number


def test_a_process_does_not_outlive_a_test_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), child(SLEEP, stdout=subprocess.DEVNULL) as process:
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGKILL


def test_a_process_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "HANGS", 0.1)
    start = time.perf_counter()
    with child(SLEEP, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    assert time.perf_counter() - start < 30
