"""A series: its runs are those that its seeds make alone, whatever stops it on the way."""

import errno
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.errors import BusyError, CheckpointError, ConfigError, DataError, OutputError, TrainingError
from bpcli.storage import checkpoint, series_file
from bpcli.storage.lock import exclusive
from bpcli.storage.members import of_grid, of_seeds
from bpcli.training import events as happened
from bpcli.training import loop
from bpcli.training.events import EpochEnd, Event, MemberStarted, Notice, SeriesEnded, SeriesStarted, Started, Step
from bpcli.training.run import recorded_training, resumed_training
from bpcli.training.series import recorded_series, resumed_series
from tests.reliability.disks import QUICK, Failing, names
from tests.reliability.test_kill import contents

SEEDS, NAMES = (3, 0), ("seed-3", "seed-0")
STEPS = 4  # of a run


@pytest.fixture(scope="session")
def config(small_mnist: Path) -> Config:
    """Two epochs of two steps."""
    settings = ["data.validation=500", "model.hidden=[5]", "train.epochs=2", "train.batch_size=50"]
    return configuration.load("default", [f"data.folder={small_mnist}", *settings])


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop, "SHOWN", 0)  # so that a run can be stopped after any step


@pytest.fixture
def alone(config: Config) -> dict[int, dict[str, bytes]]:
    """What the runs leave that are trained by themselves."""
    for seed in SEEDS:
        own = configuration.override(config, [f"seed={seed}"])
        list(recorded_training(own, "x", Path(f"alone{seed}"), fs=QUICK))
    return {seed: contents(Path(f"alone{seed}")) for seed in SEEDS}


def left(folder: Path) -> dict[int, dict[str, bytes]]:
    return {seed: contents(folder / f"seed-{seed}") for seed in SEEDS}


def ended(events: Iterable[Event]) -> SeriesEnded:
    *_, last = events
    assert isinstance(last, SeriesEnded)
    return last


def stopped(config: Config, folder: Path, steps: int, seeds: tuple[int, ...] = SEEDS) -> list[Event]:
    """A series that a signal has stopped after so many steps of all its runs."""
    events: list[Event] = []

    def should_stop() -> bool:
        return sum(isinstance(event, Step) for event in events) >= steps

    for event in recorded_series(of_seeds(config, seeds), "x", folder, should_stop, QUICK):
        events.append(event)  # noqa: PERF402 (stopping looks at it meanwhile)
    return events


def test_members_are_the_runs_of_their_seeds(config: Config, alone: dict[int, dict[str, bytes]]) -> None:
    events = list(recorded_series(of_seeds(config, SEEDS), "x", None, fs=QUICK))
    folder = Path("runs/x-1")
    assert left(folder) == alone
    assert names(folder) == {".lock", "series.yaml", "seed-3", "seed-0"}
    assert series_file.read(folder).finished == NAMES
    assert Path("runs/latest").resolve() == folder.resolve()
    series = of_seeds(config, SEEDS)
    assert events[0] == SeriesStarted(folder, series)
    assert [event for event in events if isinstance(event, MemberStarted)] == [
        MemberStarted(member, number, 2) for number, member in enumerate(series.members, 1)
    ]
    last = ended(events)
    accuracies = [event.test.accuracy for event in events if isinstance(event, happened.Tested)]
    assert [metrics["accuracy"] for metrics in last.metrics] == accuracies
    assert last.committee["n"] == 200


@pytest.mark.parametrize("steps", range(1, 2 * STEPS + 1))
def test_a_series_goes_on_at_any_step(config: Config, alone: dict[int, dict[str, bytes]], steps: int) -> None:
    events = stopped(config, Path("s"), steps)
    assert not any(isinstance(event, SeriesEnded) for event in events)
    finished = sum(isinstance(event, happened.Tested) for event in events)
    assert series_file.read(Path("s")).finished == NAMES[:finished]
    again = list(resumed_series("latest", fs=QUICK))
    assert left(Path("s")) == alone
    assert series_file.read(Path("s")).finished == NAMES
    assert sum(isinstance(event, Step) for event in [*events, *again]) == 2 * STEPS
    assert sum(isinstance(event, MemberStarted) for event in again) == len(SEEDS) - finished
    assert not any(isinstance(event, Notice) for event in again)
    whole = ended(recorded_series(of_seeds(config, SEEDS), "x", Path("whole"), fs=QUICK))
    assert (ended(again).metrics, ended(again).committee) == (whole.metrics, whole.committee)


def test_who_leaves_the_loop_can_go_on(config: Config, alone: dict[int, dict[str, bytes]]) -> None:
    events = recorded_series(of_seeds(config, SEEDS), "x", Path("s"), fs=QUICK)
    steps = (event for event in events if isinstance(event, Step))
    for _ in range(STEPS + 1):
        next(steps)
    events.close()
    assert checkpoint.load(Path("s/seed-0/last.npz")).state().step == 1
    ended(resumed_series("s", fs=QUICK))
    assert left(Path("s")) == alone


