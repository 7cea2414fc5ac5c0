"""`bpcli data` from the list to a run with a data set by name, down to exit codes and text."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import Result

from bpcli import resources
from bpcli.strict_yaml import to_text
from tests.conftest import write_mnist
from tests.sets.made import made, nowhere, serving, write_all


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the data sets; the only one that is known has no mirror that answers."""
    monkeypatch.setenv("BPCLI_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    tables = tmp_path / "tables"
    monkeypatch.setattr(resources, "set_tables", lambda: tables)
    know(tables, nowhere())
    return tmp_path / "cache"


def know(tables: Path, mirror: str) -> None:
    tree = msgspec.to_builtins(made(mirrors=(mirror,)).named)
    tree.pop("name")
    write_all(tables, {"kmnist.yaml": to_text(tree).encode()})


def test_a_set_that_is_fetched_is_listed_verified_and_found(bpcli: Callable[..., Result], cache: Path) -> None:
    assert json.loads(bpcli("data", "list", "--json").stdout)[0]["folder"] is None
    with serving(made().files) as server:
        know(resources.set_tables(), f"{server.address}good/")
        fetched = bpcli("data", "fetch", "kmnist")
    assert (fetched.exit_code, fetched.stdout) == (0, "kmnist is in cache/kmnist\n")
    assert "Made: licence MIT; https://example.org" in fetched.stderr
    assert json.loads(bpcli("data", "list", "--json").stdout)[0]["folder"] == str(cache / "kmnist")
    assert bpcli("data", "path", "kmnist").stdout == f"{cache / 'kmnist'}\n"
    assert bpcli("data", "verify").stdout == "kmnist: whole\n"
    (cache / "kmnist" / "classes.txt").write_text("a\nb\nc\n")
    damaged = bpcli("data", "verify", "kmnist")
    assert (damaged.exit_code, damaged.stdout) == (4, "kmnist: damaged\n")
    assert "classes.txt: is damaged" in damaged.stderr


def test_without_a_network_files_can_be_imported(bpcli: Callable[..., Result], tmp_path: Path) -> None:
    result = bpcli("data", "fetch", "kmnist")
    assert result.exit_code == 4
    assert "run: bpcli data import kmnist train-images-idx3-ubyte.gz train-labels" in result.stderr
    assert bpcli("data", "path", "kmnist").exit_code == 4
    paths = write_all(tmp_path / "hand", made().files)
    assert bpcli("data", "import", "kmnist", *paths).stdout == "kmnist is in cache/kmnist\n"


def test_a_run_takes_a_set_by_its_name_and_says_how_to_get_it(
    bpcli: Callable[..., Result], cache: Path, small: list[str]
) -> None:
    options = [*small, "-s", "data.folder=null", "-s", "data.name=kmnist"]
    missing = bpcli("train", "-q", *options)
    assert missing.exit_code == 4
    assert f"{cache / 'kmnist'}: no such folder; `bpcli data fetch kmnist` gets this data set" in missing.stderr
    (write_mnist(cache / "kmnist") / "classes.txt").write_text("".join(f"sign {n}\n" for n in range(10)))
    assert bpcli("train", "-q", *options).exit_code == 0
    assert "name: kmnist" in Path("runs/default-1/config.yaml").read_text()
    evaluated = json.loads(bpcli("evaluate", "--json").stdout)
    assert evaluated["classes"][3] == "sign 3"


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["fetch"], 2, "bpcli data fetch wants a name; `bpcli data list` lists those that are known"),
        (["fetch", "kmist"], 2, "no data set is called kmist; did you mean kmnist?"),
        (["verify", "kmnist"], 4, "kmnist: is not here; `bpcli data fetch kmnist` gets it"),
        (["verify", "--json"], 2, "--json goes with `bpcli data list`, not with verify"),
        (["import", "kmnist"], 4, "kmnist: wants train-images-idx3-ubyte.gz"),
        (["get"], 2, "'get' is not one of 'list', 'fetch', 'import', 'verify', 'path'"),
    ],
)
def test_a_mistake_is_answered_in_one_line(
    bpcli: Callable[..., Result], words: list[str], code: int, complaint: str
) -> None:
    result = bpcli("data", *words)
    assert result.exit_code == code
    assert complaint in result.stderr.splitlines()[0]
