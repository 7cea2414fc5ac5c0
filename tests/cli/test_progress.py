"""What `bpcli train` shows meanwhile, by events that are made up and on a terminal that is none."""

import io
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, redirect_stderr
from itertools import count
from pathlib import Path

import pytest

from bpcli.cli.progress import MANY, ProgressReporter, died, header, row, stride
from bpcli.data.folder.remarks import Preparing, Refused, Remarks
from bpcli.inference.evaluation import Score
from bpcli.training import events
from bpcli.training.events import (
    DeadUnits,
    EpochEnd,
    Event,
    Finished,
    MemberStarted,
    Notice,
    PicturesRead,
    SeriesStarted,
    Started,
    Step,
)

STEPS = 100


class Terminal(io.TextIOWrapper):
    """Remembers what is written; fails, as one whose user has hung up, after so many writes."""

    def __init__(self, writes: float = float("inf")) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self.left, self.failed = writes, False

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.left <= 0:
            self.failed = True
            raise BrokenPipeError
        self.left -= 1
        return super().write(text)

    @property
    def seen(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()

    @property
    def lines(self) -> list[str]:
        """What stands above the last line at the end."""
        return [line.rpartition("\r")[2] for line in self.seen.split("\n")[:-1]]

    @property
    def bars(self) -> list[str]:
        """The states of the bar."""
        return [part for part in re.split("[\r\n]", self.seen) if "to go" in part]


def end(epoch: int, epochs: int, loss: float = 0.5, *, validated: bool = True) -> EpochEnd:
    score = Score(loss, 0.5)
    return EpochEnd(epoch, epochs, 1.25e-05, score, score if validated else None, 12.3, epoch)


def run(epochs: int, trained: int | None = None, first: int = 0) -> Iterator[Event]:
    """The events of a run; one with less trained than it has epochs is stopped."""
    yield Started(Path("run"), 5000, 1000, 7850, epochs, STEPS, first)
    trained = trained or epochs
    for epoch in range(first, trained):
        yield Step(epoch, STEPS - 1, STEPS, 0.25, 0.9)
        yield end(epoch, epochs)
    if trained == epochs:
        yield Finished(epochs, 0, {})
        yield events.Tested(Score(0.5, 0.5))


def report(happenings: Iterable[Event], style: str | None = None, terminal: Terminal | None = None) -> Terminal:
    """What the terminal shows after these events."""
    terminal = terminal or Terminal()
    with redirect_stderr(terminal):
        with closing(ProgressReporter(style)) as reporter:
            for event in happenings:
                reporter.handle(event)
        if sys.stderr is not terminal:
            sys.stderr.close()
    return terminal


def epochs_told(lines: list[str]) -> list[int]:
    return [int(found[1]) for line in lines if (found := re.match(r" *(\d+)/\d+ ", line))]


@pytest.mark.parametrize("epochs", [1, 10, 160, 1000, 12345])
def test_the_columns_end_where_their_names_end(epochs: int) -> None:
    def ends(line: str) -> list[int]:
        return [word.end() for word in re.finditer(r"\S+( %)?", line)]

    names = header(epochs).splitlines()[1]
    for loss in (0.0, 0.12345, 999.99996, 1234.5, 2.5e16, 3e300):
        for validated in (True, False):
            assert ends(row(end(epochs - 1, epochs, loss, validated=validated))) == ends(names)
    assert len(names) <= 80


def test_lines_stand_so_far_apart_that_there_are_few() -> None:
    assert [stride(epochs) for epochs in (1, 20, 21, 40, 41, 100, 101, 160, 200, 201, 1000, 1001)] == [
        1, 1, 2, 2, 5, 5, 10, 10, 10, 20, 50, 100,
    ]  # fmt: skip
    assert all(epochs // stride(epochs) <= MANY for epochs in range(1, 3000))


def test_above_a_bar_stand_the_first_epoch_some_and_the_last() -> None:
    terminal = report(run(160))
    assert epochs_told(terminal.lines) == [1, *range(10, 161, 10)]
    assert terminal.seen.endswith("\r")  # where the result will be printed


def test_a_run_that_is_stopped_tells_of_its_last_epoch() -> None:
    terminal = report(run(160, trained=44, first=26))
    assert epochs_told(terminal.lines) == [27, 30, 40, 44]


@pytest.mark.parametrize("style", ["lines", None])
def test_lines_tell_of_each_epoch(monkeypatch: pytest.MonkeyPatch, style: str | None) -> None:
    monkeypatch.setattr(Terminal, "isatty", lambda _: style is not None)
    terminal = report(run(160), style)
    assert epochs_told(terminal.lines) == list(range(1, 161))
    assert "\r" not in terminal.seen


def test_none_tells_of_warnings_only() -> None:
    terminal = report([*run(2), Notice("mind this")], "none")
    assert terminal.seen == "Warning: mind this\n"


def test_rate_and_time_to_go_are_those_of_the_steps_that_this_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("tqdm.std.time", lambda: now)

    def happenings() -> Iterator[Event]:
        nonlocal now
        yield Started(Path("run"), 5000, 1000, 7850, 10, STEPS, 5, 40)
        now += 10
        yield Step(5, 89, STEPS, 0.25, 0.9)  # 50 steps in 10 seconds; of 1,000 remain 410
        now += 30  # with a validation, say
        yield Step(6, 39, STEPS, 2.5e16, 0.1)  # 100 in 40 seconds; 360 remain

    terminal = report(happenings())
    first, *_, middle, last = terminal.bars
    assert first.startswith("epoch  6/10  54%|")
    assert middle.endswith("| 01:22 to go,  5.00 batches/s, loss 0.2500")
    assert last.startswith("epoch  7/10  64%|")
    assert last.endswith("| 02:24 to go,  2.50 batches/s, loss 2.5e+16")


def test_a_run_with_nothing_left_has_no_bar() -> None:
    terminal = report(run(5, first=5))
    assert terminal.bars == []
    assert terminal.lines[-1] == "going on after epoch 5"


def test_a_series_says_which_run_and_once_what_is_the_same() -> None:
    members = [[MemberStarted(seed, seed + 1, 2), *run(2)] for seed in (0, 1)]
    terminal = report([SeriesStarted(Path("s"), (0, 1), ()), *members[0], *members[1]])
    rows = [line for number in (1, 2) for line in row(end(number - 1, 2)).splitlines()]
    assert terminal.lines == [
        "run 1 of 2, seed 0", "training on 5,000 images, validating on 1,000; 7,850 parameters",
        *header(2).splitlines(), *rows, "test accuracy 50.00 %",
        "run 2 of 2, seed 1", *rows, "test accuracy 50.00 %",
    ]  # fmt: skip
    assert terminal.bars[0].startswith("run 1 of 2, epoch 1/2   0%|")
    assert terminal.bars[-1].startswith("run 2 of 2, epoch 2/2 100%|")


PICTURES = PicturesRead(
    ("cat", "a long name"), ((3, 1, 0), (1200, 2, 5)), Remarks((Refused("a.png", "is empty"),), 3, 0, ("two alike",))
)


def test_pictures_have_a_bar_of_their_own_and_then_a_table_once() -> None:
    preparing = [Preparing(done, 4) for done in range(5)]
    terminal = report([*preparing, PICTURES, PICTURES, *run(1)])
    assert terminal.lines[:8] == [
        "preparing 4 pictures",
        "class        training  validation      test",
        "cat                 3           1         0",
        "a long name     1,200           2         5",
        "all             1,203           3         5",
        "skipped: 3 hidden",
        "Warning: can't use a.png: is empty",
        "Warning: two alike",
    ]
    assert terminal.lines[8].startswith("training on")
    assert terminal.bars[0].startswith("pictures   0%|")
    assert terminal.bars[-1].startswith("epoch")
    assert report([*preparing, PICTURES, *run(1)], "none").lines == terminal.lines[6:8]


def test_a_terminal_may_go_at_any_time() -> None:
    happenings = [Notice("mind this"), Preparing(0, 2), Preparing(1, 2), PICTURES, *run(3), *run(2)]
    for writes in count():
        terminal = report(happenings, "bar", Terminal(writes))
        if not terminal.failed:
            break
    assert writes > len(terminal.lines)
    assert terminal.lines == report(happenings, "bar").lines


def test_the_dead_units_are_told_with_the_epochs_in_which_they_fired_last() -> None:
    told = died(DeadUnits(1200, {0: 2, 1: 1000, 3: 4, 5: 1}))
    assert told == (
        "1,007 of 1,200 hidden units are dead: no training image of the last epoch made them fire; "
        "they fired last: 2 never, 1,000 in epoch 1, 4 in epoch 3, 1 in others"
    )