def test_a_full_disk_at_any_call(config: Config, alone: dict[int, dict[str, bytes]]) -> None:
    at, fired, begun = 1, "open", 0
    while fired:
        disk, folder = Failing(at, errno.ENOSPC, for_ever=True), Path(f"s{at}")
        try:
            list(recorded_series(of_seeds(config, SEEDS), "x", folder, fs=disk.fs))
        except OutputError as complaint:
            assert re.search("can't be (written|removed)|snapshots: can't be made", str(complaint))
        if series_file.is_series(folder):
            ended(resumed_series(str(folder), fs=QUICK))
            begun += 1
        else:  # before it had its file; the same command begins it anew
            ended(recorded_series(of_seeds(config, SEEDS), "x", folder, fs=QUICK))
        assert left(folder) == alone
        fired, at = disk.fired, at + 7
    assert begun > 15


def test_a_finished_series_is_only_tested(config: Config) -> None:
    first = ended(recorded_series(of_seeds(config, SEEDS), "x", Path("s"), fs=QUICK))
    before = {path: path.stat().st_mtime_ns for path in Path("s").glob("seed-*/*.*")}
    events = list(resumed_series("s", fs=QUICK))
    assert events == [SeriesStarted(Path("s"), series_file.read(Path("s"))), first]
    assert {path: path.stat().st_mtime_ns for path in Path("s").glob("seed-*/*.*")} == before


def test_what_somebody_has_removed_is_trained_again(config: Config, alone: dict[int, dict[str, bytes]]) -> None:
    ended(recorded_series(of_seeds(config, SEEDS), "x", Path("s"), fs=QUICK))
    shutil.rmtree("s/seed-3")
    Path("s/seed-0/best.npz").unlink()
    ended(resumed_series("s", fs=QUICK))
    assert left(Path("s")) == alone


def test_a_member_that_was_changed_is_said(config: Config) -> None:
    ended(recorded_series(of_seeds(config, SEEDS), "x", Path("s"), fs=QUICK))
    list(resumed_training("s/seed-0", overrides=["train.epochs=3"], fs=QUICK))
    events = list(resumed_series("s", fs=QUICK))
    (notice,) = (event.text for event in events if isinstance(event, Notice))
    assert notice == "s/seed-0/config.yaml: train.epochs = 3, but 2 in the series"


def test_a_series_over_settings_goes_on_at_any_run(config: Config) -> None:
    varied = of_grid(config, {"data.deslant": [True, False], "optimizer.weight_decay": [0.0, 5.0]})
    whole = ended(recorded_series(varied, "x", Path("whole"), fs=QUICK))
    for steps in range(1, 4 * STEPS, 5):
        folder, seen = Path(f"s{steps}"), list[Event]()

        def should_stop(seen: list[Event] = seen, steps: int = steps) -> bool:
            return sum(isinstance(event, Step) for event in seen) >= steps

        for event in recorded_series(varied, "x", folder, should_stop, QUICK):
            seen.append(event)
        assert len(series_file.read(folder).finished) == sum(isinstance(event, happened.Tested) for event in seen)
        again = ended(resumed_series(str(folder), fs=QUICK))
        assert (again.metrics, again.committee) == (whole.metrics, whole.committee)
        for member in varied.members:
            assert contents(folder / member.name) == contents(Path("whole", member.name))


def test_nothing_is_written_for_a_series_that_cant_begin(config: Config) -> None:
    for settings, error in (
        (["data.folder=nowhere"], DataError),
        (["model.hidden=[100000,100000,100000]"], ConfigError),
    ):
        with pytest.raises(error):
            list(recorded_series(of_seeds(configuration.override(config, settings), SEEDS), "x", None))
    assert list(recorded_series(of_seeds(config, SEEDS), "x", None, should_stop=lambda: True)) == []
    assert names(Path.cwd()) == set()


def test_a_member_that_diverges_is_named(config: Config) -> None:
    settings = ["optimizer.learning_rate=1000", "model.output=identity", "loss=quadratic", "train.epochs=50"]
    diverging = configuration.override(config, settings)
    with pytest.raises(TrainingError, match=r"^s/seed-3: .*no longer finite at epoch"):
        list(recorded_series(of_seeds(diverging, SEEDS), "x", Path("s"), fs=QUICK))


def test_one_process_trains_a_series(config: Config) -> None:
    events = recorded_series(of_seeds(config, SEEDS), "x", Path("s"), fs=QUICK)
    assert any(isinstance(event, Started) for event in events)
    with pytest.raises(BusyError, match="another run is writing here"):
        list(resumed_series("s", fs=QUICK))
    events.close()
    with exclusive(Path("s/seed-3")), pytest.raises(BusyError, match="s/seed-3"):
        list(resumed_series("s", fs=QUICK))


def test_a_member_goes_on_by_itself(config: Config, alone: dict[int, dict[str, bytes]]) -> None:
    stopped(config, Path("s"), 1)
    assert any(isinstance(event, EpochEnd) for event in resumed_training("s/seed-3", fs=QUICK))
    assert Path("runs/latest").resolve() == Path("s/seed-3").resolve()
    ended(resumed_series("s", fs=QUICK))
    assert left(Path("s")) == alone


def test_a_damaged_member_is_said(config: Config) -> None:
    ended(recorded_series(of_seeds(config, SEEDS), "x", Path("s"), fs=QUICK))
    Path("s/seed-0/best.npz").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=r"s/seed-0/best\.npz: not a checkpoint"):
        list(resumed_series("s", fs=QUICK))
