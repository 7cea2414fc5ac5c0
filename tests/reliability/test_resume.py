"""A run that is interrupted and goes on ends with the files of one that never was, byte for byte."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bpcli import config as configuration
from bpcli.config import Config
from bpcli.core.threads import ThreadGroup
from bpcli.errors import CheckpointError, ConfigError, DataError
from bpcli.storage import checkpoint
from bpcli.storage.run_folder import LAST, PREVIOUS
from bpcli.storage.state import State
from bpcli.training import data as run_data
from bpcli.training import loop
from bpcli.training.builders import first_state
from bpcli.training.events import CheckpointDue, EpochEnd, Notice, Started, Step
from bpcli.training.loop import train
from bpcli.training.run import recorded_training, resumed_training
from tests.children import HANGS
from tests.reliability.conftest import ROOT
from tests.reliability.disks import QUICK, names
from tests.reliability.test_kill import contents

STEPS = 200
SETTINGS = [
    "data.validation=400", "model.hidden=[6]", "train.batch_size=20", "train.epochs=20", "train.patience=19",
    "schedule.kind=cosine", "schedule.warmup=2", "optimizer.weight_decay=0.1", "optimizer.nesterov=true", "seed=3",
    "augment.shift=1", "augment.rotation=8", "augment.elastic_alpha=30",
]  # fmt: skip


@pytest.fixture(scope="session")
def config(small_mnist: Path) -> Config:
    """Twenty epochs of ten steps."""
    return configuration.load("default", [f"data.folder={small_mnist}", *SETTINGS])


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop, "SHOWN", 0)  # so that a run can be stopped after any step


@pytest.fixture(scope="module")
def whole(config: Config, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run leaves that nothing stops, and that seldom looks at its steps."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(loop, "SHOWN", 0.1)
        list(recorded_training(config, "x", Path("whole"), fs=QUICK))
    return contents(folder / "whole")


class Flag:
    """What a signal would raise."""

    raised = False

    def __call__(self) -> bool:
        return self.raised


def stopped(config: Config, run: Path, steps: int) -> None:
    """A run that a signal has stopped after so many steps."""
    done, flag = 0, Flag()
    for event in recorded_training(config, "x", run, should_stop=flag, fs=QUICK):
        done += isinstance(event, Step)
        flag.raised = done >= steps


def goes_on(config: Config, whole: dict[str, bytes], steps: int) -> None:
    run = Path(f"run{steps}")
    stopped(config, run, steps)
    started = next(event for event in resumed(run) if isinstance(event, Started))
    assert 10 * started.epoch + started.step == steps
    assert contents(run) == whole


OTHERS = {
    "Adam, GELU and dropout": ["optimizer.kind=adam", "model.activation=gelu", "model.dropout=0.3"],
    "AdamW and ELU": ["optimizer.kind=adamw", "model.activation=elu", "model.hidden=[6, 5]"],
}


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("threads", [1, 2])
def test_other_optimizers_and_dropout_go_on_to_the_same_bytes(config: Config, others: list[str], threads: int) -> None:
    settings = [
        "optimizer.nesterov=false",
        "optimizer.learning_rate=0.01",
        "train.epochs=4",
        f"train.threads={threads}",
    ]
    config = configuration.override(config, [*settings, *others])
    list(recorded_training(config, "x", Path("whole"), fs=QUICK))
    for steps in (1, 10, 27):
        goes_on(config, contents(Path("whole")), steps)


def test_the_optimizer_cant_change_in_a_run(config: Config) -> None:
    stopped(config, Path("run"), 12)
    before = contents(Path("run"))
    with pytest.raises(ConfigError, match=r"optimizer\.kind can't change in a run: what is saved would not fit"):
        resumed(Path("run"), overrides=["optimizer.kind=adam", "optimizer.nesterov=false"])
    assert contents(Path("run")) == before


def resumed(run: Path, **options: object) -> list[object]:
    return list(resumed_training(str(run), fs=QUICK, **options))  # type: ignore[arg-type]


def test_a_run_goes_on_at_any_step(config: Config, whole: dict[str, bytes]) -> None:
    for steps in (1, 9, 10, 57, 119, 120, 200):
        goes_on(config, whole, steps)


def test_a_run_with_distorted_images_goes_on_at_any_step(config: Config) -> None:
    settings = ["rotation=15", "scale=0.15", "shear=0.15", "shift=1", "elastic_alpha=36", "stroke=0.5"]
    distorting = configuration.override(config, ["train.epochs=3", *(f"augment.{setting}" for setting in settings)])
    list(recorded_training(distorting, "x", Path("distorted"), fs=QUICK))
    whole = contents(Path("distorted"))
    for steps in (1, 10, 17, 29):
        goes_on(distorting, whole, steps)


@pytest.mark.torture
def test_a_run_goes_on_at_every_step(config: Config, whole: dict[str, bytes]) -> None:
    for steps in range(1, STEPS + 1):
        goes_on(config, whole, steps)


def killed(config_file: Path, run: str, steps: int) -> None:
    """A run in another process that kills itself after so many steps, and one in a third that goes on."""
    kill = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from bpcli import config\n"
        "from bpcli.training import loop\n"
        "from bpcli.training.events import Step\n"
        "from bpcli.training.run import recorded_training\n"
        "loop.SHOWN = 0\n"
        "steps = 0\n"
        "for event in recorded_training(config.load(sys.argv[1]), 'x', Path(sys.argv[2])):\n"
        "    steps += isinstance(event, Step)\n"
        "    if steps == int(sys.argv[3]): os.kill(os.getpid(), 9)\n"
    )
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    first = subprocess.run(
        [sys.executable, "-c", kill, config_file, run, str(steps)], env=os.environ | paths, check=False,
        timeout=HANGS,
    )  # fmt: skip
    assert first.returncode == -signal.SIGKILL
    command = [sys.executable, "-m", "bpcli", "train", "-q", "--resume", run]
    second = subprocess.run(
        command, env=os.environ | paths, capture_output=True, text=True, check=False, timeout=HANGS
    )  # fmt: skip
    assert (second.returncode, second.stderr) == (0, "")


def kill_at(config: Config, whole: dict[str, bytes], steps: range) -> None:
    Path("config.yaml").write_text(configuration.to_yaml(config))
    for step in steps:
        killed(Path("config.yaml"), f"killed{step}", step)
        assert contents(Path(f"killed{step}")) == whole


def test_a_killed_process_is_followed_by_another(config: Config, whole: dict[str, bytes]) -> None:
    kill_at(config, whole, range(5, STEPS, 150))


@pytest.mark.torture
def test_25_killed_processes_are_followed_by_others(config: Config, whole: dict[str, bytes]) -> None:
    kill_at(config, whole, range(3, STEPS, 8))


@pytest.mark.parametrize("workers", [1, 2])
def test_pauses_change_nothing(config: Config, workers: int) -> None:
    settings = ["model.hidden=[8, 7]", f"train.threads={workers}", "train.epochs=2"]
    kept = []
    for minutes in ("null", "1e-9"):
        changed = configuration.override(config, [*settings, f"train.checkpoint_minutes={minutes}"])
        events = list(recorded_training(changed, "x", Path(minutes), fs=QUICK))
        kept.append(checkpoint.load(Path(minutes, "last.npz")).parameters.tobytes())
        assert sum(isinstance(event, CheckpointDue) for event in events) == (18 if minutes == "1e-9" else 0)
    assert kept[0] == kept[1]


def test_a_validation_that_was_stopped_is_done_again(config: Config, whole: dict[str, bytes]) -> None:
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3 + 30 + 3 + 1  # splits; steps and their ends; within the third validation

    events = list(recorded_training(config, "x", Path("run"), should_stop=should_stop, fs=QUICK))
    assert isinstance(events[-1], CheckpointDue)
    assert checkpoint.load(Path("run/last.npz")).state().step in (0, 10)
    resumed(Path("run"))
    assert contents(Path("run")) == whole


def test_a_test_that_was_stopped_is_done_again(config: Config, whole: dict[str, bytes]) -> None:
    flag = Flag()
    for event in recorded_training(config, "x", Path("run"), should_stop=flag, fs=QUICK):
        flag.raised = isinstance(event, EpochEnd) and event.epoch == 19
    kinds = [type(event).__name__ for event in resumed(Path("run"))]
    assert kinds == ["Started", "Finished", "Tested"]
    assert contents(Path("run")) == whole


def test_a_run_that_is_stopped_while_it_reads_leaves_nothing(config: Config) -> None:
    assert list(recorded_training(config, "x", Path("run"), should_stop=lambda: True)) == []
    assert not Path("run").exists()


def test_a_run_that_saved_nothing_yet_begins_anew(config: Config, whole: dict[str, bytes]) -> None:
    next(recorded_training(config, "x", Path("run"), fs=QUICK))
    assert not Path("run", LAST).exists()
    resumed(Path("run"))
    assert contents(Path("run")) == whole


def test_a_finished_run_is_extended(config: Config) -> None:
    for kind in ("constant", "cosine"):
        settings = [f"schedule.kind={kind}", "train.patience=null"]
        longer, shorter = (
            configuration.override(config, [*settings, f"train.epochs={epochs}"]) for epochs in (6, 4)
        )  # fmt: skip
        list(recorded_training(longer, "x", Path(f"{kind}6"), fs=QUICK))
        list(recorded_training(shorter, "x", Path(f"{kind}4"), fs=QUICK))
        events = resumed(Path(f"{kind}4"), overrides=["train.epochs=6"])
        assert Notice("train.epochs = 6 from here on, 4 before") in events
        rates = [event.learning_rate for event in events if isinstance(event, EpochEnd)]
        (six, four) = (checkpoint.load(Path(f"{kind}{epochs}", LAST)) for epochs in (6, 4))
        assert four.config == longer
        assert (four.parameters.tobytes() == six.parameters.tobytes()) == (kind == "constant")
        assert len(rates) == 2
        assert rates == [
            float(row.split(",")[1]) for row in Path(f"{kind}6/metrics.csv").read_text().splitlines()[5:]
        ] or (kind == "cosine")


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", None])
def test_a_damaged_checkpoint_is_said_and_the_one_before_taken(
    config: Config, whole: dict[str, bytes], damage: bytes | None
) -> None:
    stopped(config, Path("run"), 57)
    if damage is None:
        Path("run", LAST).unlink()
    else:
        Path("run", LAST).write_bytes(damage)
    events = resumed(Path("run"))
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert notice.text.startswith("run/last.npz: ")
    assert notice.text.endswith("; going on from previous.npz, the checkpoint before")
    assert events[0] == Started(Path("run"), 200, 400, 785 * 6 + 70, 20, 10, 5, 0)
    assert contents(Path("run")) == whole


def test_a_damaged_best_network_is_made_again(config: Config, whole: dict[str, bytes]) -> None:
    for damage in (b"damaged", whole["best.npz"]):
        run = Path(f"run{len(damage)}")
        stopped(config, run, 57)
        (run / "best.npz").write_bytes(damage)
        resumed(run)
        assert contents(run) == whole


def test_two_damaged_checkpoints_are_the_end(config: Config) -> None:
    stopped(config, Path("run"), 57)
    for name in (LAST, PREVIOUS):
        Path("run", name).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=r"run/last\.npz: not a checkpoint of bpcli, or damaged"):
        resumed(Path("run"))
    assert names(Path("run")) >= {LAST, PREVIOUS}


def test_a_network_alone_is_no_run(config: Config) -> None:
    stopped(config, Path("run"), 57)
    Path("run", LAST).write_bytes(Path("run/best.npz").read_bytes())
    with pytest.raises(CheckpointError, match="holds a network, but not what is needed to go on"):
        resumed(Path("run"))


@pytest.mark.parametrize(
    ("file", "overrides", "complaint"),
    [
        (
            "optimizer: {momentum: 0.5}",
            [],
            "momentum = 0.5, but the run was trained with 0.9; to change it from here on",
        ),
        (None, ["model.hidden=[7]"], "model.hidden can't change in a run"),
        (
            None,
            ["train.batch_size=21"],
            "train.batch_size can't change within an epoch; the run was saved after step 7",
        ),
        (None, ["seed=4"], "seed can't change within an epoch"),
        (None, ["data.outliers=9"], "data.outliers can't change within an epoch"),
        (None, ["data.hands=9"], "data.hands can't change within an epoch"),
        (None, ["data.printed=9"], "data.printed can't change within an epoch"),
        (None, ["data.kind=any"], "data.kind can't change in a run"),
        (None, ["train.epochs=5"], "train.epochs = 5: the run is already in epoch 6"),
        (None, ["train.epoch=9"], "-s train.epoch=9: unknown key train.epoch; did you mean train.epochs?"),
    ],
)
def test_other_changes_are_refused(config: Config, file: str | None, overrides: list[str], complaint: str) -> None:
    stopped(config, Path("run"), 57)
    if file:
        Path("other.yaml").write_text(configuration.to_yaml(config).replace("momentum: 0.9", "momentum: 0.5"))
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    with pytest.raises(ConfigError) as caught:
        resumed(Path("run"), basis="other.yaml" if file else None, overrides=overrides)
    assert complaint in str(caught.value)
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == before


def test_an_edited_configuration_is_refused(config: Config) -> None:
    stopped(config, Path("run"), 57)
    path = Path("run/config.yaml")
    path.write_text(path.read_text().replace("momentum: 0.9", "momentum: 0.5"))
    with pytest.raises(ConfigError, match=r"run/config\.yaml: optimizer\.momentum = 0\.5, but the run was trained"):
        resumed(Path("run"))
    events = resumed(Path("run"), overrides=["optimizer.momentum=0.5"])
    assert Notice("optimizer.momentum = 0.5 from here on, 0.9 before") in events
    assert path.read_text().startswith("# from epoch 6, step 8: optimizer.momentum = 0.5 from here on, 0.9 before\n")
    assert checkpoint.load(Path("run", LAST)).config.optimizer.momentum == 0.5
    assert not any(isinstance(event, Notice) for event in resumed(Path("run")))
    assert path.read_text().count("# from epoch") == 1


def test_another_environment_is_said(config: Config) -> None:
    stopped(config, Path("run"), 57)
    path = Path("run", LAST)
    saved = checkpoint.load(path)
    other = checkpoint.of_state(config, saved.spec, saved.state(), {**saved.environment, "workers": 7, "NumPy": "1.0"})
    checkpoint.save(other, path)
    told = [event.text for event in resumed(Path("run")) if isinstance(event, Notice)]
    assert [text.partition(";")[0] for text in told] == [
        "workers: 7 when the run was saved, 1 now", f"NumPy: 1.0 when the run was saved, {numpy_version()} now",
    ]  # fmt: skip


def numpy_version() -> str:
    from importlib.metadata import version

    return version("numpy")


def test_metrics_are_mended(config: Config, whole: dict[str, bytes]) -> None:
    stopped(config, Path("run"), 57)
    with Path("run/metrics.csv").open("a") as file:
        file.write("6,0.1,0.5,0.9,0.5,0.9,1.0\n\x00\x007,0.1,0")
    resumed(Path("run"))
    assert contents(Path("run")) == whole


def test_the_command_goes_on(bpcli: Callable[..., Result], trained: Path) -> None:
    again = bpcli("train", "--resume")
    assert again.exit_code == 0
    assert "going on after epoch 2" in again.stderr
    longer = bpcli("train", "--resume", trained, "--epochs", "3", "--json")
    assert longer.exit_code == 0
    assert "Warning: train.epochs = 3 from here on, 2 before\n" in longer.stderr
    assert '"epochs":3' in longer.stdout
    assert bpcli("train", "--resume", "-q", "-c", "default").exit_code == ConfigError.exit_code
    assert bpcli("train", "--resume", "-o", "other").exit_code == 2
    assert bpcli("train", "--resume", "nowhere").exit_code == CheckpointError.exit_code


def test_a_shorter_run(bpcli: Callable[..., Result], small_settings: list[str]) -> None:
    settings = [part for setting in small_settings for part in ("-s", setting)]
    assert '"epochs":1' in bpcli("train", "--json", "--epochs", "1", *settings).stdout


def test_a_loop_that_is_left_goes_on_with_several_workers(config: Config) -> None:
    data = run_data.read(config)
    states: list[State] = []
    for pause in (False, True):
        state = first_state(config, data.spec)
        for _ in range(25 if pause else 0):
            events = train(config, state, data, ThreadGroup(2))
            next(events)
            events.close()
        for _ in train(config, state, data, ThreadGroup(2)):
            pass
        states.append(state)
    assert states[0].parameters.tobytes() == states[1].parameters.tobytes()


def test_within_an_epoch_a_run_wants_as_many_images_as_before(config: Config) -> None:
    stopped(config, Path("run"), 57)
    complaint = "200 training images, but the run was saved within epoch 6 over 150; that epoch can't end with others"
    before = of_fewer_images(Path("run", LAST))
    with pytest.raises(DataError, match=f"{complaint}$"):
        resumed(Path("run"))
    assert Path("run", LAST).read_bytes() == before


def test_between_epochs_a_run_takes_the_images_there_are(config: Config) -> None:
    short = configuration.override(config, ["train.epochs=1"])
    list(recorded_training(short, "x", Path("run"), fs=QUICK))
    of_fewer_images(Path("run", LAST))
    told = [event.text for event in resumed(Path("run"), overrides=["train.epochs=2"]) if isinstance(event, Notice)]
    assert told[1].startswith("training images: 150 when the run was saved, 200 now; ")


def of_fewer_images(path: Path) -> bytes:
    """Has a checkpoint say that it was trained on 150 images; return its content."""
    saved = checkpoint.load(path)
    said = {**saved.environment, "training images": 150}
    checkpoint.save(checkpoint.of_state(saved.config, saved.spec, saved.state(), said), path)
    return path.read_bytes()
