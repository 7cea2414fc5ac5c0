"""The tables of the named data sets are complete and agree with themselves and with the configuration."""

import re

import pytest

from bpcli import resources
from bpcli.config import load as configuration
from bpcli.data.spec import flaw_in_classes
from bpcli.errors import ArgumentError, ConfigError
from bpcli.sets import table
from bpcli.sets.layouts import LAYOUTS
from bpcli.sets.table import NamedSet


@pytest.mark.parametrize("named", table.known(), ids=lambda named: named.name)
def test_a_table_is_complete(named: NamedSet) -> None:
    assert flaw_in_classes(named.classes) == ""
    assert named.layout in LAYOUTS
    assert all(re.fullmatch(r"https?://\S+/", mirror) for mirror in named.mirrors)
    contents = [*named.sources, *(source.unpacked for source in named.sources if source.unpacked)]
    assert all(re.fullmatch("[0-9a-f]{64}", content.sha256) for content in contents)
    names = {source.name for source in named.sources}
    assert named.layout == "zip" or names == {*named.train.files, *named.test.files}
    assert configuration("default", [f"data.name={named.name}"]).data.name == named.name


def test_the_unpacked_sizes_follow_from_the_counts() -> None:
    sizes = {source.name: source.unpacked.size for source in table.load("fashion_mnist").sources if source.unpacked}
    assert sizes == {
        "train-images-idx3-ubyte.gz": 16 + 60_000 * 28 * 28,
        "train-labels-idx1-ubyte.gz": 8 + 60_000,
        "t10k-images-idx3-ubyte.gz": 16 + 10_000 * 28 * 28,
        "t10k-labels-idx1-ubyte.gz": 8 + 10_000,
    }


def test_the_letters_of_emnist() -> None:
    assert [len(table.load(f"emnist_{name}").classes) for name in ("digits", "letters", "balanced")] == [10, 26, 47]
    assert table.load("emnist-letters").first_label == 1


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ArgumentError, match=r"no data set is called fashion; did you mean fashion_mnist\?"):
        table.load("fashion")


def test_dashes_may_stand_for_underscores() -> None:
    data = configuration("default", ["data.name=fashion-mnist"]).data
    assert (data.name, data.place) == ("fashion_mnist", str(resources.sets() / "fashion_mnist"))


def test_a_name_and_a_folder_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match=r"data\.name = usps and data\.folder = x both name a data set"):
        configuration("default", ["data.name=usps", "data.folder=x"])
