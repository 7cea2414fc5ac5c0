"""The task of a worker: whatever it is cut into, its files become those of an ordinary run."""

from dataclasses import replace
from pathlib import Path

import pytest

from bpcli import config as configuration
from bpcli.cluster import task
from bpcli.cluster.task import Done, Reported, Task, perform
from bpcli.config import Config
from bpcli.errors import OutputError
from bpcli.storage import checkpoint, outcome
from bpcli.training.run import recorded_training
from tests.reliability.disks import QUICK
from tests.reliability.test_kill import contents


@pytest.fixture(scope="session")
def config(small_mnist: Path) -> Config:
    """Three epochs of two steps."""
    settings = ["data.validation=500", "model.hidden=[5]", "train.epochs=3", "train.batch_size=50", "train.threads=1"]
    return configuration.load("default", [f"data.folder={small_mnist}", *settings])


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def performed(files: dict[str, bytes], pause: int | None = None, stop_after: int = 99) -> tuple[list[int], Done]:
    """The epochs that a task reports, and what it brings."""
    epochs: list[int] = []
    running = perform(Task("run", files, pause), lambda: len(epochs) >= stop_after)
    while True:
        try:
            report = next(running)
        except StopIteration as end:
            return epochs, end.value
        assert isinstance(report, Reported)
        epochs.append(report.epochs)


def first(config: Config) -> dict[str, bytes]:
    return {"config.yaml": configuration.to_yaml(config).encode()}


def left(files: dict[str, bytes]) -> dict[str, bytes]:
    """What the files leave in a folder that must come out the same."""
    Path("left").mkdir()
    task.write(files, Path("left"))
    return contents(Path("left"))


@pytest.mark.parametrize("pauses", [(), (1,), (2,), (1, 2)])
def test_a_run_in_stints_is_the_run_itself(config: Config, pauses: tuple[int, ...]) -> None:
    files, reported = first(config), list[int]()
    for pause in (*pauses, None):
        epochs, done = performed(files, pause)
        assert (done.failed, done.notices) == ("", ())
        assert ("result.json" in done.files) == (pause is None)
        files, reported = {**done.files}, reported + epochs
    assert reported == [1, 2, 3]
    assert not Path("runs").exists()
    list(recorded_training(config, "x", Path("whole"), fs=QUICK))
    assert left(files) == contents(Path("whole"))


def test_a_worker_hands_back_what_it_has_after_its_stint(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "STINT", 0.0)
    epochs, done = performed(first(config))
    assert epochs == [1]
    assert "result.json" not in done.files


def test_who_is_told_to_stop_hands_back_the_state(config: Config) -> None:
    _, done = performed(first(config), stop_after=1)
    Path("last.npz").write_bytes(done.files["last.npz"])
    assert checkpoint.load(Path("last.npz")).epoch == 1
    assert "result.json" not in done.files


def test_a_run_that_diverges_has_failed(config: Config) -> None:
    settings = ["optimizer.learning_rate=1000", "model.output=identity", "loss=quadratic", "train.epochs=50"]
    _, done = performed(first(configuration.override(config, settings)))
    assert "no longer finite" in done.failed
    Path("result.json").write_bytes(done.files["result.json"])
    found = outcome.read(Path())
    assert found is not None
    assert found.failed == done.failed


def test_the_share_of_the_processors_is_not_recorded_as_a_setting(config: Config) -> None:
    wide = configuration.override(
        config, ["train.threads=auto", "model.hidden=[300]", "train.batch_size=100", "train.epochs=1"]
    )
    found = {}
    for cores in (1, 2):
        running = perform(Task("run", first(wide)), lambda: False, cores)
        try:
            while True:
                next(running)
        except StopIteration as end:
            found[cores] = end.value.files
    assert found[1]["config.yaml"] == found[2]["config.yaml"]
    for cores, files in found.items():
        Path("last.npz").write_bytes(files["last.npz"])
        assert checkpoint.load(Path("last.npz")).environment["workers"] == cores


def test_what_is_the_same_everywhere_is_named() -> None:
    assert set(task.versions()) == {"bpcli", "Python", "NumPy"}
    assert replace(Task("a", {}), pause=3).pause == 3


def test_a_temporary_folder_that_cant_be_made_is_one_line(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(OutputError, match=r"nowhere.bpcli-.*: No such file or directory$"):
        performed(first(config))
