"""What `bpcli train` shows on stderr meanwhile: a bar of the whole run, a table of the epochs, and warnings."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, NoReturn

from bpcli.cli.output import percent, say, silence, warn
from bpcli.data.folder.remarks import Preparing, Remarks
from bpcli.inference.evaluation import Score
from bpcli.storage.run_folder import REFUSED
from bpcli.training import events
from bpcli.training.events import DeadUnits, EpochEnd, Event, MemberStarted, PicturesRead, SeriesStarted, Started, Step

if TYPE_CHECKING:
    from tqdm import tqdm

STYLES = ("bar", "lines", "none")
MANY = 20  # epochs; of a longer run, only some have a line above the bar

_NAMED = 3  # epochs in which dead units fired last that are named

_HEADER = """\
{0:>{width}}          training          validation  learning            best
{1:>{width}}      loss  accuracy      loss  accuracy      rate  seconds  epoch"""
_LOSS = 8  # characters that there is room for
_ROW = "{0:>{width}}  {1:>8}  {2:>8}  {3:>8}  {4:>8}  {5:>8.3g}  {6:>7.2f}  {7:>5}"
_BAR = "{desc} {percentage:3.0f}%|{bar}| {remaining} to go, {rate_noinv_fmt}{postfix}"


class ProgressReporter:
    """Reports a run or a series on stderr.

    Args:
        style: `bar`: a bar of the whole run, and lines of at most some twenty epochs; `lines`: a line for each epoch;
            `none`: warnings only. By default a bar on a terminal, elsewhere lines. The time to go is that until the
            last epoch; a run whose patience ends has less.
    """

    def __init__(self, style: str | None = None) -> None:
        self._style = style or ("bar" if sys.stderr.isatty() else "lines")
        self._screen, self._said = Screen(), set[str]()
        self._run, self._in_series = "", False
        self._first = self._epochs = 0
        self._held: EpochEnd | None = None

    def handle(self, event: Event) -> None:
        """Report an event."""
        if self._style != "none":
            self._show(event)
        if isinstance(event, events.Notice):
            self._screen.above(lambda: warn(event.text))
        elif isinstance(event, events.Finished) and event.warning:
            self._screen.above(lambda: warn(event.warning))
        elif isinstance(event, events.PicturesRead):
            for text in picture_warnings(event.remarks):
                self._warn_once(text)

    def close(self) -> None:
        """Remove the bar from the screen, and say how the last epoch was if that hasn't been said."""
        self._screen.end_bar()
        self._say_held()

    def _show(self, event: Event) -> None:
        match event:
            case events.Step():
                self._step(event)
            case events.EpochEnd():
                self._epoch(event)
            case Preparing():
                self._prepare(event)
            case events.PicturesRead():
                self._screen.end_bar()
                self._say_once("\n".join(picture_lines(event)))
            case events.Started():
                self._begin(event)
            case events.Finished():
                self.close()
                if event.dead and event.dead.count:
                    self._say(died(event.dead))
            case events.Tested() if self._in_series:
                self._say(f"test accuracy {percent(event.test.accuracy)}")
            case events.SeriesStarted():
                self._begin_series(event)
            case events.MemberStarted():
                self._begin_member(event)

    def _prepare(self, event: Preparing) -> None:
        if event.done == 0:
            self._say(f"preparing {event.total:,} pictures")
            if self._style == "bar":
                self._screen.begin_bar(0, event.total, "pictures", "pictures")
        self._screen.move_bar(event.done, "pictures", "")

    def _begin_series(self, event: SeriesStarted) -> None:
        self._in_series = True
        if event.finished:
            self._say(f"{len(event.finished)} of the {len(event.seeds)} runs are finished")

    def _begin_member(self, event: MemberStarted) -> None:
        self._run = f"run {event.number} of {event.count}, "
        self._say(f"{self._run}seed {event.seed}")

    def _begin(self, event: Started) -> None:
        if event.start:
            self._say_once(f"starting from {event.start['name']}, SHA-256 {event.start['sha256']}")
        self._say_once(
            f"training on {event.training:,} images, validating on {event.validation:,}; "
            f"{event.parameters:,} parameters"
        )
        if event.epoch or event.step:
            self._say(f"going on after epoch {event.epoch}" + f" and {event.step} steps of the next" * bool(event.step))
        self._first, self._epochs = event.epoch, event.epochs
        if self._style == "bar" and event.epoch < event.epochs:
            done = event.epoch * event.steps + event.step
            self._screen.begin_bar(done, event.epochs * event.steps, self._place(event.epoch))

    def _step(self, event: Step) -> None:
        done = event.epoch * event.steps + event.step + 1
        self._screen.move_bar(done, self._place(event.epoch), f"loss {_loss(event.loss)}")

    def _place(self, epoch: int) -> str:
        """Return where the run is, for people."""
        return f"{self._run}epoch {_of(epoch, self._epochs)}"

    def _epoch(self, event: EpochEnd) -> None:
        self._held = event
        if self._style == "lines" or event.epoch == self._first or (event.epoch + 1) % stride(event.epochs) == 0:
            self._say_held()

    def _say_held(self) -> None:
        """Say how the last epoch was, unless that has been said."""
        if self._held:
            self._say_once(header(self._held.epochs))
            self._say(row(self._held))
            self._held = None

    def _say_once(self, text: str) -> None:
        """Say what is the same for each run of a series."""
        if text not in self._said:
            self._said.add(text)
            self._say(text)

    def _warn_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._screen.above(lambda: warn(text))

    def _say(self, text: str) -> None:
        self._screen.above(lambda: say(text))


