"""The folder of a run: its name, its files, and how a run that is left early can go on."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.core.deslant import deslant
from bpcli.core.threads import ThreadGroup
from bpcli.core.types import Bytes
from bpcli.core.width import set_width
from bpcli.data.datasets import read_split
from bpcli.data.outliers import with_outliers
from bpcli.errors import CheckpointError, DataError, OutputError, TrainingError
from bpcli.inference.evaluation import Score, evaluate, read_split_of
from bpcli.storage import checkpoint
from bpcli.storage.find import find_checkpoint
from bpcli.storage.run_folder import new_folder, point_latest
from bpcli.training import events, loop
from bpcli.training.events import EpochEnd, Started, Step
from bpcli.training.run import recorded_training
from bpcli.training.trainer import Trainer
from tests.conftest import idx_bytes, write_mnist


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def create_folder(name: str, out: Path | None = None) -> Path:
    with new_folder(name, out) as folder:
        return folder


def test_folders_are_numbered() -> None:
    assert [str(create_folder("a")) for _ in range(2)] == ["runs/a-1", "runs/a-2"]
    assert str(create_folder("b")) == "runs/b-1"


def test_a_named_folder_must_be_new_or_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert create_folder("x", tmp_path / "empty") == tmp_path / "empty"
    assert create_folder("x", tmp_path / "deep" / "new").is_dir()
    (tmp_path / "file").touch()
    for taken in (tmp_path / "file", tmp_path / "deep"):
        with pytest.raises(OutputError, match="exists and is not an empty folder"):
            create_folder("x", taken)
    with pytest.raises(OutputError, match="can't be made: Not a directory"):
        create_folder("x", tmp_path / "file" / "inside")


def test_latest_names_the_newest_run(tmp_path: Path) -> None:
    for folder in (create_folder("a"), create_folder("a"), create_folder("a", tmp_path / "elsewhere")):
        point_latest(folder)
        assert Path("runs/latest").resolve() == folder.resolve()
    assert sorted(path.name for path in Path("runs").iterdir()) == ["a-1", "a-2", "latest"]


def test_checkpoints_are_found() -> None:
    folder = create_folder("a")
    point_latest(folder)
    for source in ("runs/a-1", "runs/latest", "a-1"):
        with pytest.raises(CheckpointError, match=r"holds no best\.npz"):
            find_checkpoint(source)
    (folder / "best.npz").touch()
    Path("some.npz").touch()
    for source in ("runs/a-1", "runs/latest", "a-1"):
        assert find_checkpoint(source).resolve() == (folder / "best.npz").resolve()
    assert find_checkpoint("some.npz") == Path("some.npz")
    with pytest.raises(CheckpointError, match=r"^a-2: no such file, nor a run of that name; did you mean a-1\?$"):
        find_checkpoint("a-2")


def test_a_run_leaves_its_traces(small_settings: list[str]) -> None:
    config = configuration.load("default", small_settings)
    events = list(recorded_training(config, "small", None))
    folder = Path("runs/small-1")
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock", "best.npz", "config.yaml", "last.npz", "metrics.csv", "previous.npz", "result.json",
        "snapshots",
    ]  # fmt: skip
    assert configuration.load(str(folder / "config.yaml")) == config
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    ends = [event for event in events if isinstance(event, EpochEnd)]
    assert [int(row["epoch"]) for row in rows] == [1, 2]
    for row, end in zip(rows, ends, strict=True):
        assert end.validation is not None
        assert float(row["validation_accuracy"]) == pytest.approx(end.validation.accuracy)
        assert float(row["train_loss"]) == pytest.approx(end.train.loss, rel=1e-5)
    best = max(ends, key=lambda end: (end.validation.accuracy, -end.epoch) if end.validation else (0, 0))
    loaded = checkpoint.load(folder / "best.npz")
    assert loaded.epoch == best.epoch + 1
    assert loaded.metrics["train_loss"] == best.train.loss
    assert checkpoint.load(folder / "last.npz").epoch == 2


def test_the_same_run_twice_gives_the_same_files(small_settings: list[str]) -> None:
    config = configuration.load("default", small_settings)
    for _ in range(2):
        list(recorded_training(config, "same", None))
    for name in ("best.npz", "last.npz", "config.yaml"):
        assert Path("runs/same-1", name).read_bytes() == Path("runs/same-2", name).read_bytes()


def test_without_validation_the_last_epoch_is_the_best(small_settings: list[str]) -> None:
    config = configuration.load("default", [*small_settings, "data.validation=0"])
    list(recorded_training(config, "all", None))
    best, last = (checkpoint.load(Path("runs/all-1", name)) for name in ("best.npz", "last.npz"))
    assert best.epoch == 2
    assert best.parameters.tobytes() == last.parameters.tobytes()
    assert Path("runs/all-1/metrics.csv").read_text().splitlines()[1].split(",")[4:6] == ["", ""]


def test_who_leaves_early_keeps_the_state_after_the_last_step(
    small_settings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SHOWN", 0)
    config = configuration.load("default", small_settings)
    events = recorded_training(config, "left", None)
    steps = (event for event in events if isinstance(event, Step))
    for _ in range(11):
        last = next(steps)
    events.close()
    loaded = checkpoint.load(Path("runs/left-1/last.npz"))
    assert loaded.progress is not None
    assert (loaded.progress.epoch, loaded.progress.step) == (last.epoch, last.step + 1)
    assert checkpoint.load(Path("runs/left-1/best.npz")).epoch == 1


def test_a_diverged_run_keeps_its_last_good_checkpoint(
    small_settings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trainer, "learning_rate", lambda trainer, epoch, step: 0.1 if epoch == 0 else 1e38)
    good = b""
    with pytest.raises(TrainingError, match="no longer finite at epoch 2, step"):
        for event in recorded_training(configuration.load("default", small_settings), "wild", None):
            if isinstance(event, EpochEnd):
                good = Path("runs/wild-1/last.npz").read_bytes()
    assert good
    assert Path("runs/wild-1/last.npz").read_bytes() == good


def test_bad_data_leave_no_folder(small_settings: list[str]) -> None:
    config = configuration.load("default", [*small_settings, "data.folder=nowhere"])
    with pytest.raises(DataError):
        next(recorded_training(config, "none", None))
    assert not Path("runs").exists()


def test_the_first_event_says_where_the_run_is(small_settings: list[str]) -> None:
    config = configuration.load("default", small_settings)
    events = recorded_training(config, "first", None)
    assert next(events) == Started(Path("runs/first-1"), 500, 100, 785 * 16 + 17 * 10, 2, 8)
    events.close()


@pytest.mark.parametrize(
    ("key", "value", "off", "change"),
    [("deslant", "true", "false", deslant), ("width", "14", "off", lambda images: set_width(images, 14))],
)
def test_preprocessing_is_a_part_of_the_network_as_if_its_files_held_such_digits(
    tmp_path: Path, key: str, value: str, off: str, change: Callable[[Bytes], Bytes]
) -> None:
    folders = {"raw": write_mnist(tmp_path / "raw"), "upright": write_mnist(tmp_path / "upright")}
    for name in ("train", "t10k"):
        file = folders["upright"] / f"{name}-images-idx3-ubyte"
        digits = np.frombuffer(file.read_bytes()[16:], np.uint8).reshape(-1, 784)
        file.write_bytes(idx_bytes(change(digits).reshape(-1, 28, 28)))
    common = ["data.validation=100", "data.normalize=unit", "model.hidden=[16]", "train.epochs=2", "augment.rotation=5"]
    ends = {}
    for name, folder in folders.items():
        settings = [*common, f"data.folder={folder}", f"data.{key}={value if name == 'raw' else off}"]
        *_, last, _, tested = recorded_training(configuration.load(overrides=settings), name, Path(f"run-{name}"))
        assert isinstance(last, EpochEnd)
        ends[name] = (last.train, last.validation, tested)
    assert ends["raw"] == ends["upright"]
    raw, upright = (checkpoint.load(Path(f"run-{name}/best.npz")) for name in folders)
    assert np.array_equal(raw.parameters, upright.parameters)
    images = read_split_of(raw.model, "test").images
    scores = raw.model.scores(images)
    assert np.array_equal(scores, raw.model.scores(images, ThreadGroup(3)))
    assert np.array_equal(scores, upright.model.scores(change(images)))
    assert not np.array_equal(scores, upright.model.scores(images))


def test_outliers_get_low_scores_where_they_were_trained_on(small_mnist: Path) -> None:
    settings = [f"data.folder={small_mnist}", "data.validation=100", "model.hidden=[64]", "train.epochs=15"]
    settings.append("train.batch_size=32")
    best = []
    for count in (0, 200):
        config = configuration.load(overrides=[*settings, f"data.outliers={count}"])
        for _ in recorded_training(config, "s", Path(f"run-{count}")):
            pass
        loaded = checkpoint.load(Path(f"run-{count}/best.npz"))
        digits = read_split(small_mnist, "train", 100)
        unseen = with_outliers(digits, 100, 99).images[len(digits) :]
        best.append(float(loaded.model.scores(unseen).max(axis=1).mean()))
        assert loaded.model.scores(digits.images).max(axis=1).mean() > 0.8
    assert best[1] < 0.6 * best[0]


def test_what_was_saved_gives_what_the_run_said_of_its_test(small_settings: list[str]) -> None:
    """The run tests the network that it holds; here the one that lies in its folder is read back."""
    *_, tested = recorded_training(configuration.load("default", [*small_settings, "train.epochs=3"]), "t", None)
    assert isinstance(tested, events.Tested)
    model = checkpoint.load(Path("runs/t-1/best.npz")).model
    loss, scores, labels = evaluate(model, read_split_of(model, "test"))
    assert tested.test == Score(loss or 0.0, float((scores.argmax(axis=1) == labels).mean()))


def test_a_validation_loss_that_is_not_finite_is_saved_nowhere(small_settings: list[str]) -> None:
    """One step of such a length leaves finite weights, of which fifteen layers together overflow."""
    deep = [f"model.hidden={15 * [16]}", "model.activation=leaky_relu", "model.init=he"]
    one_step = ["train.batch_size=10000", "optimizer.kind=adam", "optimizer.learning_rate=1000"]
    config = configuration.load("default", [*small_settings, *deep, *one_step])
    with pytest.raises(TrainingError, match=r"^the validation loss is no longer finite at epoch 1, step 1, with the "):
        list(recorded_training(config, "x", Path("run")))
    assert sorted(path.name for path in Path("run").iterdir()) == [
        ".lock", "config.yaml", "metrics.csv", "result.json",
    ]  # fmt: skip
