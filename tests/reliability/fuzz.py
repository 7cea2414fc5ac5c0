"""Throws damaged files at the parsers and sees that nothing but bpcli's own errors comes out.

    python -m tests.reliability.fuzz PARSER COUNT [SEED]

PARSER is checkpoint, idx, yaml, setting or picture. Prints how many inputs were refused and accepted, and the slowest.
"""

import gzip
import io
import random
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bpcli import config as configuration
from bpcli import resources
from bpcli.data.idx import read_idx
from bpcli.data.picture.prepare import prepare
from bpcli.data.picture.read import read_picture
from bpcli.errors import BpcliError
from bpcli.storage import checkpoint
from bpcli.storage.archive import pack
from bpcli.strict_yaml import parse_yaml
from tests.conftest import idx_bytes
from tests.reliability import hostile

MAX_LENGTH = 1.0  # seconds of processor time
PNG = b"\x89PNG\r\n\x1a\n"
INTERESTING = [0, 1, 7, 0x7F, 0x80, 0xFF, 0x0A, 0x20, 0x22, 0x26, 0x2A, 0x3A, 0x5B, 0x7B]
WORDS = [
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\x93NUMPY\x01\0", b"\xff\xff\xff\xff", b"\0\0\0\x80",
    b"\x1f\x8b\x08", b"IHDR", b"IDAT", b"tRNS", b"iCCP", b"\xff\xd8", b"\xff\xc4", b"\x00\x2c", b"II*\0",
    b"<<: ", b"&a ", b"*a", b"!!int ", b"0x", b"1e", b":59", b"? ", b"- ", b"{", b"}", b"[", b"]", b"|\n", b"\n  ",
    b"2001-12-14 ", b"null", b".nan", b"-.inf",
    b"\xef\xbb\xbf", b"%YAML 9.9\n", b"---\n", b"'", b'"\\x', b"\\ud800",
]  # fmt: skip


@dataclass
class Result:
    """What became of some inputs."""

    refused: int = 0
    accepted: int = 0
    slowest: float = 0.0


def mutated(rng: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """The content with a few things wrong."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(8):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at % len(data)] = rng.choice(INTERESTING)
            case 2:
                del data[at : at + rng.randrange(1, 40)]
            case 3:
                data[at:at] = rng.choice(WORDS)
            case 4:
                data[at : at + 4] = rng.randbytes(4)
            case 5:
                data[at:at] = data[rng.randrange(len(data) + 1) :][: rng.randrange(1, 60)]
            case 6:
                other = rng.choice(others)
                data[at : at + 20] = other[rng.randrange(len(other) + 1) :][:20]
            case _:
                del data[at:]
    return bytes(data)


def fuzz(parse: Callable[[bytes], object], seeds: list[bytes], count: int, seed: int) -> Result:
    """Parses so many damaged inputs.

    Raises:
        AssertionError: one took too long.
        Exception: whatever a parser raised that is not bpcli's own.
    """
    rng, result = random.Random(seed), Result()
    for _ in range(count):
        content = mutated(rng, rng.choice(seeds), seeds)
        start = time.process_time()
        try:
            parse(content)
            result.accepted += 1
        except BpcliError as error:
            result.refused += 1
            assert str(error)
        except BaseException:
            Path(tempfile.gettempdir(), "bpcli-fuzz-failure").write_bytes(content)
            raise
        seconds = time.process_time() - start
        result.slowest = max(result.slowest, seconds)
        assert seconds < MAX_LENGTH, content[:100]
    return result


def parser(name: str, folder: Path) -> tuple[Callable[[bytes], object], list[bytes]]:
    """A parser of bytes, and what to damage."""
    path = folder / "file"

    def of_file(read: Callable[[Path], object], content: bytes) -> object:
        path.write_bytes(content)
        return read(path)

    def archive(content: bytes) -> object:
        """As it is, or with a SHA-256 that is right, or the members packed anew with one that is wrong."""
        return of_file(checkpoint.load, hostile.resealed(content) if len(content) % 4 else content)

    def member(content: bytes) -> object:
        name, _, data = content.partition(b"\xfe\xfe")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of zipfile, about the same name twice
            packed = pack(whole | {name.decode("ascii", "replace")[:50]: data})
        return of_file(checkpoint.load, packed)

    def yaml(content: bytes) -> object:
        return configuration.from_tree(parse_yaml(content, "file.yaml"), "file.yaml")

    def setting(content: bytes) -> object:
        return configuration.override(hostile.CONFIG, [content.decode("utf-8", "surrogateescape")])

    def picture(content: bytes) -> object:
        """As it is, or as a PNG file with check sums that are right, or its decoder never sees what is wrong."""
        return prepare(read_picture(checked(content) if len(content) % 4 else content))

    small = idx_bytes(hostile.IMAGES[:1])
    presets = [file.read_bytes() for file in sorted(resources.presets().glob("*.yaml"))]
    whole = hostile.members()
    members = [name.encode() + b"\xfe\xfe" + data for name, data in whole.items()]
    return {
        "checkpoint": (archive, [hostile.good(), hostile.deflated(hostile.members()), hostile.duplicated()]),
        "member": (member, members),
        "idx": (
            lambda content: of_file(lambda file: read_idx(file, 3, longest=10_000), content),
            [small, gzip.compress(small)],
        ),
        "yaml": (yaml, [*presets, *(data for _, data in hostile.configurations() if len(data) < 2000)]),
        "setting": (
            setting,
            [b"train.epochs=3", b"model.hidden=[30, 20]", b"data.folder=a/b", b"seed=0x1f", b"loss=quadratic"],
        ),
        "picture": (picture, pictures()),
    }[name]


def checked(content: bytes) -> bytes:
    """A PNG file with the check sums that its chunks should have, as far as they can be told apart; others as is."""
    data, at = bytearray(content), len(PNG)
    while content.startswith(PNG) and at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if end + 4 <= len(data):
            data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(data)


def pictures() -> list[bytes]:
    """A small picture in each of some formats."""
    found = []
    for kind, mode, options in (
        ("PNG", "L", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("JPEG", "L", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("GIF", "P", {}),
        ("BMP", "L", {}),
        ("WEBP", "RGB", {}),
        ("TIFF", "L", {}),
        ("TIFF", "L", {"compression": "tiff_lzw"}),
        ("TIFF", "L", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", "RGB", {"compression": "jpeg"}),
        ("TIFF", "1", {"compression": "group4"}),
        ("PPM", "L", {}),
    ):
        file = io.BytesIO()
        Image.fromarray(hostile.IMAGES[1]).convert(mode).save(file, kind, **options)
        found.append(file.getvalue())
    return found


def main() -> None:
    name, count, *seed = sys.argv[1:]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        result = fuzz(*parser(name, Path(folder)), int(count), int(seed[0]) if seed else 0)
    print(f"{name}: {result}, {time.perf_counter() - start:.0f} s in all", flush=True)


if __name__ == "__main__":
    main()
