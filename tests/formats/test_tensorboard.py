"""Logs of `bpcli train --tensorboard`, read by TensorBoard itself and by tbparse, also after kills."""

import signal
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bpcli.data.sheet import COLUMNS
from bpcli.storage import metrics_csv, summaries
from bpcli.storage.tfrecord import records
from tests.children import child
from tests.conftest import write_mnist

pytestmark = pytest.mark.formats

# each event is written at once, so that a kill comes between a batch in the log and the next checkpoint
AT_ONCE = "from bpcli.__main__ import main; from bpcli.storage import event_log; event_log._PAUSE = 0.0; main()"
BPCLI = [sys.executable, "-c", AT_ONCE, "train", "-q"]
EPOCHS, STEPS = 5, 188


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = write_mnist(tmp_path_factory.mktemp("data") / "mnist", training=12_100, test=200)
    chosen = [f"data.folder={folder}", "data.validation=100", "model.hidden=[500, 100]", "train.batch_size=64"]
    return [part for setting in chosen for part in ("-s", setting)] + ["--epochs", str(EPOCHS)]


@contextmanager
def going(command: list[str], folder: Path, epochs: int) -> Iterator[None]:
    """A training, from when it has logged batches beyond so many epochs until it is killed."""
    with child(command, cwd=folder) as process:
        while process.poll() is None and not _logged_beyond(folder / "runs/default-1", epochs):
            pass
        assert process.poll() is None
        yield
        process.send_signal(signal.SIGKILL)


def _logged_beyond(run: Path, epochs: int) -> bool:
    """Whether so many epochs are saved, and more batches logged."""
    rows = run / metrics_csv.NAME
    if not rows.exists() or rows.read_text().count("\n") - 1 != epochs:
        return False
    messages = (message for path in run.glob("*tfevents*") for message in records(path.read_bytes()))
    events = map(summaries.step_and_tags, messages)
    return any(step > epochs * STEPS for step, tags in events if "batch/loss" in tags)


@pytest.fixture(scope="module")
def killed(settings: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed in the middle of several epochs, and went on each time."""
    folder = tmp_path_factory.mktemp("killed")
    command = [*BPCLI, *settings, "--tensorboard"]
    for epochs in (1, 2, 3):
        with going(command, folder, epochs):
            pass
        command = [*BPCLI, "--resume", "--tensorboard"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "runs/default-1"


def accumulated(path: Path) -> Any:
    """TensorBoard's own reader, with every event kept, over a folder or a file."""
    from tensorboard.backend.event_processing.event_accumulator import STORE_EVERYTHING_SIZE_GUIDANCE, EventAccumulator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # protobuf's and NumPy's, about TensorBoard
        found = EventAccumulator(str(path), STORE_EVERYTHING_SIZE_GUIDANCE)
        found.Reload()
    return found


def written(run: Path) -> dict[tuple[str, int], str]:
    """The numbers in metrics.csv as they stand there, by tag and epoch."""
    heading, *rows = (run / metrics_csv.NAME).read_text().splitlines()
    _, *names = heading.split(",")
    cells = ((row.split(",")[0], dict(zip(names, row.split(",")[1:], strict=True))) for row in rows)
    return {(f"epoch/{name}", int(epoch)): text for epoch, values in cells for name, text in values.items()}


def test_tensorboard_reads_the_values_of_metrics_csv_once_each(killed: Path) -> None:
    assert len(list(killed.glob("*tfevents*"))) == 4
    found = accumulated(killed)
    scalars = [(tag, event) for tag in found.Tags()["scalars"] for event in found.Scalars(tag)]
    assert max(Counter((tag, event.step) for tag, event in scalars).values()) == 1
    epochs = {(tag, event.step): f"{event.value:.6g}" for tag, event in scalars if tag.startswith("epoch/")}
    assert epochs == written(killed)
    assert len(epochs) == EPOCHS * 6
    assert max(event.step for tag, event in scalars if tag == "batch/loss") == EPOCHS * STEPS


def test_tensorboard_reads_histograms_pictures_and_the_configuration(killed: Path) -> None:
    found = accumulated(killed)
    tags = found.Tags()
    assert len(tags["histograms"]) == 2 * 3 * 2
    bars = found.Histograms("parameters/layer1.weight")
    assert [each.step for each in bars] == list(range(1, EPOCHS + 1))
    assert {sum(each.histogram_value.bucket) for each in bars} == {784 * 500}
    pictures = found.Images("mistakes")
    assert [each.step for each in pictures] == list(range(1, EPOCHS + 1))
    assert {each.width for each in pictures} == {COLUMNS * 88 + 4}
    text = found.Tensors("configuration")[0].tensor_proto.string_val[0].decode()
    assert "hidden: [500, 100]" in text


def test_tbparse_reads_no_step_twice(killed: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tbparse import SummaryReader

        scalars = SummaryReader(str(killed)).scalars
    found = list(zip(scalars["tag"], scalars["step"], scalars["value"], strict=True))
    assert len({(tag, step) for tag, step, _ in found}) == len(found)
    epochs = {(tag, step): f"{value:.6g}" for tag, step, value in found if tag.startswith("epoch/")}
    assert epochs == written(killed)


def test_a_reader_that_was_open_forgets_what_is_logged_again(settings: list[str], tmp_path: Path) -> None:
    with going([*BPCLI, *settings, "--tensorboard"], tmp_path, 1):
        found = accumulated(tmp_path / "runs/default-1")
    assert max(event.step for event in found.Scalars("batch/loss")) > STEPS
    subprocess.run([*BPCLI, "--resume", "--tensorboard"], cwd=tmp_path, check=True, capture_output=True)
    found.Reload()
    steps = [event.step for event in found.Scalars("batch/loss")]
    assert len(set(steps)) == len(steps)
    assert max(steps) == EPOCHS * STEPS


def test_each_file_of_a_series_is_read(settings: list[str], tmp_path: Path) -> None:
    command = [*BPCLI, *settings, "--seeds", "0,1", "--epochs", "2", "--tensorboard", "logs"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    for seed in (0, 1):
        found = accumulated(tmp_path / f"logs/seed-{seed}")
        values: Iterator[Any] = (event for event in found.Scalars("epoch/train_loss"))
        run = tmp_path / f"runs/default-1/seed-{seed}"
        expected = {epoch: text for (tag, epoch), text in written(run).items() if tag == "epoch/train_loss"}
        assert {event.step: f"{event.value:.6g}" for event in values} == expected
