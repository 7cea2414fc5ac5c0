"""Files of a stranger's: each by its name, for a folder to be filled with."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image

from bpcli import config as configuration
from bpcli.data.spec import MNIST
from bpcli.storage import checkpoint
from bpcli.storage.archive import pack, seal
from bpcli.storage.checkpoint import Checkpoint
from bpcli.training.builders import first_state
from tests.conftest import idx_bytes

CONFIG = configuration.load("default", ["model.hidden=[2]"])
Members = dict[str, bytes]


def network() -> Checkpoint:
    """A checkpoint that nothing is wrong with: a network alone."""
    return Checkpoint(CONFIG, MNIST, 1, {"train_loss": 0.5}, first_state(CONFIG, MNIST).parameters)


def good() -> bytes:
    """The content of its file."""
    return checkpoint.to_bytes(network())


def members() -> Members:
    """The members of it."""
    with zipfile.ZipFile(io.BytesIO(good())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def resealed(content: bytes) -> bytes:
    """The file with a SHA-256 that is right."""
    return seal(content[:-64])


def text(**changed: Any) -> bytes:
    """The member meta.npy with another text."""
    meta = json.loads(str(np.load(io.BytesIO(members()["meta.npy"])))) | changed
    return npy(np.array(json.dumps(meta)))


def npy(array: Any, *, pickle: bool = False) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asarray(array), version=(1, 0), allow_pickle=pickle)
    return content.getvalue()


def header(text: str) -> bytes:
    """A member whose header says what it is told."""
    padded = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(padded)) + padded.encode()


def written(content: Members, write: Callable[[zipfile.ZipFile, Members], None]) -> bytes:
    """A zip that Python writes, with a comment and a SHA-256 as bpcli does."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        write(archive, content)
        archive.comment = b"sha256:" + bytes(64)
    return resealed(file.getvalue())


def deflated(content: Members) -> bytes:
    """The members, packed: a checkpoint like any other."""

    def write(archive: zipfile.ZipFile, content: Members) -> None:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

    return written(content, write)


def places(content: bytes) -> tuple[list[int], list[int], int]:
    """Where the members' own headers, their entries in the directory, and the end of it are."""
    end = len(content) - 22 - 71
    locals_, entries, at = [], [], struct.unpack_from("<I", content, end + 16)[0]
    while at < end:
        entries.append(at)
        locals_.append(struct.unpack_from("<I", content, at + 42)[0])
        at += 46 + struct.unpack_from("<H", content, at + 28)[0]
    return locals_, entries, end


def patched(content: bytes, *changes: tuple[int, bytes]) -> bytes:
    """The file with some bytes changed, and a SHA-256 that is right."""
    changed = bytearray(content)
    for place, data in changes:
        changed[place : place + len(data)] = data
    return resealed(bytes(changed))


def flagged(content: bytes, offset: int, data: bytes) -> bytes:
    """A field changed in the third member's own header and in its entry alike."""
    locals_, entries, _ = places(content)
    return patched(content, (locals_[2] + offset, data), (entries[2] + offset + 2, data))


def overlapping() -> bytes:
    """Each member inside the one before, as in D. Fifield's zip bomb (2019)."""
    content = good()
    locals_, entries, _ = places(content)
    return patched(content, *((entry + 42, struct.pack("<I", locals_[2])) for entry in entries[2:]))


def duplicated() -> bytes:
    content = io.BytesIO(pack(members()))
    raw = content.getvalue()
    locals_, entries, end = places(raw)
    last_local, last_entry = raw[locals_[-1] : entries[0]], bytearray(raw[entries[-1] : end])
    last_entry[42:46] = struct.pack("<I", entries[0])
    directory = raw[entries[0] : end] + bytes(last_entry)
    count, start = len(entries) + 1, entries[0] + len(last_local)
    ending = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), start, 71)
    return seal(raw[: entries[0]] + last_local + directory + ending + b"sha256:")


