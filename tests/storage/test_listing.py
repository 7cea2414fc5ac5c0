"""The runs that are here: their states, their numbers, and which ended last."""

import os
import shutil
from pathlib import Path

import pytest

from bpcli import config as configuration
from bpcli.errors import BusyError, CheckpointError
from bpcli.storage import listing, outcome, overview, series_file
from bpcli.storage.find import find_members, find_network, find_run, named
from bpcli.storage.lock import exclusive
from bpcli.storage.members import of_seeds
from bpcli.storage.outcome import Outcome
from bpcli.storage.run_folder import point_latest

OLD = Path(__file__).parents[1] / "old_versions/0.1.0"
HEADER = "epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(
    name: str, *accuracies: float, at: float = 1, ended: Outcome | None = None, settings: tuple[str, ...] = ()
) -> Path:
    """The folder of a run of three epochs, of which some are done; it ended at a time."""
    folder = Path("runs") / name
    folder.mkdir(parents=True)
    config = configuration.load("default", ["train.epochs=3", *settings])
    (folder / "config.yaml").write_text(configuration.to_yaml(config))
    rows = (f"{number},0.1,0.5,0.9,0.4,{accuracy},1.5\n" for number, accuracy in enumerate(accuracies, 1))
    (folder / "metrics.csv").write_text(HEADER + "".join(rows))
    for file in ("best.npz", "last.npz"):
        (folder / file).write_bytes(b"x" * 10)
    if ended:
        outcome.write(folder, ended)
    for path in folder.iterdir():
        os.utime(path, (at, at))
    return folder


WELL = Outcome(3, 2, validation_accuracy=0.97, test_accuracy=0.96)


def test_each_state_is_told() -> None:
    run("finished", 0.9, 0.97, 0.95, ended=WELL)
    run("of-before", 0.9, 0.97, 0.95)
    run("stopped", 0.9, 0.8)
    run("failed", 0.9, ended=Outcome(1, 1, failed="the loss is no longer finite"))
    run("impatient", 0.9, 0.8, settings=("train.patience=1", "train.epochs=90"))
    (run("damaged", 0.9) / "config.yaml").write_text("nonsense: 1")
    Path("runs/nothing").mkdir()
    with exclusive(run("going", 0.9)):
        found = {each.name: each for each in overview.listed()}
    assert {name: each.state for name, each in found.items()} == {
        "finished": "finished", "of-before": "finished", "stopped": "stopped", "failed": "failed",
        "impatient": "finished", "damaged": "damaged", "going": "going on",
    }  # fmt: skip
    assert [found[name].epochs for name in ("finished", "stopped", "failed", "impatient")] == [3, 2, 1, 2]
    assert (found["finished"].validation_accuracy, found["finished"].test_accuracy) == (0.97, 0.96)
    assert (found["of-before"].validation_accuracy, found["of-before"].test_accuracy) == (0.97, None)
    assert found["failed"].note == "the loss is no longer finite"
    assert "nonsense" in found["damaged"].note


def test_the_nearest_preset_is_named_with_what_differs() -> None:
    run("a", settings=("seed=7",))
    run("b", settings=("optimizer.learning_rate=50", "train.epochs=10"))
    a, b = overview.listed()
    assert (a.preset, a.changed, a.hidden) == ("default", ("train.epochs",), (1024,))
    assert (b.preset, b.changed) == ("default", ("optimizer.learning_rate",))


def test_the_run_that_ended_last_counts() -> None:
    assert listing.newest_ended() is None
    assert find_network(None).name == "pretrained.npz"
    early, late = run("early", at=1, ended=WELL), run("late", at=2, ended=WELL)
    stopped = run("stopped", 0.9, at=3)
    run("failed", at=4, ended=Outcome(1, 1, failed="why"))
    point_latest(stopped)
    assert listing.newest_ended() == named("latest") == late
    assert find_network(None) == late / "best.npz"
    assert find_run("latest") == stopped.resolve()
    shutil.rmtree(late)
    shutil.rmtree(stopped)  # runs/latest names nothing any more
    assert listing.newest_ended() == early
    assert find_members([]).paths == [early / "best.npz"]
    assert find_run("latest") in (early, Path("runs/failed"))


def test_a_series_counts_once_a_run_of_it_is_finished() -> None:
    run("alone", at=1, ended=WELL)
    folder = Path("runs/series")
    member = run("series/seed-0", at=2, ended=WELL)
    series = of_seeds(configuration.load(), (0, 1))
    series_file.write(folder, series)
    os.utime(folder / "series.yaml", (2, 2))
    point_latest(folder)
    assert listing.newest_ended() == Path("runs/alone")
    series_file.write(folder, series.with_finished("seed-0"))
    assert listing.newest_ended() == folder
    assert find_members([]).paths == [member / "best.npz"]
    (listed,) = [each for each in overview.listed() if each.members]
    assert (listed.state, listed.epochs, listed.of, listed.test_accuracy) == ("stopped", 1, 2, 0.96)
    assert [each.name for each in listed.members] == ["series/seed-0"]


def test_a_run_elsewhere_counts_while_latest_names_it(tmp_path: Path) -> None:
    run("here", at=1, ended=WELL)
    elsewhere = Path(shutil.move(run("there", at=2, ended=WELL), tmp_path / "elsewhere"))
    assert listing.newest_ended() == Path("runs/here")
    point_latest(elsewhere)
    assert listing.newest_ended() == elsewhere.resolve()


def test_runs_of_old_versions_are_listed() -> None:
    shutil.copytree(OLD, "runs")
    found = {each.name: each for each in overview.listed()}
    assert (found["run"].state, found["run"].epochs, found["run"].of) == ("stopped", 1, 2)
    assert (found["series"].state, len(found["series"].members)) == ("finished", 2)


def test_a_run_is_removed_with_the_link_to_it() -> None:
    one, other = run("one", at=1, ended=WELL), run("other", at=2, ended=WELL)
    point_latest(other)
    with exclusive(one), pytest.raises(BusyError, match="runs/one: is going on; stop it first"):
        listing.remove(one)
    listing.remove(other)
    assert [path.name for path in Path("runs").iterdir()] == ["one"]


def test_names_that_mean_nothing_are_refused() -> None:
    for source in ("x", "pretraine"):
        with pytest.raises(CheckpointError, match="no such file, nor a run of that name"):
            find_network(source)
    with pytest.raises(CheckpointError, match="did you mean pretrained"):
        find_network("pretraine")
    with pytest.raises(CheckpointError, match=r"there is no finished run here yet; `bpcli train` makes one$"):
        named("latest")
    run("stopped", 0.9)
    with pytest.raises(CheckpointError, match=r"runs/stopped is not finished, but can be named$"):
        named("latest")
    with pytest.raises(CheckpointError, match="can't be read: File name too long"):
        named("x" * 5000)
