"""A series by an engine: its runs are those of a series here, whatever becomes of the tasks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bpcli import config as configuration
from bpcli.cluster import series
from bpcli.cluster.engine import InProcess
from bpcli.cluster.task import Done, Reported, Task
from bpcli.config import Config
from bpcli.errors import ClusterError, TrainingError
from bpcli.storage import checkpoint, outcome, series_file, start
from bpcli.storage.members import of_grid, of_seeds
from bpcli.training.events import Event, Notice, RunEnded, SeriesEnded, Tally
from bpcli.training.run import recorded_training
from bpcli.training.series import recorded_series, resumed_series
from tests.cluster.test_task import config  # noqa: F401 (a fixture)
from tests.reliability.disks import QUICK
from tests.reliability.test_kill import contents

SEEDS = (3, 0)


class Odd(InProcess):
    """An engine that changes what tasks bring."""

    size = 2

    def __init__(self, change: Callable[[Done], Done]) -> None:
        super().__init__()
        self._change = change
        self.tasks: list[Task] = []

    def submit(self, task: Task) -> None:
        self.tasks.append(task)
        super().submit(task)

    def next(self, should_stop: Callable[[], bool]) -> Reported | Done | None:
        happened = super().next(should_stop)
        return self._change(happened) if isinstance(happened, Done) else happened


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(config: Config, folder: str, engine: InProcess) -> list[Event]:  # noqa: F811
    return list(recorded_series(of_seeds(config, SEEDS), "x", Path(folder), fs=QUICK, train=series.on(engine)))


def test_the_runs_are_those_of_a_series_here(config: Config) -> None:  # noqa: F811
    here = list(recorded_series(of_seeds(config, SEEDS), "x", Path("here"), fs=QUICK))[-1]
    events = trained(config, "there", InProcess())
    for seed in SEEDS:
        assert contents(Path(f"there/seed-{seed}")) == contents(Path(f"here/seed-{seed}"))
        assert outcome.read(Path(f"there/seed-{seed}")) == outcome.read(Path(f"here/seed-{seed}"))
    assert Path("there/series.yaml").read_bytes() == Path("here/series.yaml").read_bytes()
    last = events[-1]
    assert isinstance(last, SeriesEnded)
    assert isinstance(here, SeriesEnded)
    assert (last.metrics, last.committee) == (here.metrics, here.committee)
    assert [event.name for event in events if isinstance(event, RunEnded)] == ["seed-3", "seed-0"]
    assert [event for event in events if isinstance(event, Tally)][-1] == Tally(0, 2, 0, 2, 6, 6)


def test_members_may_differ_in_length_and_shape(config: Config) -> None:  # noqa: F811
    varied = of_grid(config, {"train.epochs": [1, 3], "model.hidden": [[5], [4, 3]]})
    list(recorded_series(varied, "x", Path("here"), fs=QUICK))
    events = list(recorded_series(varied, "x", Path("there"), fs=QUICK, train=series.on(InProcess())))
    for member in varied.members:
        assert contents(Path("there", member.name)) == contents(Path("here", member.name))
    assert Path("there/series.yaml").read_bytes() == Path("here/series.yaml").read_bytes()
    assert [event.name for event in events if isinstance(event, RunEnded)] == [each.name for each in varied.members]
    assert [event for event in events if isinstance(event, Tally)][-1] == Tally(0, 4, 0, 4, 8, 8)


def test_one_that_fails_does_not_end_the_others(config: Config) -> None:  # noqa: F811
    def killed(done: Done) -> Done:
        return replace(done, files={}, failed="its worker died") if done.name == "seed-3" else done

    with pytest.raises(
        TrainingError, match=r"^s/seed-3: its worker died; 1 of the 2 runs are finished; .* --resume s$"
    ):
        trained(config, "s", Odd(killed))
    assert series_file.read(Path("s")).finished == ("seed-0",)
    assert outcome.read(Path("s/seed-3")).failed == "its worker died"  # type: ignore[union-attr]
    assert isinstance(list(resumed_series("s", fs=QUICK))[-1], SeriesEnded)
    list(recorded_series(of_seeds(config, SEEDS), "x", Path("whole"), fs=QUICK))
    assert contents(Path("s/seed-3")) == contents(Path("whole/seed-3"))


def test_a_run_that_pauses_goes_on_from_there(config: Config) -> None:  # noqa: F811
    stopped = [False]

    def stop(done: Done) -> Done:
        stopped[0] = True
        return done

    def should_stop() -> bool:
        return stopped[0]

    events = recorded_series(of_seeds(config, SEEDS), "x", Path("s"), should_stop, QUICK, series.on(Odd(stop)))
    assert not any(isinstance(event, SeriesEnded) for event in events)
    again = Odd(lambda done: done)
    assert isinstance(list(resumed_series("s", fs=QUICK, train=series.on(again)))[-1], SeriesEnded)
    assert [task.name for task in again.tasks] == ["seed-0"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda files: files | {"../evil": b""}, "'../evil' is none of them"),
        (lambda files: files | {"best.npz": b"PK"}, "not a checkpoint"),
        (lambda files: files | {"result.json": b"{}"}, "not the result of a run"),
        (lambda files: files | {"config.yaml": b"seed: 7\n"}, "not "),
    ],
)
def test_what_is_no_run_is_not_kept(
    config: Config,  # noqa: F811
    change: Callable[[dict[str, bytes]], dict[str, bytes]],
    complaint: str,
) -> None:
    engine = Odd(lambda done: replace(done, files=change({**done.files})))
    with pytest.raises(ClusterError, match=r"^seed-3: what a worker sent is not the files of this run: ") as error:
        trained(config, "s", engine)
    assert complaint in str(error.value)
    assert sorted(path.name for path in Path("s/seed-3").iterdir()) == [".lock", "config.yaml"]


def test_another_machine_is_said(config: Config) -> None:  # noqa: F811
    def elsewhere(done: Done) -> Done:
        Path("last.npz").write_bytes(done.files["last.npz"])
        found = checkpoint.load(Path("last.npz"))
        other = replace(found, environment={**found.environment, "BLAS": "another 1"})
        return replace(done, files={**done.files, "last.npz": checkpoint.to_bytes(other)}) if "0" in done.name else done

    events = trained(config, "s", Odd(elsewhere))
    (notice,) = (event.text for event in events if isinstance(event, Notice))
    assert notice.startswith("seed-0 was trained with another BLAS than seed-3: another 1, not ")


def test_the_network_to_start_from_travels_along(config: Config) -> None:  # noqa: F811
    list(recorded_series(of_seeds(config, (7,)), "x", Path("origin"), fs=QUICK))
    from bpcli.storage import start

    settings = [f"data.folder={config.data.folder}", "data.validation=500", "train.epochs=1", "train.threads=1"]
    onward = start.load("default", [*settings, {"train.start": "origin/seed-7"}])
    list(recorded_series(of_seeds(onward, SEEDS), "x", Path("here"), fs=QUICK))
    trained(onward, "there", InProcess())
    for seed in SEEDS:
        assert contents(Path(f"there/seed-{seed}")) == contents(Path(f"here/seed-{seed}"))
    assert configuration.differences(checkpoint.load(Path("there/seed-3/last.npz")).config, onward).keys() == {"seed"}


def test_a_series_from_a_network_goes_on_without_workers(config: Config) -> None:  # noqa: F811
    list(recorded_training(config, "x", Path("first"), fs=QUICK))
    onward = start.load("default", [configuration.to_tree(config), {"train.start": "first", "seed": 4}])
    events = recorded_series(of_seeds(onward, SEEDS), "x", Path("s"), fs=QUICK, train=series.on(InProcess()))
    while not Path("s/seed-3/config.yaml").exists():  # a worker has begun a run and brought nothing yet
        next(events)
    events.close()
    assert not Path("s/seed-3/last.npz").exists()
    assert isinstance(list(resumed_series("s", fs=QUICK))[-1], SeriesEnded)
    list(recorded_series(of_seeds(onward, SEEDS), "x", Path("whole"), fs=QUICK))
    for seed in SEEDS:
        assert Path(f"s/seed-{seed}/best.npz").read_bytes() == Path(f"whole/seed-{seed}/best.npz").read_bytes()