def bomb(size: int) -> bytes:
    """A member of many zeros in few bytes, and a header that says it is the weight of the configuration."""
    return deflated(members() | {"layer1.weight.npy": header(WEIGHT) + bytes(size)})


def inflated_declaration() -> bytes:
    """A deflated member that unpacks to more than it declares."""
    content = deflated(members() | {"layer1.weight.npy": members()["layer1.weight.npy"] + bytes(10_000_000)})
    return flagged(content, 22, struct.pack("<I", len(members()["layer1.weight.npy"])))


WEIGHT = "{'descr': '<f4', 'fortran_order': False, 'shape': (784, 2), }"


def checkpoints() -> Iterator[tuple[str, bytes]]:
    """At least twenty."""
    whole, parts = good(), members()
    weight, huge = parts["layer1.weight.npy"], 2**31
    yield "empty", b""
    yield "text", b"hello\n" * 100
    yield "zip of nothing", pack({})
    yield "end of a zip alone", whole[-93:]
    yield "pickle", b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR."
    yield "pickled member", pack(parts | {"layer1.bias.npy": npy([print, 1], pickle=True)})
    yield "object array", pack(parts | {"layer1.bias.npy": header(WEIGHT.replace("<f4", "|O")) + b"cos\nsystem\n."})
    yield "code in a header", pack(parts | {"layer1.bias.npy": header("__import__('os').system('touch pwned')")})
    yield "nested header", pack(parts | {"layer1.bias.npy": header("(" * 100)})
    yield "endless shape", pack(parts | {"layer1.bias.npy": header(WEIGHT.replace("784", "9" * 40))})
    yield "negative shape", pack(parts | {"layer1.bias.npy": header(WEIGHT.replace("784", "-784"))})
    yield "member twice", duplicated()
    yield "unknown member", pack(parts | {"extra.npy": npy(np.zeros(3))})
    yield "member missing", pack({name: data for name, data in parts.items() if name != "layer2.bias.npy"})
    yield "path outside", pack({"../" * 5 + "etc/passwd": b"x"} | parts)
    yield "absolute path", pack(parts | {"/tmp/x.npy": b"x"})
    yield "name of control characters", pack(parts | {"\x1b[2J\x07.npy": b"x"})
    yield "name in another script", pack(parts | {"шаг.npy": b"x"})
    yield "members inside each other", overlapping()
    yield "encrypted", flagged(whole, 6, struct.pack("<H", 1))
    yield "packed by lzma", written(parts, lambda archive, all_: lzma(archive, all_))
    yield "sizes unlike", flagged(whole, 22, struct.pack("<I", huge))
    yield "size of four gigabytes", flagged(whole, 18, b"\xff" * 8)
    yield "bomb", bomb(100_000_000)
    yield "more than it declares", inflated_declaration()
    yield "bytes before", resealed(b"x" * 100 + whole)
    yield "bytes after", whole + b"x"
    yield "another file after", whole + whole
    yield "cut off", whole[: len(whole) // 2]
    yield "wrong checksum", flagged(whole, 14, b"\0\0\0\0")
    yield "wrong hash", whole[:-1] + (b"0" if whole[-1:] != b"0" else b"1")
    yield "wider network", pack(parts | {"meta.npy": text(config=widened(100_000))})
    yield "deeper network", pack(parts | {"meta.npy": text(config=widened(*[100_000] * 32))})
    yield "impossible network", pack(parts | {"meta.npy": text(config=widened(10**30))})
    yield "big endian", pack(parts | {"layer1.weight.npy": npy(np.zeros((784, 2), ">f4"))})
    yield "doubles", pack(parts | {"layer1.weight.npy": npy(np.zeros((784, 2)))})
    yield "columns first", pack(parts | {"layer1.weight.npy": npy(np.zeros((784, 2), "<f4", order="F"))})
    yield "not a number", pack(parts | {"layer1.weight.npy": weight[:-4] + struct.pack("<f", float("nan"))})
    yield "infinite", pack(parts | {"layer1.weight.npy": weight[:-4] + struct.pack("<f", float("inf"))})
    yield "text of brackets", pack(parts | {"meta.npy": npy(np.array("[" * 60_000))})
    yield (
        "text of a gigabyte",
        pack(parts | {"meta.npy": header("{'descr': '<U268435456', 'fortran_order': False, 'shape': (), }")}),
    )
    yield "half a character", pack(parts | {"meta.npy": npy(np.array("ab"))[:-8] + b"\0\xd8\0\0" * 2})
    yield "progress of nothing", pack(parts | {"meta.npy": text(progress={})})
    yield "endless epoch", pack(parts | {"meta.npy": text(epoch=10**400)})
    yield "newer version", pack(parts | {"format_version.npy": npy(np.array(2, "<i4"))})
    yield "control characters in a key", pack(parts | {"meta.npy": text(**{"\x1b[31m\n": 1})})
    for name, given in inputs():
        yield f"input: {name}", pack(parts | {"meta.npy": text(input=given)})
    for name, number in (("deviation", "1e999"), ("mean", "-1e999"), ("side", "1e999"), ("side", "9" * 5000)):
        yield f"input: {name} of {number[:6]}", pack(parts | {"meta.npy": beyond(name, number)})


OTHERS = (*"abcdefghi",)  # a class's name too few


def inputs() -> Iterator[tuple[str, Any]]:
    """What a checkpoint may say of the images that its network expects, if nobody looks."""
    yield "a list", []
    yield "nothing in it", {}
    yield "something unknown in it", seen(colour=True)
    for name in ("side", "classes", "mean", "deviation", "digits"):
        yield f"without {name}", {key: value for key, value in seen().items() if key != name}
    yield "fewer classes than output units", seen(classes=OTHERS, digits=False)
    yield "more classes than output units", seen(classes=(*OTHERS, "j", "k"), digits=False)
    for name, class_ in CLASSES:
        yield f"a class of {name}", seen(classes=(*OTHERS, class_), digits=False)
    yield "the same class twice", seen(classes=(*OTHERS, "a"), digits=False)
    yield "classes that are numbers", seen(classes=[*range(10)])
    yield "classes that are a word", seen(classes="0123456789")
    for count in (0, 1, 101, 10_000):
        yield f"{count} classes", seen(classes=[str(number) for number in range(count)], digits=False)
    for side in (27, 29, 64, 8, 7, 65, 0, 1, -28, 2**31, 2**63, 10**30, 28.5, "28", None, True):
        yield f"a side of {side}", seen(side=side)
    for deviation in (0, -0.0, -0.3, 1.5, float("nan"), float("inf"), float("-inf"), "0.3", None):
        yield f"a deviation of {deviation}", seen(deviation=deviation)
    for mean in (-0.1, 1.1, float("nan"), float("inf"), "0.1", None):
        yield f"a mean of {mean}", seen(mean=mean)
    yield "digits that are neither", seen(digits=1)


# what a class may not be called
CLASSES = (
    ("an escape sequence", "\x1b[31mred"),
    ("two lines", "a\nb"),
    ("a null byte", "a\0b"),
    ("half a character", "\ud800"),
    ("text that runs backwards", "\u202eexe"),
    ("10,000 letters", "z" * 10_000),
    ("no letters", ""),
    ("blanks", "  "),
    ("a blank at its end", "z "),
)


def seen(**changed: Any) -> dict[str, Any]:
    """What a checkpoint says of MNIST's images, with changes."""
    return asdict(MNIST) | changed


def beyond(name: str, number: str) -> bytes:
    """The member meta.npy with a number that JSON may hold and no float or integer."""
    meta = str(np.load(io.BytesIO(text(input=seen(**{name: "here"})))))
    return npy(np.array(meta.replace('"here"', number)))


def widened(*hidden: int) -> dict[str, Any]:
    tree = configuration.to_tree(CONFIG)
    tree["model"]["hidden"] = list(hidden)
    return tree


def lzma(archive: zipfile.ZipFile, content: Members) -> None:
    for name, data in content.items():
        archive.writestr(name, data, zipfile.ZIP_LZMA)


def configurations() -> Iterator[tuple[str, bytes]]:
    """At least fifteen."""
    yield (
        "aliases that multiply",
        (
            b"a: &a [1,1,1,1,1,1,1,1,1]\n"
            + b"".join(b"%c: &%c [%s]\n" % (y, y, b",".join([b"*%c" % x] * 9)) for x, y in pairwise(b"abcdefghi"))
        ),
    )
    yield (
        "merge keys that multiply",
        (
            b"a: &a {k: 1}\n"
            + b"".join(b"%c: &%c\n  <<: [*%c, *%c]\n" % (y, y, x, x) for x, y in pairwise(b"abcdefghijkl"))
        ),
    )
    yield "merge key", b"train: {<<: {epochs: 3}}"
    yield "python object", b"train: !!python/object/apply:os.system ['touch pwned']"
    yield "python name", b"seed: !!python/name:os.system"
    yield "empty number by tag", b"seed: !!int ''"
    yield "unknown truth by tag", b"seed: !!bool x"
    yield "unknown time by tag", b"seed: !!timestamp x"
    yield "set", b"train: !!set {epochs}"
    yield "nested lists", b"seed: " + b"[" * 30_000
    yield "nested blocks", b"".join(b" " * n + b"a:\n" for n in range(300))
    yield "duplicate keys", b"seed: 1\nseed: 2\n"
    yield "more than 64 KiB", b"#" * 65_537
    yield "many values", b"schedule: {milestones: [" + b"1," * 30_000 + b"]}"
    yield "many keys", b"".join(b"k%d: 1\n" % n for n in range(6000))
    yield "endless integer", b"seed: 0x" + b"f" * 60_000
    yield "endless sexagesimal", b"seed: 1" + b":59" * 20_000
    yield "endless float", b"optimizer: {learning_rate: " + b"9" * 60_000 + b".0}"
    yield "list as a key", b"? [1, 2]\n: 3\n"
    yield "two documents", b"seed: 1\n---\nseed: 2\n"
    yield "not UTF-8", b"seed: \xff\xfe"
    yield "UTF-16 without its mark", "seed: 1".encode("utf-16-le")
    yield "control characters", b"seed: \x1b[31m"
    yield "control characters in a string", b'loss: "\\e[31m\\a\\n"'
    yield "a million dollars", b"data: {folder: 'http://127.0.0.1:9/mnist'}"
    yield "null byte in a path", b'data: {folder: "a\\0b"}'
    yield "endless path", b"data: {folder: " + b"a/" * 10_000 + b"}"
    yield "surrogate in a path", b'data: {folder: "\\ud800"}'


Folder = dict[str, bytes]
TRAINING, TEST = "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"
TRAINING_LABELS, TEST_LABELS = "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"


def data_set(height: int = 28, width: int = 28, labels: Sequence[int] = (1, 2)) -> Folder:
    """The files of a data set that nothing is wrong with, if the numbers are right."""
    images = idx_bytes(np.resize(IMAGES, (2, height, width)))
    label_file = idx_bytes(np.array(labels, np.uint8))
    return {TRAINING: images, TEST: images, TRAINING_LABELS: label_file, TEST_LABELS: label_file}


def data_sets() -> Iterator[tuple[str, Folder, str]]:
    """At least twenty: each with the file or the folder that a message should name."""
    good = data_set()
    for name, class_ in CLASSES:
        if class_ != "a\nb":  # two classes, one after the other
            content = "\n".join(("a", "b", class_)).encode("utf-8", "surrogatepass")
            yield f"a class of {name}", good | {"classes.txt": content}, "mnist/classes.txt"
    for name, content in (
        ("the same class twice", b"a\nb\na\n"),
        ("no class", b""),
        ("one class", b"a\n"),
        ("101 classes", b"".join(b"%d\n" % number for number in range(101))),
        ("a million classes", b"".join(b"%d\n" % number for number in range(1_000_000))),
        ("classes too few for the labels", b"a\nb\n"),
        ("classes with an empty line", b"a\nb\n\nc\n"),
        ("classes with two empty lines at the end", b"a\nb\nc\n\n"),
        ("classes with old ends of lines", b"a\rb\rc\r"),
        ("classes in Latin-1", "Käse\nBrot\nWein\n".encode("latin-1")),
        ("classes in UTF-16", "a\nb\nc\n".encode("utf-16")),
        ("classes of null bytes", bytes(30_000)),
        ("70 MB of one class", b"a" * 70_000_000),
    ):
        yield name, good | {"classes.txt": content}, "mnist/classes.txt"
    for height, width in ((7, 7), (65, 65), (20, 28), (28, 20), (1, 784), (784, 1), (0, 0), (1, 1)):
        yield f"images of {height}×{width}", data_set(height, width), f"mnist/{TRAINING}"
        yield f"test images of {height}×{width}", good | {TEST: data_set(height, width)[TEST]}, f"mnist/{TEST}"
    for side in (20, 27, 29):
        yield f"test images of side {side}", good | {TEST: data_set(side, side)[TEST]}, "mnist: "
    for label in (100, 101, 255):
        bad = data_set(labels=(1, label))
        yield f"a label {label}", bad, f"mnist/{TRAINING_LABELS}"
        yield f"a test label {label}", good | {TEST_LABELS: bad[TEST_LABELS]}, f"mnist/{TEST_LABELS}"
    yield "labels that are all 0", data_set(labels=(0, 0)), "mnist: "
    yield (
        "more labels than images",
        good | {TRAINING_LABELS: idx_bytes(np.arange(3, dtype=np.uint8))},
        f"mnist/{TRAINING}",
    )
    yield (
        "fewer test labels than images",
        good | {TEST_LABELS: idx_bytes(np.arange(1, dtype=np.uint8))},
        f"mnist/{TEST}",
    )


IMAGES = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)


