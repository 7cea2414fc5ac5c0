"""A search: its folders are all that it knows, so it goes on from any of them as if it had never stopped."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from bpcli import config as configuration
from bpcli.cluster.engine import InProcess
from bpcli.cluster.task import Done
from bpcli.errors import BusyError, CheckpointError
from bpcli.search.run import newest_search, recorded_search, resumed_search
from bpcli.storage import search_file, trials
from bpcli.storage.lock import exclusive
from bpcli.storage.search_file import Range, Search
from bpcli.training.events import Event, RunEnded, Tally
from tests.cluster.test_series import Odd
from tests.reliability.disks import QUICK
from tests.reliability.test_kill import contents
from tests.search.samplers import near_the_best


@pytest.fixture(scope="session")
def search(small_mnist: Path) -> Search:
    """Six trials of four epochs of two steps each."""
    settings = ["data.validation=500", "model.hidden=[5]", "train.epochs=4", "train.batch_size=50", "train.threads=1"]
    config = configuration.load("default", [f"data.folder={small_mnist}", *settings])
    return Search(config, "validation_accuracy", 6, (1, 2), 0, {"optimizer.learning_rate": Range(1e-6, 10.0)})


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(
    search: Search, folder: Path, stop_after: int = 10**6, engine: InProcess | None = None
) -> tuple[list[Event], Path]:
    """The events of a new or resumed search that is left after some of them."""
    events: list[Event] = []
    by, fs = engine or InProcess(), QUICK
    if folder.exists():
        happenings = resumed_search(folder, search_file.read_folder(folder), by, near_the_best, fs=fs)
    else:
        happenings = recorded_search(search, folder, by, near_the_best, fs=fs)
    for event in happenings:
        events.append(event)
        if len(events) >= stop_after:
            happenings.close()
            by.close()
            break
    return events, folder


def left(folder: Path, search: Search) -> dict[str, object]:
    found = {path.name: contents(path) for path in folder.glob("trial-*")}
    return {"trials": trials.read(folder, search), "csv": (folder / trials.NAME).read_text(), **found}


@pytest.fixture(scope="module")
def whole(search: Search, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a search leaves that nobody interrupts."""
    folder = tmp_path_factory.mktemp("whole") / "search"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        run(search, folder)
    return left(folder, search)


def test_every_trial_is_kept_and_the_worse_ones_pause(search: Search) -> None:
    events, folder = run(search, Path("s"))
    found = trials.read(folder, search)
    assert len(found) == search.trials
    assert {trial.epochs for trial in found} >= {1, 4}
    assert sum(trial.finished for trial in found) >= 1
    best = trials.ranked(found, search)[0]
    assert best.finished
    assert (folder / "best").resolve() == (folder / f"trial-{best.number}").resolve()
    rows = list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))
    assert [int(row["trial"]) for row in rows] == list(range(6))
    assert float(rows[best.number]["validation_accuracy"]) == best.score
    last = [event for event in events if isinstance(event, Tally)][-1]
    assert (last.running, last.finished, last.runs, last.done) == (0, 6, 6, sum(trial.epochs for trial in found))
    ends = [event for event in events if isinstance(event, RunEnded)]
    assert sum(event.finished for event in ends) == sum(trial.finished for trial in found)


@pytest.mark.parametrize("after", [1, 9, 20])
def test_it_goes_on_from_any_moment_as_if_it_had_never_stopped(
    search: Search, whole: dict[str, object], after: int
) -> None:
    run(search, Path("s"), stop_after=after)
    for _ in range(2):
        run(search, Path("s"), stop_after=after)
    run(search, Path("s"))
    assert left(Path("s"), search) == whole


def test_a_finished_search_has_nothing_to_do(search: Search, whole: dict[str, object]) -> None:
    run(search, Path("s"))
    assert run(search, Path("s"))[0] == []
    assert left(Path("s"), search) == whole


