"""Fetch a file from a mirror, which is not believed: only what has the right sum is kept."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from bpcli import __version__
from bpcli.sets.sums import checked
from bpcli.sets.table import Source
from bpcli.storage import files

PATIENCE = 20.0  # seconds that a mirror may be silent
SLOWEST = 2000  # bytes a second, in the mean after that time
MOST = 200_000_000  # bytes of a file whose size is not known
_PIECE = 64 * 1024  # bytes


class MirrorError(Exception):
    """A mirror does not give a file; the message says why. The next one is asked then."""


def download(url: str, path: Path, source: Source, patience: float, moved: Callable[[int], object]) -> None:
    """Fetch a file, check it, force it to the disk, and only then give it its name.

    Args:
        url: its address.
        path: where to put it; it is called `<name>.part` meanwhile.
        source: what it must be.
        patience: seconds that the mirror may be silent.
        moved: called with the number of bytes of each piece that comes.

    Raises:
        MirrorError: the mirror does not answer, is too slow, or sends something else.
        OutputError: the file can't be written.
    """
    coming = _timed(_arriving(url, source.size, patience), patience, moved)
    files.write_pieces(path, checked(coming, source, MOST, MirrorError))


def _arriving(url: str, size: int | None, patience: float) -> Iterator[bytes]:
    """Yield what a mirror sends."""
    headers = {"User-Agent": f"bpcli/{__version__}", "Accept-Encoding": "identity"}
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (the opener knows only http and https)
        with _opener().open(request, timeout=patience) as answer:
            if size is not None and answer.length not in (None, size):
                raise MirrorError(f"offers {answer.length:,} bytes, not {size:,}")
            yield from _pieces(answer)
    except urllib.error.HTTPError as error:
        error.close()
        raise MirrorError(f"answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise MirrorError(f"can't be reached: {error.reason}") from error
    except TimeoutError as error:
        raise MirrorError(f"is silent for {patience:g} seconds") from error
    except (OSError, HTTPException, ValueError) as error:
        raise MirrorError(f"breaks off: {error or type(error).__name__}") from error


def _pieces(answer: HTTPResponse) -> Iterator[bytes]:
    """Yield what has come whenever something has: a slow mirror would otherwise hold us for as long as it likes."""
    return iter(lambda: answer.read1(_PIECE), b"")


def _timed(pieces: Iterable[bytes], patience: float, moved: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the pieces and report them; raise MirrorError if they come too slowly."""
    start, size = time.monotonic(), 0
    for piece in pieces:
        size += len(piece)
        moved(len(piece))
        seconds = time.monotonic() - start
        if seconds > patience and size < SLOWEST * seconds:
            raise MirrorError(f"is too slow: {size:,} bytes in {seconds:.0f} seconds")
        yield piece


def _opener() -> urllib.request.OpenerDirector:
    """Return an opener that knows http and https alone, follows few redirections, and takes the usual proxies."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.UnknownHandler(), urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(), urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener
