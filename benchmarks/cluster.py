"""What workers gain, what the coordinator costs, and what a search finds.

python benchmarks/cluster.py workers [--times N]      two workers beside one after another, one thread each, in turn
python benchmarks/cluster.py coordinator [--trials N] the coordinator's own work for simulated trials of no work
python benchmarks/cluster.py search [--workers N]     a search in the epochs of ten runs; five fresh seeds of its best
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory

from bpcli import config as configuration
from bpcli.cluster.task import Done, Reported, Task
from bpcli.config import Config
from bpcli.data.spec import MNIST
from bpcli.search import tpe
from bpcli.search.run import recorded_search
from bpcli.storage import checkpoint, metrics_csv
from bpcli.storage.search_file import Choice, Range, Search
from bpcli.strict_yaml import parse_yaml
from bpcli.training import builders

RUN = ["-s", "train.threads=1", "-s", "model.hidden=[256]"]
SEARCHED = """\
set: {model.hidden: [256]}
trials: 28
rungs: [1, 3]
space:
  optimizer.learning_rate: {min: 0.01, max: 1.0, log: true}
  train.batch_size: {min: 32, max: 512, log: true}
  model.dropout: {min: 0.0, max: 0.4}
  schedule.kind: {values: [steps, cosine]}
  data.deslant: {values: [false, true]}
"""


def bpcli(*arguments: str, folder: str) -> str:
    """What a command line prints."""
    command = [sys.executable, "-m", "bpcli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def workers(times: int) -> None:
    """Time a series of eight runs with two workers and without, in turn."""
    ratios = []
    for _ in range(times):
        took = {}
        for name, options in (("alone", []), ("workers", ["--workers", "2"])):
            with TemporaryDirectory() as folder:
                start = time.perf_counter()
                bpcli("train", "-q", "--seeds", "0..7", "--epochs", "20", *RUN, *options, folder=folder)
                took[name] = time.perf_counter() - start
        ratios.append(took["workers"] / took["alone"])
        print(f"alone {took['alone']:.1f} s, two workers {took['workers']:.1f} s: {ratios[-1]:.2f}", flush=True)
    print(f"the median of {times} ratios: {sorted(ratios)[times // 2]:.2f}")


class Simulated:
    """An engine whose trials take no work; it notes the time in which it makes their files."""

    size, name = 4, "nobody"

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self.seconds = 0.0

    def submit(self, task: Task) -> None:
        """Put a task under way."""
        self._tasks.append(task)

    def next(self, should_stop: Callable[[], bool]) -> Reported | Done | None:
        """Return the result of the oldest task."""
        start = time.process_time()
        task = self._tasks.pop(0)
        config = configuration.from_tree(parse_yaml(task.files["config.yaml"], task.name), task.name)
        done = Done(task.name, _files(config, task))
        self.seconds += time.process_time() - start
        return done


def _files(config: Config, task: Task) -> dict[str, bytes]:
    """Return the files of a run of this configuration, as if it had been trained."""
    epochs, rate = task.pause or config.train.epochs, config.optimizer.learning_rate
    accuracy = [1 - (abs(math.log(rate / 0.1)) + 1 / epoch) / 10 for epoch in range(1, epochs + 1)]
    rows = [f"{n},{rate:g},0.1,0.9,0.1,{value:.6g},0.1" for n, value in enumerate(accuracy, 1)]
    state = builders.first_state(config, MNIST)
    state.epoch, state.best_epoch, state.best_accuracy = epochs, epochs - 1, accuracy[-1]
    state.metrics = state.best_metrics = {"validation_accuracy": accuracy[-1]}
    files = {
        "config.yaml": task.files["config.yaml"],
        "metrics.csv": "".join(f"{row}\n" for row in (",".join(metrics_csv.COLUMNS), *rows)).encode(),
        "best.npz": checkpoint.to_bytes(checkpoint.of_best(config, MNIST, state, {})),
        "last.npz": checkpoint.to_bytes(checkpoint.of_state(config, MNIST, state, {})),
    }
    ended = {"epochs": epochs, "best_epoch": epochs, "validation_accuracy": accuracy[-1]}
    return files | ({} if task.pause else {"result.json": json.dumps(ended).encode()})


def coordinator(trials: int) -> None:
    """Measure the coordinator's processor time and memory for simulated trials."""
    config = configuration.load("default", ["model.hidden=[2]"])
    space: dict[str, Range | Choice] = {
        "optimizer.learning_rate": Range(0.005, 1.0, log=True), "train.batch_size": Range(32, 512, log=True),
        "model.activation": Choice(("relu", "tanh")),
    }  # fmt: skip
    search = Search(config, "validation_accuracy", trials, (1, 3), 0, space)
    engine = Simulated()
    with TemporaryDirectory() as folder:
        before, start = time.process_time(), time.perf_counter()
        for _ in recorded_search(search, Path(folder, "s"), engine, tpe.sample):
            pass
        own, wall = time.process_time() - before - engine.seconds, time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{trials} trials: {1000 * own / trials:.1f} ms of own work a trial ({wall:.0f} s in all), {memory:.0f} MiB")


def search(count: int | None) -> None:
    """Search 784-256-10 in the epochs of ten runs; compare the best with the default on five fresh seeds."""
    options = [] if count is None else ["--workers", str(count)]
    with TemporaryDirectory() as folder:
        Path(folder, "space.yaml").write_text(SEARCHED)
        print(bpcli("search", "space.yaml", "-q", "-o", "s", *options, folder=folder), flush=True)
        best = ["-c", str(Path(folder, "s/best/config.yaml"))]
        found = {
            name: _validation(folder, name, *given, *options)
            for name, given in {"best": best, "default": ["-s", "model.hidden=[256]"]}.items()
        }
    for name, values in found.items():
        print(f"{name}: {100 * mean(values):.3f} % ± {100 * _error(values):.3f} % on seeds 1..5: {values}")
    error = math.hypot(*map(_error, found.values()))
    gain = mean(found["best"]) - mean(found["default"])
    print(f"gain {100 * gain:.3f} %, {gain / error:.1f} standard errors")


def _validation(folder: str, name: str, *options: str) -> list[float]:
    """Return the validation accuracies of five seeds that the search has not seen."""
    bpcli("train", "-q", "--seeds", "1..5", "-o", name, *options, folder=folder)
    results = (Path(folder, name, f"seed-{seed}", "result.json").read_text() for seed in range(1, 6))
    return [float(json.loads(text)["validation_accuracy"]) for text in results]


def _error(values: list[float]) -> float:
    """Return the standard error of a mean."""
    return stdev(values) / math.sqrt(len(values))


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["workers", "coordinator", "search"])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=None)
    given = parser.parse_args()
    if given.what == "workers":
        workers(given.times)
    elif given.what == "coordinator":
        coordinator(given.trials)
    else:
        search(given.workers)


if __name__ == "__main__":
    main()