def test_a_trial_that_diverges_has_failed_and_the_others_go_on(search: Search) -> None:
    settings = ["model.output=identity", "loss=quadratic"]
    diverging = replace(search, config=configuration.override(search.config, settings), rungs=(), trials=3)

    def sampler(search: Search, found: list[trials.Trial]) -> dict[str, object]:
        return {"optimizer.learning_rate": 1000.0 if len(found) == 1 else 0.001}

    list(recorded_search(diverging, Path("s"), InProcess(), sampler, fs=QUICK))  # type: ignore[arg-type]
    found = trials.read(Path("s"), diverging)
    assert [trial.state(()) for trial in found] == ["finished", "failed", "finished"]
    assert "no longer finite" in found[1].failed
    assert trials.ranked(found, diverging)[-1].number != 1


def test_a_trial_whose_worker_dies_has_failed(search: Search) -> None:
    def killed(done: Done) -> Done:
        return replace(done, files={}, failed="its worker died 4 times") if done.name == "trial-1" else done

    run(search, Path("s"), engine=Odd(killed))
    found = trials.read(Path("s"), search)
    assert found[1].state(search.rungs) == "failed"
    assert len(found) == 6


def test_more_trials_may_follow(search: Search) -> None:
    run(replace(search, trials=3), Path("s"))
    more = replace(search_file.read_folder(Path("s")), trials=5)
    list(resumed_search(Path("s"), more, InProcess(), near_the_best, fs=QUICK))
    assert len(trials.read(Path("s"), more)) == 5
    assert search_file.read_folder(Path("s")).trials == 5


def test_the_folder_says_all_of_it(search: Search) -> None:
    run(replace(search, trials=1), Path("s"))
    assert search_file.read_folder(Path("s")) == replace(search, trials=1)


def test_a_trial_that_somebody_has_changed_is_refused(search: Search) -> None:
    run(replace(search, trials=2), Path("s"))
    path = Path("s/trial-1/config.yaml")
    path.write_text(path.read_text().replace("batch_size: 50", "batch_size: 40"))
    with pytest.raises(CheckpointError, match=r"s/trial-1/config.yaml: train.batch_size = 40, but 50 in the search"):
        run(search, Path("s"))


def test_one_coordinator_owns_a_search(search: Search) -> None:
    run(replace(search, trials=1), Path("s"))
    with exclusive(Path("s")), pytest.raises(BusyError, match="another run is writing here"):
        run(search, Path("s"))


def test_the_newest_search_is_the_one_that_began_last(search: Search) -> None:
    with pytest.raises(CheckpointError, match="no search here yet"):
        newest_search()
    for _ in range(2):
        short = replace(search, trials=1, rungs=())
        list(recorded_search(short, None, InProcess(), near_the_best, fs=QUICK))
    assert newest_search() == Path("runs/search-2")


def test_a_trial_that_was_killed_while_its_files_were_written_goes_on(search: Search, whole: dict[str, object]) -> None:
    """The coordinator had written metrics.csv, but neither network, and a part of one."""
    run(search, Path("s"), stop_after=9)
    last = max(path.parent for path in Path("s").glob("trial-*/last.npz"))
    for name in ("last.npz", "best.npz"):
        (last / name).unlink()
    (last / "previous.npz").unlink(missing_ok=True)
    (last / ".best.npz.1.tmp").write_bytes(b"PK")
    run(search, Path("s"))
    assert left(Path("s"), search) == whole
    assert list(Path("s").rglob("*.tmp")) == []


def test_a_finished_trial_whose_metrics_are_damaged_has_failed(search: Search) -> None:
    _, folder = run(search, Path("s"))
    (number,) = [trial.number for trial in trials.read(folder, search) if trial.finished][:1]
    (folder / f"trial-{number}/metrics.csv").write_text("nonsense")
    found = trials.read(folder, search)[number]
    assert (found.finished, found.scores) == (False, ())
    assert "metrics.csv" in found.failed
    run(search, folder)
