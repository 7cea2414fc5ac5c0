"""The cache of prepared pictures: a file for the contents of a folder's pictures and the way they are prepared.

Its name is a digest of both, so that neither names nor times nor places of files matter. A file that is damaged is as
good as none.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
from numpy.typing import NDArray

from bpcli import resources
from bpcli.data import picture
from bpcli.data.folder.preparing import Way

MAX_BYTES = 2_000_000_000  # of all files in the cache; the oldest are removed
SUFFIX = ".prepared"
_DIGEST = sha256().digest_size


class Table(NamedTuple):
    """Prepared pictures, one for each content of a file.

    Attributes:
        places: (n,), as `preparing.Ready.place`.
        images: (n, side²); zeros where there is a reason.
        reasons: why the network sees nothing, by the indices of the contents.
    """

    places: NDArray[np.uint64]
    images: NDArray[np.uint8]
    reasons: dict[int, str]

    def put(self, index: int, place: int, pixels: NDArray[np.uint8] | None, reason: str) -> None:
        """Fill a row of a table that was made empty."""
        self.places[index] = place
        if pixels is None:
            self.reasons[index] = reason
        else:
            self.images[index] = pixels


def file_for(digests: Sequence[bytes], way: Way) -> Path:
    """Return the cache's file for files of these SHA-256, in order."""
    key = sha256(json.dumps([*way, _preparation()]).encode())
    key.update(b"".join(digests))
    return resources.cache() / f"{key.hexdigest()}{SUFFIX}"


def _preparation() -> str:
    """Return a digest of the code that prepares pictures."""
    code = sha256(f"{PIL.__version__} {np.__version__}".encode())
    for path in sorted(Path(picture.__path__[0]).glob("*.py")):
        code.update(path.read_bytes())
    return code.hexdigest()


def load(path: Path, count: int, way: Way) -> Table | None:
    """Return what is in the cache's file for `count` contents; None if there is no such file or it is damaged."""
    with suppress(OSError, ValueError):
        content = path.read_bytes()
        with suppress(OSError):  # where nothing can be written
            os.utime(path)  # those that are not used are removed first
        digest, body = content[:_DIGEST], memoryview(content)[_DIGEST:]
        return _table(body, count, way) if sha256(body).digest() == digest else None
    return None


def _table(body: memoryview, count: int, way: Way) -> Table:
    places, images = 8 * count, way.side**2 * count
    return Table(
        np.frombuffer(body[:places], "<u8"),
        np.frombuffer(body[places : places + images], np.uint8).reshape(count, way.side**2),
        {int(index): reason for index, reason in json.loads(bytes(body[places + images :])).items()},
    )


def save(path: Path, table: Table) -> None:
    """Write the cache's file whole, or not at all; a cache that can't be written is none."""
    body = b"".join((table.places.astype("<u8").tobytes(), table.images.tobytes(), json.dumps(table.reasons).encode()))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, len(body))
        try:
            temporary.write_bytes(sha256(body).digest() + body)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _make_room(folder: Path, size: int) -> None:
    """Remove the files that were not used for longest, if another would be too much."""
    newest = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest:
        size += path.stat().st_size
        if size > MAX_BYTES:
            path.unlink()
