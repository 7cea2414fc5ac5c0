"""Fetching from mirrors that lie, importing what was got by hand, and what is in the cache afterwards."""

import gzip
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bpcli.data.datasets import read_data_set
from bpcli.errors import BusyError, DataError, OutputError
from bpcli.sets import keep, table
from bpcli.sets.keep import SUMS, Watch
from bpcli.sets.sums import recognised, sum_of
from bpcli.storage import lock
from tests.sets.made import CLASSES, PARTS, Lying, Made, made, nowhere, serving, write_all

PATIENCE = 0.4  # seconds; a loaded machine's loopback needs less


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the data sets; no package of the system is seen."""
    monkeypatch.setenv("BPCLI_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def server() -> Iterator[Lying]:
    with serving(made().files) as lying:
        yield lying


@pytest.fixture
def notes() -> list[str]:
    return []


def fetch(source: Made, notes: list[str]) -> Path:
    return keep.fetch(source.named, Watch(notes.append, lambda name, size: nullcontext(lambda n: None)), PATIENCE)


def assert_holds(folder: Path, source: Made) -> None:
    """The folder holds the images and labels that were made, and nothing lies about beside it."""
    data = read_data_set(folder, 0, "auto", lambda: None)
    assert data.spec.classes == CLASSES
    for part, split in (("train", data.training), ("t10k", data.test)):
        assert np.array_equal(split.images.reshape(source.images[part].shape), source.images[part])
        assert np.array_equal(split.labels, source.labels[part])
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("way", "complaint"),
    [
        ("wrong", "sends something else: its SHA-256 is"),
        ("cut", "ends after"),
        ("page", "offers 37 bytes, not"),
        ("endless", "sends more than"),
        ("loop", "infinite loop"),
        ("local", "is not allowed"),
        ("broken", "answers 500"),
        ("slow", "is too slow"),
        ("silent", "is silent for 0.4 seconds"),
        ("", "Connection refused"),
    ],
)
def test_a_mirror_that_lies_is_followed_by_the_next(server: Lying, notes: list[str], way: str, complaint: str) -> None:
    bad = f"{server.address}{way}/" if way else nowhere()
    source = made(mirrors=(bad, f"{server.address}good/"))
    one = source.named.sources[0].name
    assert_holds(fetch(source, notes), source)
    assert complaint in next(note for note in notes if one in note)


def test_a_redirection_is_followed(server: Lying, notes: list[str]) -> None:
    source = made(mirrors=(f"{server.address}moved/",))
    assert_holds(fetch(source, notes), source)
    assert notes == []


def test_nobody_is_asked_once_it_is_here(server: Lying, notes: list[str]) -> None:
    source = made(mirrors=(f"{server.address}good/",))
    fetch(source, notes)
    server.asked.clear()
    fetch(source, notes)
    assert server.asked == []


def test_without_a_mirror_the_line_that_imports_is_said(cache: Path, notes: list[str]) -> None:
    with pytest.raises(
        DataError, match=r"no mirror gives train-images.*run: bpcli data import kmnist train-images"
    ) as caught:
        fetch(made(mirrors=(nowhere(),)), notes)
    assert "\n" not in str(caught.value)
    assert not (cache / "kmnist").exists()


def test_what_has_come_is_not_fetched_again(server: Lying, notes: list[str], cache: Path) -> None:
    source = made(mirrors=(f"{server.address}good/",))
    write_all(cache / ".kmnist.part", dict(list(source.files.items())[:3]))
    server.asked.clear()
    assert_holds(fetch(source, notes), source)
    assert server.asked == ["/good/t10k-labels-idx1-ubyte.gz"]


def test_a_damaged_file_is_found_and_fetched_anew(server: Lying, notes: list[str]) -> None:
    source = made(mirrors=(f"{server.address}good/",))
    folder = fetch(source, notes)
    labels = folder / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x07")
    (fault,) = keep.faults(source.named)
    assert "t10k-labels-idx1-ubyte: is damaged" in fault
    assert_holds(fetch(source, notes), source)
    assert keep.faults(source.named) == []


def test_sums_that_were_changed_with_the_files_are_found(server: Lying, notes: list[str]) -> None:
    """What is published of the files counts, not only what was written down here."""
    source = made(mirrors=(f"{server.address}good/",))
    folder = fetch(source, notes)
    labels = folder / "t10k-labels-idx1-ubyte"
    before = sum_of(labels)
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x00")
    (folder / SUMS).write_text((folder / SUMS).read_text().replace(before, sum_of(labels)))
    assert len(keep.faults(source.named)) == 1


def test_two_processes_do_not_fetch_at_once(cache: Path, notes: list[str]) -> None:
    room = cache / ".kmnist.part"
    room.mkdir(parents=True)
    with lock.exclusive(room), pytest.raises(BusyError, match="another process is fetching this data set: process"):
        fetch(made(), notes)


def test_a_folder_of_somebody_else_is_left_alone(cache: Path, notes: list[str]) -> None:
    write_all(cache / "kmnist", {"mine": b"dear"})
    with pytest.raises(OutputError, match="kmnist: is there already, but no data set that bpcli made; move it away"):
        fetch(made(), notes)
    assert (cache / "kmnist" / "mine").read_bytes() == b"dear"


def test_a_package_of_the_system_is_taken_even_if_it_packs_anew(tmp_path: Path, notes: list[str]) -> None:
    source = made()
    packed = {name: gzip.compress(gzip.decompress(each), 1, mtime=5) for name, each in source.files.items()}
    assert packed != source.files
    write_all(tmp_path / "share" / "datasets" / "made", packed)
    assert_holds(fetch(source, notes), source)
    assert len(notes) == 4


@pytest.mark.parametrize("layout", ["idx", "zip", "qmnist", "libsvm"])
def test_files_got_by_hand_become_plain_folders(tmp_path: Path, layout: str) -> None:
    source = made(layout)
    paths = [path.rename(path.with_name(f"{n}{path.suffix}")) for n, path in _numbered(tmp_path / "hand", source)]
    assert_holds(keep.import_files(source.named, reversed(paths)), source)


def _numbered(folder: Path, source: Made) -> list[tuple[int, Path]]:
    return list(enumerate(write_all(folder, source.files)))


def test_unpacked_files_are_recognised_too(tmp_path: Path) -> None:
    source = made()
    unpacked = {name.removesuffix(".gz"): gzip.decompress(content) for name, content in source.files.items()}
    assert_holds(keep.import_files(source.named, write_all(tmp_path / "hand", unpacked)), source)


def test_another_file_and_a_missing_one_are_named(tmp_path: Path, cache: Path) -> None:
    source = made()
    paths = write_all(tmp_path / "hand", source.files)
    with pytest.raises(DataError, match=r"kmnist: wants t10k-labels-idx1-ubyte\.gz \(\d+ bytes\) besides"):
        keep.import_files(source.named, paths[:3])
    paths[3].write_bytes(paths[0].read_bytes()[:-1])
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz: is no file of kmnist by its SHA-256; expected"):
        keep.import_files(source.named, paths)
    with pytest.raises(DataError, match="nothing: can't be read"):
        keep.import_files(source.named, [tmp_path / "nothing"])
    assert not cache.exists()


def test_counts_that_differ_from_the_table_are_refused(tmp_path: Path) -> None:
    source = made()
    paths = write_all(tmp_path / "hand", source.files)
    wrong = table.Part(PARTS["train"] + 1, source.named.train.files)
    named = msgspec.structs.replace(source.named, train=wrong)
    with pytest.raises(DataError, match="holds 12 images and 12 labels; expected 13"):
        keep.import_files(named, paths)
    assert not keep.is_here(named)


@pytest.mark.parametrize("name", ["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_the_real_fashion_mnist_of_the_system_is_recognised(name: str) -> None:
    """Its largest file would take as long as all other tests here."""
    path = Path("/usr/share/datasets/fashion-mnist", f"{name}.gz")
    if not path.exists():
        pytest.skip("the package dataset-fashion-mnist is not installed")
    source = recognised(path, table.load("fashion_mnist").sources)
    assert source is not None
    assert source.name == path.name
    assert source.sha256 != sum_of(path)
