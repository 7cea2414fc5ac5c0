"""`bpcli train --seeds` from the outside, and what the other commands make of its folder."""

import json
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bpcli.errors import BusyError, CheckpointError, ConfigError
from bpcli.inference.statistics import binomial_interval
from bpcli.storage.lock import exclusive
from tests.children import child
from tests.reliability.test_kill import contents

Bpcli = Callable[..., Result]


@pytest.fixture
def small(small_settings: list[str]) -> list[str]:
    return [part for setting in [*small_settings, "train.epochs=1"] for part in ("-s", setting)]


@pytest.fixture
def series(bpcli: Bpcli, small: list[str]) -> Path:
    """The folder of a series of two, which is also the latest."""
    assert bpcli("train", "-q", "--seeds", "0,2", *small).exit_code == 0
    return Path("runs/default-1")


def test_what_is_told_and_what_comes_out(bpcli: Bpcli, small: list[str]) -> None:
    result = bpcli("train", "--seeds", "0..2", "-o", "s", *small)
    assert result.exit_code == 0
    told = result.stderr.splitlines()
    assert [line for line in told if line.startswith("run ")] == [f"run {n + 1} of 3, seed {n}" for n in range(3)]
    tested = [line.removeprefix("test accuracy ") for line in told if line.startswith("test accuracy ")]
    rows = {line[:24].strip(): line[24:].split() for line in result.stdout.splitlines()}
    assert [f"{rows[f'seed {n}'][0]} %" for n in range(3)] == tested
    errors = [int(rows[f"seed {n}"][2]) for n in range(3)]
    low, high = binomial_interval(200 - errors[0], 200)
    assert rows["seed 0"][3:] == [f"{100 * low:.2f}", "to", f"{100 * high:.2f}", "%"]
    assert rows["mean"][2] == f"{statistics.mean(errors):.1f}"
    assert rows["standard deviation"][2] == f"{statistics.stdev(errors):.1f}"
    assert (rows["fewest errors"][2], rows["most errors"][2]) == (str(min(errors)), str(max(errors)))
    assert rows["fewest errors"][0] == f"{100 - min(errors) / 2:.2f}"
    assert f"errors {rows['committee of 3'][2]} of 200" in bpcli("evaluate", "s").stdout
    assert result.stdout.endswith("the runs are in s; see them with: bpcli report s\n")


def test_json_is_one_object(bpcli: Bpcli, small: list[str]) -> None:
    found = json.loads(bpcli("train", "--seeds", "0..2", "--json", "-q", *small).stdout)
    assert list(found) == ["run", "n", "members", "groups", "mean", "sd", "min", "max", "committee", "seconds"]
    assert (found["run"], found["n"]) == ("runs/default-1", 200)
    assert [(each["seed"], each["settings"], each["run"]) for each in found["members"]] == [
        (seed, {"seed": seed}, f"runs/default-1/seed-{seed}") for seed in range(3)
    ]
    assert found["groups"] == []
    for quantity in ("errors", "accuracy"):
        values = [each[quantity] for each in found["members"]]
        assert found["mean"][quantity] == pytest.approx(statistics.mean(values))
        assert found["sd"][quantity] == pytest.approx(statistics.stdev(values))
        assert (found["min"][quantity], found["max"][quantity]) == (min(values), max(values))
    evaluated = json.loads(bpcli("evaluate", "--json").stdout)
    assert found["committee"] == {key: evaluated[key] for key in ("errors", "accuracy", "accuracy_interval")}
    for each, member in zip(found["members"], evaluated["members"], strict=True):
        assert member == {"checkpoint": f"{each['run']}/best.npz", "n": 200} | {
            key: each[key] for key in ("errors", "accuracy", "loss", "accuracy_interval")
        }


def test_one_seed_has_no_deviation(bpcli: Bpcli, small: list[str]) -> None:
    result = bpcli("train", "--seeds", "4", "-q", "-o", "s", *small)
    assert result.stderr == ""
    assert result.stdout.count("–") == 2
    assert json.loads(bpcli("train", "--resume", "s", "--json").stdout)["sd"] == {"errors": None, "accuracy": None}
    assert json.loads(bpcli("evaluate", "s", "--json").stdout)["checkpoint"] == "s/seed-4/best.npz"


