"""Runs from Python: the same bytes as on the command line, stopped and gone on with, and looked at."""

import signal
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

import bpcli
from bpcli import BpcliWarning
from bpcli import config as configuration
from bpcli.errors import CheckpointError, ConfigError
from bpcli.interface import runs
from bpcli.storage import outcome
from bpcli.training.events import EpochEnd, Event
from bpcli.training.run import recorded_training


@pytest.fixture
def settings(small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Those of the run `trained`, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return {"folder": small_mnist, "validation": 100, "hidden": (16,), "epochs": 2, "batch_size": 64}


def content(folder: Path) -> dict[str, bytes]:
    """The files of a run that hold no times."""
    return {name: (folder / name).read_bytes() for name in ("best.npz", "last.npz", "config.yaml")}


def test_the_bytes_are_those_of_the_command_line(
    trained_once: Path, settings: dict[str, Any], small_settings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    expected = content(trained_once / "runs/default-1")
    by_keyword, by_mapping = bpcli.train(**settings), bpcli.train(settings)
    assert (by_keyword.folder, by_mapping.folder) == (
        Path("runs/default-1").absolute(),
        Path("runs/default-2").absolute(),
    )
    assert content(by_keyword.folder) == content(by_mapping.folder) == expected
    assert capsys.readouterr().err == ""
    whole = configuration.load("default", small_settings)
    assert content(bpcli.train(whole, progress=True, out="here").folder) == expected == content(Path("here"))
    assert "epoch 2: 100%" in capsys.readouterr().err
    assert bpcli.train(whole).name == "config-1"


def test_a_run_knows_its_numbers(settings: dict[str, Any]) -> None:
    run = bpcli.train("quick", **settings)
    assert (run.name, run.config.data.deslant) == ("quick-1", True)
    assert run.metrics["test_accuracy"] == run.model.evaluate()["accuracy"]
    assert run.metrics["validation_loss"] == pytest.approx(run.model.evaluate("validation")["loss"])
    history = run.history
    assert history.epoch.tolist() == [1, 2]
    assert history.validation_accuracy[run.metrics["best_epoch"] - 1] == run.metrics["validation_accuracy"]
    for name in ("latest", "quick-1", "runs/quick-1"):
        assert bpcli.open_run(name).history.tolist() == history.tolist()
        assert bpcli.open_run(name).metrics == run.metrics
    assert repr(run).startswith(f"<Run quick-1: best epoch {run.metrics['best_epoch']} of 2, train ")


def test_a_run_that_learned_nothing_is_warned_of(settings: dict[str, Any]) -> None:
    with pytest.warns(BpcliWarning, match="this run learned nothing: the validation accuracy"):
        run = bpcli.train(**settings | {"learning_rate": 100.0})
    assert "no better than guessing" in run.outcome.warning
    with pytest.warns(BpcliWarning, match=r"default-1/best.npz learned nothing"):
        bpcli.load("default-1")


def test_without_validation_images_the_history_says_so(settings: dict[str, Any]) -> None:
    run = bpcli.train(**settings | {"validation": 0, "epochs": 1})
    assert np.isnan(run.history.validation_loss).all()
    assert run.metrics["validation_accuracy"] is None
    assert "validation" not in repr(run) + run._repr_html_()


def test_another_thread_trains_too(settings: dict[str, Any]) -> None:
    """There no handler can be set."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(bpcli.train, **settings).result().metrics["epochs"] == 2


def test_a_notebook_shows_curves_and_accuracies(settings: dict[str, Any]) -> None:
    run = bpcli.train(out="<b>a & 'b'", **settings)
    page = run._repr_html_()
    assert "<b>&lt;b&gt;a &amp; &#x27;b&#x27;</b>" in page
    assert page.count("<polyline") == 2
    assert f"test {100 * run.metrics['test_accuracy']:.2f} %" in page


def test_the_report_is_that_of_the_command(trained: Path) -> None:
    (trained / "report.html").write_text("an earlier one")
    path = bpcli.open_run(trained).report()
    assert path.resolve() == (trained / "report.html").resolve()
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (trained / "report/summary.json").exists()
    assert "learned nothing" not in path.read_text(encoding="utf-8")
    ended = outcome.read(trained)
    assert ended is not None
    outcome.write(trained, structs.replace(ended, warning="this run learned nothing"))
    assert "this run learned nothing" in bpcli.open_run(trained).report().read_text(encoding="utf-8")


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the first epoch of each training."""

    def training(*arguments: Any) -> Generator[Event, None, None]:
        for event in recorded_training(*arguments):
            yield event
            if isinstance(event, EpochEnd):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(runs, "recorded_training", training)


@pytest.fixture
def heeded() -> Generator[None, None, None]:
    """Ctrl-C acts as in Python, though this process may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded", "interrupted")
def test_an_interrupted_run_goes_on_to_the_same_bytes(trained_once: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(KeyboardInterrupt, match=r"stopped; bpcli.resume\('runs/default-1'\) goes on"):
        bpcli.train(**settings)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    stopped = bpcli.open_run("runs/default-1")
    assert (len(stopped.history), stopped.metrics["epochs"], stopped.metrics["test_accuracy"]) == (1, 1, None)
    run = bpcli.resume("runs/default-1")
    assert content(run.folder) == content(trained_once / "runs/default-1")
    with pytest.warns(BpcliWarning, match="epochs = 3 from here on, 2 before"):
        assert len(bpcli.resume(epochs=3).history) == 3


def test_a_series_is_no_run() -> None:
    series = Path(__file__).parents[1] / "old_versions/0.1.0/series"
    for use in (bpcli.resume, bpcli.open_run):
        with pytest.raises(CheckpointError, match=r"is a series of 2 runs .*; name one of them"):
            use(series)


@pytest.mark.parametrize(
    ("source", "settings", "complaint"),
    [
        ("quik", {}, "'quik' is neither a file nor a preset .*; did you mean quick?"),
        ("quick", {"epochs": 0}, "settings: train.epochs = 0: expected int >= 1"),
        ({"optimizer": {"learning": 0.1}}, {}, "settings: unknown key optimizer.learning; did you mean"),
    ],
)
def test_mistakes_are_named_before_anything_is_written(
    source: Any, settings: dict[str, Any], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=complaint):
        bpcli.train(source, **settings)
    with pytest.raises(CheckpointError, match="none"):
        bpcli.open_run("none")
    assert [*tmp_path.iterdir()] == []