def image_files() -> Iterator[tuple[str, bytes]]:
    """Instead of the training images: at least ten."""
    whole = idx_bytes(IMAGES)
    packed = gzip.compress(whole)
    yield "empty", b""
    yield "text", b"hello"
    yield "cut off in its header", whole[:10]
    yield "cut off", whole[:-1]
    yield "a byte more", whole + b"x"
    yield "doubles", b"\0\0\x0e\x03" + whole[4:]
    yield "one dimension", b"\0\0\x08\x01" + whole[4:]
    yield "255 dimensions", b"\0\0\x08\xff" + b"\xff" * 255 * 4
    yield "more than memory", b"\0\0\x08\x03" + b"\xff" * 12
    yield "product beyond 64 bits", b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 2**31)
    yield "promise of 780 MB", b"\0\0\x08\x03" + struct.pack(">3I", 1_000_000, 28, 28)
    yield "packed promise of 780 MB", gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 1_000_000, 28, 28))
    yield "bomb", gzip.compress(whole + bytes(100_000_000), 1)
    yield "packed and cut off", packed[:-10]
    yield "packed with a wrong checksum", packed[:-8] + bytes(4) + packed[-4:]
    yield "packed with a wrong length", packed[:-4] + bytes(4)
    yield "packed and more", packed + b"x"
    yield "packed twice in a row", packed + packed
    yield "packed in itself", gzip.compress(packed)
    yield "gzip of an endless name", b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 3_000_000
    yield "gzip of empty blocks", packed[:10] + b"\0\0\0\xff\xff" * 2_000_000
    yield "zlib without gzip", zlib.compress(whole)
    yield "no images", b"\0\0\x08\x03" + struct.pack(">3I", 0, 28, 28)
    yield "pixels of another size", b"\0\0\x08\x03" + struct.pack(">3I", 2, 14, 56) + IMAGES.tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes, *, depth: int = 8, before: bytes = b"") -> bytes:
    """A grey PNG file that says what it is told."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def picture(kind: str, mode: str = "L") -> bytes:
    """A small picture of noise."""
    file = io.BytesIO()
    Image.fromarray(IMAGES[1]).convert(mode).save(file, kind)
    return file.getvalue()


def tiff(compression: str) -> bytes:
    """A small picture that libtiff reads."""
    file = io.BytesIO()
    Image.fromarray(IMAGES[1]).save(file, "TIFF", compression=compression)
    return file.getvalue()


def pictures() -> Iterator[tuple[str, bytes]]:
    """At least twenty."""
    rows = zlib.compress(b"".join(b"\0" + bytes(28) for _ in range(28)))
    bomb = zlib.compress(bytes(80_000_000), 1)
    yield "empty", b""
    yield "text", b"hello\n"
    yield "html", b"<html><img src='http://127.0.0.1:9/x.png'></html>"
    yield "svg", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"
    yield "postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(pwned) (w) file closefile\n"
    yield "zip", pack({"a": b"x"})
    yield "pickle", b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR."
    yield "signature alone", b"\x89PNG\r\n\x1a\n"
    yield "wide as a word", png(2**31 - 1, 2**31 - 1, rows)
    yield "beyond the limit", png(30_000, 30_000, rows)
    yield "no pixels", png(0, 0, rows)
    yield "negative width", png(2**32 - 1, 28, rows)
    yield "bomb behind a size that is too large", png(7000, 7000, bomb)
    yield "odd depth", png(28, 28, rows, depth=7)
    yield "cut off in the data", png(28, 28, rows)[:50]
    yield "wrong checksum of the header", png(28, 28, rows)[:29] + bytes(4) + png(28, 28, rows)[33:]
    yield "rubbish in the data", png(28, 28, b"\xff" * 1000)
    yield "text that unpacks", png(28, 28, rows, before=chunk(b"zTXt", b"a\0\0" + bomb) * 4)
    yield "profile that unpacks", png(28, 28, rows, before=chunk(b"iCCP", b"a\0\0" + bomb))
    yield "JPEG cut off", picture("JPEG")[:200]
    yield "JPEG of a size of its own", picture("JPEG").replace(b"\0\x1c\0\x1c", b"\xff\xff\xff\xff")
    yield "GIF cut off", picture("GIF", "P")[:30]
    yield "GIF of a size of its own", b"GIF89a\xff\xff\xff\xff" + picture("GIF", "P")[10:]
    yield "BMP of a size of its own", picture("BMP")[:18] + b"\xff\xff\xff\x7f" * 2 + picture("BMP")[26:]
    yield "TIFF that points to itself", b"II*\0\x08\0\0\0\x01\0\0\x01\x03\0\x01\0\0\0\x1c\0\0\0\x08\0\0\0"
    yield (
        "TIFF of a size of its own",
        b"II*\0\x08\0\0\0\x02\0" + b"".join(struct.pack("<HHII", tag, 4, 1, 2**31) for tag in (256, 257)) + bytes(4),
    )
    yield "TIFF of which libtiff prints that it is cut off", tiff("tiff_lzw").replace(b"\x80", b"\xff")
    yield "TIFF of which libtiff prints what it misses", tiff("tiff_adobe_deflate").replace(b"\x78\x9c", b"\xff\xff")
    yield "TIFF of a JPEG that is none", tiff("jpeg").replace(b"\xff\xd8", b"\xff\xff")
    yield "WebP cut off", picture("WEBP", "RGB")[:40]
    yield "PGM of a size of its own", b"P5 99999 99999 255\n" + bytes(100)
    yield "PGM of endless digits", b"P5 " + b"9" * 100_000 + b" 1 255\n"
    yield "26 MB", b"\x89PNG\r\n\x1a\n" + bytes(26_000_000)