class Screen:
    """Stderr, with a bar as its last line. Once the terminal is gone, nothing is drawn."""

    _bar: "tqdm[NoReturn] | None" = None

    def begin_bar(self, done: int, total: int, text: str, unit: str = "batches", form: str = _BAR) -> None:
        """Draw a bar of which `done` of `total` units were done before; the rate is the mean over those that follow.

        Validations and checkpoints lower this mean, and so count in the time to go.
        """
        from tqdm import tqdm

        def draw() -> None:
            self._bar = tqdm(
                desc=text, initial=done, total=total, unit=f" {unit}", bar_format=form, leave=False, dynamic_ncols=True,
                smoothing=0, miniters=1,
            )  # fmt: skip

        self._draw(draw)

    def move_bar(self, done: int, text: str, postfix: str, total: int | None = None) -> None:
        """Fill the bar so far, if there is one; change its end to `total`, if that is given."""
        if bar := self._bar:
            bar.total = total or bar.total
            bar.set_description_str(text, refresh=False)
            bar.set_postfix_str(postfix, refresh=False)
            self._draw(lambda: bar.update(done - bar.n))

    def above(self, speak: Callable[[], None]) -> None:
        """Let something be printed above the bar."""
        if self._bar:
            self._draw(self._bar.clear)
        speak()
        if self._bar:
            self._draw(self._bar.refresh)

    def end_bar(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            with suppress(OSError):
                self._bar.close()
            self._bar = None

    def _draw(self, draw: Callable[[], object]) -> None:
        try:
            draw()
        except OSError:  # the terminal is gone
            silence()
            self.end_bar()


def picture_lines(event: PicturesRead) -> Iterator[str]:
    """Yield the lines of a table of the classes and their pictures, and what was skipped."""
    total = [sum(column) for column in zip(*event.counts, strict=True)]
    rows = [*zip(event.classes, event.counts, strict=True), ("all", total)]
    width = max(len(name) for name, _ in rows)
    yield f"{'class':{max(width, 5)}}  training  validation      test"
    for name, (training, validation, test) in rows:
        yield f"{name:{max(width, 5)}}  {training:8,}  {validation:10,}  {test:8,}"
    skipped = {"hidden": event.remarks.hidden, "not called like pictures": event.remarks.others}
    if told := ", ".join(f"{count:,} {what}" for what, count in skipped.items() if count):
        yield f"skipped: {told}"


def picture_warnings(remarks: Remarks) -> Iterator[str]:
    """Yield what speaks against a folder of pictures, in lines."""
    if refused := remarks.refused:
        file, reason = refused[0]
        others = f"; {len(refused) - 1:,} more in {REFUSED} of the run" if len(refused) > 1 else ""
        yield f"can't use {file}: {reason}{others}"
    yield from remarks.warnings


def stride(epochs: int) -> int:
    """Return how many epochs apart lines are, so that a run has at most `MANY` of them: 1, 2, 5, 10, 20 and so on."""
    steps = (int(digit + "0" * zeros) for zeros, digit in product(range(len(str(epochs))), "125"))
    return next(step for step in steps if epochs <= MANY * step)


def header(epochs: int) -> str:
    """Return the two lines above the rows of a run of so many epochs."""
    return _HEADER.format("", "epoch", width=_width(epochs))


def row(end: EpochEnd) -> str:
    """Return the line of an epoch; its columns are those of `header`. The losses and accuracies are as in metrics.csv.

    `best epoch` is the first epoch with the best validation accuracy so far.
    """
    best = end.best_epoch + 1 if end.validation else "-"
    scores = (*_score(end.train), *_score(end.validation))
    return _ROW.format(
        _of(end.epoch, end.epochs), *scores, end.learning_rate, end.seconds, best, width=_width(end.epochs)
    )


def died(dead: DeadUnits) -> str:
    """Return how many units are dead, and when they fired last: the three epochs with most of them."""
    most = sorted(dead.last_fired, key=lambda epoch: (-dead.last_fired[epoch], epoch))[:_NAMED]
    when = [f"{dead.last_fired[epoch]:,} {f'in epoch {epoch}' if epoch else 'never'}" for epoch in sorted(most)]
    if rest := dead.count - sum(dead.last_fired[epoch] for epoch in most):
        when.append(f"{rest:,} in others")
    return (
        f"{dead.count:,} of {dead.units:,} hidden units are dead: no training image of the last epoch made them fire; "
        f"they fired last: {', '.join(when)}"
    )


def _of(epoch: int, epochs: int) -> str:
    return f"{epoch + 1:{len(str(epochs))}}/{epochs}"


def _width(epochs: int) -> int:
    return max(len("epoch"), len(_of(0, epochs)))


def _score(score: Score | None) -> tuple[str, str]:
    return (_loss(score.loss), percent(score.accuracy)) if score else ("-", "-")


def _loss(loss: float) -> str:
    """Return a loss in at most `_LOSS` characters."""
    text = f"{loss:.4f}"
    return text if len(text) <= _LOSS else f"{loss:.1e}"