def test_members_are_the_runs_of_their_seeds(bpcli: Bpcli, small: list[str], series: Path) -> None:
    bpcli("train", "-q", *small, "-s", "seed=2", "-o", "alone")
    assert contents(Path("alone")) == contents(series / "seed-2")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--seeds", "6..0"], "Error: --seeds 6..0: 6..0 ends before it begins; 0..6 has seeds\n"),
        (["--seeds", "a..b"], "Error: --seeds a..b: expected seeds such as 0..6, 0,3,5 or 4\n"),
        (["--seeds", "0..99999"], "Error: --seeds 0..99999: more than 100 seeds; a series has at most so many\n"),
        (["--vary", "seed=0,1"], "Error: --vary seed=0,1: seed can't be varied: --seeds says which seeds\n"),
        (["--vary", "data.deslant=true,yes"], "names true twice; both would be the same run\n"),
        (["--seeds", "0..50", "--vary", "data.deslant=true,false"], "Error: --vary: 2 × 51 = 102 runs; a series has "),
        (
            ["--vary", "train.epochs=1,2", "--epochs", "3"],
            "Error: --vary says which values train.epochs takes; leave out -s train.epochs=...\n",
        ),
        (["--vary", "data.deslant=true,false", "--resume", "x"], "Error: --resume goes on with the runs there are; "),
        (
            ["--seeds", "0..1", "--workers", "2", "--tensorboard", "logs"],
            "Error: --tensorboard logs what is trained here, not what workers train\n",
        ),
        (["--seeds", "0..1", "-s", " seed =3"], "Error: --seeds says which seeds; leave out -s seed=...\n"),
        (
            ["--seeds", "0..1", "--resume", "x"],
            "Error: --resume goes on with the runs there are; --seeds and --vary are ",
        ),
    ],
)
def test_what_makes_no_sense_is_usage(bpcli: Bpcli, arguments: list[str], complaint: str) -> None:
    result = bpcli("train", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("more", [["-s", "train.epochs=3"], ["--epochs", "3"], ["-c", "default"]], ids=" ".join)
def test_a_series_goes_on_as_it_was_begun(bpcli: Bpcli, series: Path, more: list[str]) -> None:
    result = bpcli("train", "--resume", series, *more)
    assert result.exit_code == 2
    assert "Error: a series goes on as it was begun; -c, -s and --epochs are for one of its runs\n" in result.stderr
    again = bpcli("train", "--resume")
    assert again.exit_code == 0
    assert again.stderr == "2 of the 2 runs are finished\n"


def test_signals_end_a_series_that_goes_on(bpcli: Bpcli, tmp_path: Path, small: list[str]) -> None:
    begin = ["--seeds", "5..6", "-o", "my series", *small, "-s", "train.epochs=100000"]
    for number, arguments in ((signal.SIGINT, begin), (signal.SIGTERM, ["--resume", "my series"])):
        with child(
            [sys.executable, "-m", "bpcli", "train", *arguments], cwd=tmp_path, stderr=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stderr is not None
            assert process.stderr.readline() == "run 1 of 2, seed 5\n"
            process.stderr.readline()
            resumed = process.stderr.readline().startswith("going on after epoch ")
            assert resumed == (arguments != begin)
            assert any("/100000 " in line for line in process.stderr)
            process.send_signal(number)
            out, told = process.communicate(timeout=60)
        assert (process.returncode, out) == (128 + number, "")
        assert told.splitlines()[-1] == f"stopped by {number.name}; go on with: bpcli train --resume 'my series'"
    result = bpcli("evaluate", "my series")
    assert result.exit_code == CheckpointError.exit_code
    assert result.stderr == (
        "Error: my series: no run of this series is finished yet; go on with: bpcli train --resume 'my series'\n"
    )


def test_a_series_of_which_a_part_is_finished(bpcli: Bpcli, small: list[str], series: Path) -> None:
    whole, kept = bpcli("evaluate").stdout, contents(series / "seed-2")
    shutil.rmtree(series / "seed-2")
    (series / "seed-2").mkdir()
    file = series / "series.yaml"
    file.write_text(file.read_text().replace("finished: [0, 2]", "finished: [0]"))
    partial = bpcli("evaluate", series)
    assert partial.stderr == "runs/default-1: 1 of the 2 runs of this series are finished\n"
    assert partial.stdout.startswith("runs/default-1/seed-0/best.npz on the test split\n")
    again = bpcli("train", "--resume")
    assert again.exit_code == 0
    assert again.stderr.splitlines()[:2] == ["1 of the 2 runs are finished", "run 2 of 2, seed 2"]
    assert contents(series / "seed-2") == kept
    assert bpcli("evaluate").stdout == whole


def test_another_process_has_the_series(bpcli: Bpcli, series: Path) -> None:
    with exclusive(series):
        result = bpcli("train", "--resume", series)
    assert result.exit_code == BusyError.exit_code
    assert len(result.stderr.splitlines()) == 1


def test_commands_that_need_one_network_name_them(bpcli: Bpcli, series: Path) -> None:
    result = bpcli("draw", series)
    assert (result.exit_code, result.stdout) == (CheckpointError.exit_code, "")
    assert result.stderr == (
        "Error: runs/default-1: is a series of 2 runs (seed-0, seed-2); name one of them, such as "
        "runs/default-1/seed-0\n"
    )
    assert "is a series of 2 runs" in bpcli("draw").stderr
    assert bpcli("draw", series / "seed-2").exit_code == 0


def test_predict_takes_the_latest_series(bpcli: Bpcli, series: Path) -> None:
    picture = Path(__file__).parents[1] / "pictures/7-shadow.jpg"
    picture = (
        picture if picture.exists() else next(iter(sorted((Path(__file__).parents[1] / "pictures").glob("*.png"))))
    )
    named = [bpcli("predict", "--json", "--min-score", "0", *models, picture).stdout for models in (
        [], ["-m", series], ["-m", series / "seed-0", "-m", series / "seed-2"],
    )]  # fmt: skip
    assert len(set(named)) == 1
    assert named[0] != bpcli("predict", "--json", "--min-score", "0", "-m", series / "seed-0", picture).stdout


def test_a_report_compares_the_runs_of_a_series(bpcli: Bpcli, series: Path) -> None:
    assert bpcli("report", series).stdout == "the report is in comparison.html\n"
    assert [line.split(",")[0] for line in Path("comparison.csv").read_text().splitlines()[1:]] == ["seed-0", "seed-2"]
    assert bpcli("report", "-o", "latest.html").exit_code == 0
    assert bpcli("report", "--format", "png").exit_code == 2


@pytest.fixture
def varied(bpcli: Bpcli, small: list[str]) -> Path:
    """The folder of a series of four networks of two shapes, with images as they are and upright."""
    vary = ["--vary", "model.hidden=[4],[3,2]", "--vary", "data.deslant=true,false"]
    assert bpcli("train", "-q", *vary, *without(small, "model.hidden"), "-s", "seed=5").exit_code == 0
    return Path("runs/default-1")


def without(settings: list[str], key: str) -> list[str]:
    """The options -s without that of a key."""
    return [part for each in settings[1::2] if not each.startswith(f"{key}=") for part in ("-s", each)]


VARIED = [f"hidden-{hidden}-deslant-{deslant}" for hidden in ("4", "3-2") for deslant in ("true", "false")]


def test_members_of_other_settings_are_runs_of_their_own(bpcli: Bpcli, small: list[str], varied: Path) -> None:
    settings = [*without(small, "model.hidden"), "-s", "seed=5", "-s", "model.hidden=[3,2]", "-s", "data.deslant=true"]
    bpcli("train", "-q", *settings, "-o", "alone")
    assert contents(Path("alone")) == contents(varied / "hidden-3-2-deslant-true")
    evaluated = json.loads(bpcli("evaluate", varied, "--json").stdout)
    assert [Path(each["checkpoint"]).parent.name for each in evaluated["members"]] == VARIED
    again = bpcli("train", "--resume", varied, "--json")
    assert again.stderr == "4 of the 4 runs are finished\n"
    found = json.loads(again.stdout)
    assert found["committee"] == {key: evaluated[key] for key in ("errors", "accuracy", "accuracy_interval")}
    assert [(each["seed"], each["settings"]) for each in found["members"]] == [
        (5, {"model.hidden": hidden, "data.deslant": deslant}) for hidden in ([4], [3, 2]) for deslant in (True, False)
    ]
    assert found["groups"] == []


def test_a_varied_series_that_was_stopped_goes_on(bpcli: Bpcli, varied: Path) -> None:
    kept = contents(varied / VARIED[2])
    shutil.rmtree(varied / VARIED[2])
    again = bpcli("train", "--resume")
    assert again.exit_code == 0
    told = again.stderr.splitlines()
    assert told[:2] == ["3 of the 4 runs are finished", "run 3 of 4, hidden [3, 2], deslant true"]
    assert contents(varied / VARIED[2]) == kept


def test_other_commands_name_the_varied_runs(bpcli: Bpcli, varied: Path) -> None:
    assert f"is a series of 4 runs ({', '.join(VARIED)}); name one of them" in bpcli("draw", varied).stderr
    rows = [line.split() for line in bpcli("runs").stdout.splitlines()]
    assert [row[0] for row in rows[1:]] == ["default-1", *(f"default-1/{name}" for name in VARIED)]
    networks = [[cell for cell in row if cell in ("various", "4", "3-2")][0] for row in rows[1:]]  # noqa: RUF015
    assert networks == ["various", "4", "4", "3-2", "3-2"]
    assert bpcli("report", varied).exit_code == 0
    assert [line.split(",")[0] for line in Path("comparison.csv").read_text().splitlines()[1:]] == VARIED
    with exclusive(varied / VARIED[3]):
        assert bpcli("runs", "--remove", varied, "--yes").exit_code == BusyError.exit_code


def test_settings_that_seeds_share_have_their_means(bpcli: Bpcli, small: list[str]) -> None:
    vary = ["--seeds", "0..1", "--vary", "optimizer.weight_decay=0,5"]
    result = bpcli("train", "-q", *vary, *small, "-o", "s")
    assert result.exit_code == 0
    found = json.loads(bpcli("train", "--resume", "s", "--json").stdout)
    errors = [each["errors"] for each in found["members"]]
    assert [each["settings"] for each in found["groups"]] == [{"optimizer.weight_decay": decay} for decay in (0, 5)]
    lines = result.stdout.splitlines()
    for group, two, decay in zip(found["groups"], (errors[:2], errors[2:]), ("0.0", "5.0"), strict=True):
        assert group["mean"]["errors"] == statistics.mean(two)
        assert group["sd"]["errors"] == pytest.approx(statistics.stdev(two))
        (line,) = (line for line in lines if line.startswith(f"mean of weight_decay {decay}  "))
        assert line.endswith(f" {statistics.mean(two):.1f} ± {statistics.stdev(two):.1f}")
        assert sum(line.startswith(f"weight_decay {decay}, seed ") for line in lines) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["data.deslnt=true,false"], "unknown key data.deslnt; did you mean data.deslant?"),
        (["data.deslant=true,2"], "--vary data.deslant=true,2: data.deslant = 2: expected true or false, got int"),
        (["model.hidden=[100000,100000],[10]"], "model.hidden = [100000, 100000] with train.batch_size = "),
        (["data.deslant=true,false", "--from", "pretrained"], "data.deslant = false, but pretrained, "),
    ],
)  # fmt: skip
def test_what_one_run_could_not_do_is_said_before_any_is_trained(
    bpcli: Bpcli, small: list[str], arguments: list[str], complaint: str
) -> None:
    result = bpcli("train", "--vary", *arguments, *without(small, "model.hidden"))
    assert (result.exit_code, result.stdout) == (ConfigError.exit_code, "")
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert list(Path.cwd().iterdir()) == []
