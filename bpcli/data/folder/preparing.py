"""Preparation of picture files as `bpcli predict` prepares them, by several processes if there are many."""

import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli import machine
from bpcli.data.picture.prepare import prepare, to_bytes
from bpcli.data.picture.read import content_of, read_picture
from bpcli.errors import DataError, ImageError

WORTH_A_PROCESS = 400  # pictures, which take a process about as long as its start
_NAME = "picture"
_START = f"import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {__name__} import work; work()"

Bytes = NDArray[np.uint8]


class Way(NamedTuple):
    """How pictures are prepared: fitted into a square of `side` pixels, as digits or whole."""

    side: int
    digits: bool


class Ready(NamedTuple):
    """A prepared picture.

    Attributes:
        digest: SHA-256 of the file; empty if it can't be read.
        place: a number that only the decoded pixels determine: copies in other files and formats have the same.
        pixels: (side²,), what the network sees; None if it sees nothing.
        reason: why, or "".
    """

    digest: bytes
    place: int
    pixels: Bytes | None
    reason: str


def digest_of(path: str) -> bytes:
    """Return the SHA-256 of a file's content.

    Raises:
        ImageError: it can't be read.
    """
    return sha256(content_of(path)).digest()


def ready(path: str, way: Way) -> Ready:
    """Return a picture file as the network sees it, or why it sees nothing."""
    digest = b""
    try:
        content = content_of(path)
        digest = sha256(content).digest()
        grey = read_picture(content, _NAME)
    except ImageError as error:
        return Ready(digest, 0, None, str(error).removeprefix(f"{path}: ").removeprefix(f"{_NAME}: "))
    found = prepare(grey, side=way.side, digits=way.digits, several=False)
    pixels = None if found.pixels is None else found.pixels.reshape(-1)
    return Ready(digest, _place(to_bytes(grey)), pixels, found.reason)


def _place(grey: Bytes) -> int:
    """Return 64 bits of the digest of a picture (h, w)."""
    return int.from_bytes(sha256(repr(grey.shape).encode() + grey.tobytes()).digest()[:8])


def ready_all(paths: Sequence[str], way: Way) -> Generator[Ready, None, None]:
    """Yield each picture file as the network sees it, in order.

    Raises:
        DataError: a process ended early.
    """
    workers = min(machine.usable_cores(), len(paths) // WORTH_A_PROCESS) if sys.executable else 1
    return _by_workers(paths, way, workers) if workers > 1 else (ready(path, way) for path in paths)


def _by_workers(paths: Sequence[str], way: Way, count: int) -> Generator[Ready, None, None]:
    """Yield what `count` processes return for their shares: every `count`-th path."""
    with ExitStack() as stack:
        try:
            outputs = [stack.enter_context(_worker(paths[first::count], way)) for first in range(count)]
        except OSError:  # such as too many open files
            yield from (ready(path, way) for path in paths)
            return
        for index in range(len(paths)):
            if not (line := outputs[index % count].readline()):
                raise DataError(f"{paths[index]}: the process that prepared it ended; was the memory too small?")
            yield _decoded(line)


@contextmanager
def _worker(paths: Sequence[str], way: Way) -> Iterator[IO[bytes]]:
    """Yield the output of a process that prepares pictures, and end the process.

    `multiprocessing` would import the caller's script anew, which a script without a guard would not survive.
    """
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _START, json.dumps([*map(str, sys.path)])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,  # Ctrl-C is for this process, which ends the others
    )
    with process:
        try:
            if process.stdin is None or process.stdout is None:
                raise AssertionError("both were asked for")
            with suppress(BrokenPipeError), process.stdin:  # of a process that has ended; reading from it says so
                process.stdin.write(json.dumps([way, paths]).encode())
            yield process.stdout
        finally:
            process.kill()


def work() -> None:
    """Prepare the pictures that standard input names; write a line for each."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    (side, digits), paths = json.load(sys.stdin)
    for path in paths:
        line = _encoded(ready(path, Way(side, digits)))
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except OSError:  # the parent has ended; Windows calls a broken pipe an invalid argument
            os._exit(1)


def _encoded(made: Ready) -> str:
    digest, place, pixels, reason = made
    return json.dumps([digest.hex(), place, None if pixels is None else b64encode(pixels.tobytes()).decode(), reason])


def _decoded(line: bytes) -> Ready:
    digest, place, pixels, reason = json.loads(line)
    return Ready(
        bytes.fromhex(digest), place, None if pixels is None else np.frombuffer(b64decode(pixels), np.uint8), reason
    )
