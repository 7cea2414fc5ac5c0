"""The parent's side of a contender: starts its process, and asks it for one stretch of steps at a time."""

import json
import select
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from benchmarks.cases import Case
from benchmarks.machine import ROOT, environment

MAX_LENGTH = 180  # seconds to wait for an answer; the compiler of PyTorch takes most of a minute


class Failed(Exception):  # noqa: N818 (the table says why)
    """The contender can't take part; the message is one line."""


class Contender:
    """A process that does training steps when asked.

    Args:
        python: the interpreter of its environment.
        module: of `benchmarks.contenders`.
        case: what it trains.
        variant: which of the module's ways to do it.
        folder: where the data lie.
    """

    def __init__(self, python: str, module: str, case: Case, variant: str, folder: Path) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self._process = subprocess.Popen(
            [python, "-m", f"benchmarks.contenders.{module}", case.encode(), variant, str(folder)],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def about(self) -> dict[str, str]:
        """What it says of itself once it is ready.

        Raises:
            Failed: it is not.
        """
        return self._answer()

    def seconds(self) -> float:
        """Those of one stretch of steps, after an untimed start.

        Raises:
            Failed: it has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Failed(self._last_words()) from None
        return float(self._answer()["seconds"])

    def kill(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Ends the process and frees what belongs to it."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._errors.close()

    def _answer(self) -> dict[str, str]:
        """The next line, as soon as it is there."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], MAX_LENGTH)[0]:
            raise Failed(f"no answer within {MAX_LENGTH} seconds")
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise Failed(self._last_words())
        answer: dict[str, str] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        """The last line that it wrote on stderr."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "it ended without a word")
