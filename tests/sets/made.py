"""Small data sets in the layouts of the large ones, with their tables, and a server that may lie about them."""

import bz2
import gzip
import hashlib
import io
import struct
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpcli.sets.table import Content, NamedSet, Part, Source
from tests.conftest import idx_bytes

SIDE, TRAINING, TEST = 9, 12, 5
PARTS = {"train": TRAINING, "t10k": TEST}
CLASSES = ("shirt", "shoe", "bag")


class Made(NamedTuple):
    """A data set: its images and labels by part, its files, and its table."""

    images: Mapping[str, NDArray[np.uint8]]
    labels: Mapping[str, NDArray[np.uint8]]
    files: Mapping[str, bytes]
    named: NamedSet


def made(layout: str = "idx", mirrors: tuple[str, ...] = (), unpacked: bool = True) -> Made:
    rng = np.random.default_rng(1)
    images = {part: rng.integers(0, 256, (n, SIDE, SIDE), np.uint8) for part, n in PARTS.items()}
    labels = {part: (np.arange(n) % 3).astype(np.uint8) for part, n in PARTS.items()}
    files, names = _FILES[layout](images, labels)
    inside = {name: gzip.decompress(each) for name, each in files.items() if unpacked and layout == "idx"}
    sources = tuple(
        Source(
            name=name, size=len(content), sha256=_sum(content),
            unpacked=Content(_sum(inside[name]), len(inside[name])) if name in inside else None,
        )
        for name, content in files.items()
    )  # fmt: skip
    parts = {part: Part(n, names[part]) for part, n in PARTS.items()}
    named = NamedSet(
        name="kmnist", title="Made", shows="noise", licence="MIT", home="https://example.org", classes=CLASSES,
        mirrors=mirrors, layout=layout, train=parts["train"], test=parts["t10k"], sources=sources, system="made",
        transposed=layout == "zip", first_label=int(layout in ("zip", "libsvm")),
    )  # fmt: skip
    return Made(images, labels, files, named)


Arrays = Mapping[str, NDArray[np.uint8]]
Written = tuple[dict[str, bytes], dict[str, tuple[str, ...]]]


def _idx(images: Arrays, labels: Arrays) -> Written:
    files: dict[str, bytes] = {}
    names: dict[str, tuple[str, ...]] = {}
    for part in PARTS:
        names[part] = (f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz")
        for name, array in zip(names[part], (images[part], labels[part]), strict=True):
            files[name] = gzip.compress(idx_bytes(array), mtime=0)
    return files, names


def _zip(images: Arrays, labels: Arrays) -> Written:
    """As EMNIST: the columns of an image are written one after the other, and labels count from 1."""
    turned = {part: np.array([image.T for image in each]) for part, each in images.items()}
    members, names = _idx(turned, {part: each + np.uint8(1) for part, each in labels.items()})
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, content in {**members, "other.gz": b"not wanted"}.items():
            archive.writestr(f"gzip/{name}", content)
    return {"gzip.zip": bundle.getvalue()}, {part: tuple(f"gzip/{n}" for n in each) for part, each in names.items()}


def _qmnist(images: Arrays, labels: Arrays) -> Written:
    """As QMNIST: eight integers of 32 bits an image, of which the first is the label."""
    files, names = _idx(images, labels)
    for part, (_, name) in names.items():
        rows = b"".join(struct.pack(">8i", label, 4, 3000, 7, 70000, 1, 0, -1) for label in labels[part])
        files[name] = gzip.compress(bytes([0, 0, 12, 2]) + struct.pack(">2I", len(labels[part]), 8) + rows)
    return files, names


def _libsvm(images: Arrays, labels: Arrays) -> Written:
    """As USPS: a line an image; a value of 0 may be left out."""
    files: dict[str, bytes] = {}
    names: dict[str, tuple[str, ...]] = {}
    for part in PARTS:
        lines = []
        for image, label in zip(images[part], labels[part], strict=True):
            values = {place: pixel / 127.5 - 1 for place, pixel in enumerate(image.ravel(), 1)}
            lines.append(f"{label + 1} " + " ".join(f"{place}:{value:.6f}" for place, value in values.items()))
        names[part] = (f"{part}.bz2",)
        files[f"{part}.bz2"] = bz2.compress("\n".join(lines).encode() + b"\n")
    return files, names


_FILES = {"idx": _idx, "zip": _zip, "qmnist": _qmnist, "libsvm": _libsvm}


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Lying(NamedTuple):
    """A server whose first folder says how it answers, and the paths that it was asked for."""

    address: str
    asked: list[str]


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Lying]:
    """Serve the files from /good/, and from the folders of the ways to lie; only the first file is lied about."""
    lied_about = next(iter(files))
    asked: list[str] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            _, way, name = self.path.split("/", 2)
            with suppress(BrokenPipeError, ConnectionResetError):
                getattr(self, f"way_{way}" if name == lied_about else "way_good")(files[name])

        def way_good(self, content: bytes) -> None:
            self._answer(content, len(content))

        def way_moved(self, content: bytes) -> None:
            self._redirect(self.path.replace("moved", "good"))

        def way_wrong(self, content: bytes) -> None:
            self._answer(content[:-1] + bytes([content[-1] ^ 1]), len(content))

        def way_cut(self, content: bytes) -> None:
            self._answer(content[: len(content) // 2], len(content))

        def way_page(self, content: bytes) -> None:
            page = b"<!DOCTYPE html><title>Sign in</title>"
            self._answer(page, len(page))

        def way_endless(self, content: bytes) -> None:
            self._answer(content + b"x" * 100_000, None)

        def way_loop(self, content: bytes) -> None:
            self._redirect(self.path)

        def way_local(self, content: bytes) -> None:
            self._redirect("file:///etc/passwd")

        def way_broken(self, content: bytes) -> None:
            self.send_error(500)

        def way_slow(self, content: bytes) -> None:
            self._answer(b"", len(content))
            for place in range(len(content)):
                if over.wait(0.02):
                    return
                self.wfile.write(content[place : place + 1])

        def way_silent(self, content: bytes) -> None:
            over.wait(60)

        def _answer(self, content: bytes, promised: int | None) -> None:
            self.send_response(200)
            if promised is not None:
                self.send_header("Content-Length", str(promised))
            self.end_headers()
            self.wfile.write(content)

        def _redirect(self, where: str) -> None:
            self.send_response(302)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Lying(f"http://127.0.0.1:{server.server_port}/", asked)
        finally:
            over.set()
            server.shutdown()
            thread.join()


def nowhere() -> str:
    """An address at which nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}/"


def write_all(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]
