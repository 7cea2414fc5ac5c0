"""Logs for TensorBoard: what is in their files, and what a disk that is full leaves."""

import errno
import math
import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bpcli.data.sheet import contact_sheet
from bpcli.errors import OutputError
from bpcli.storage import event_log
from bpcli.storage.event_log import EventLog
from bpcli.storage.files import SYSTEM
from bpcli.storage.summaries import histogram, picture, scalar, text
from tests.storage.events import decoded, logged, messages, scalars


def test_values_are_read_as_they_were_logged(tmp_path: Path) -> None:
    values = np.array([[-2.0, 0.5, 0.5], [1.0, 3.0, 4.0]], np.float32)
    png = contact_sheet(np.zeros((1, 64), np.uint8), ["1 as 7"])
    log = EventLog(tmp_path / "new/log")
    log.add(300, scalar("a/loss", 0.25), scalar("a/huge", 1e300), histogram("h", values))
    log.add(301, picture("p", png), text("t", "größer\n"))
    log.flush()
    loss, huge, bars, sheet, words = logged(tmp_path / "new/log")
    assert [(each.tag, each.step) for each in (loss, huge, bars)] == [("a/loss", 300), ("a/huge", 300), ("h", 300)]
    assert (loss.fields[2], huge.fields[2]) == (0.25, math.inf)
    about = dict(decoded(bars.fields[5]))
    assert [about[number] for number in range(1, 6)] == [-2, 4, 6, 7, 4 + 0.5 + 1 + 9 + 16]
    limits, counts = (np.frombuffer(about[number]) for number in (6, 7))
    assert [int(count) for count in counts if count] == [1, 2, 1, 1, 1]
    assert limits[[0, -1]].tolist() == pytest.approx([-2 + 6 / 30, 4])
    assert dict(decoded(sheet.fields[4])) == {1: 104, 2: 1012, 3: 1, 4: png}
    assert Image.open(BytesIO(png)).size == (1012, 104)
    assert dict(decoded(words.fields[8]))[8].decode() == "größer\n"


def test_numbers_that_hardly_differ_have_a_histogram() -> None:
    for values in (np.zeros(3), np.array([0.1, np.nextafter(np.float32(0.1), 1)]), np.array([1e-45, 3e-45])):
        about = dict(decoded(dict(decoded(histogram("h", values.astype(np.float32))))[5]))
        assert np.frombuffer(about[7]).sum() == len(values)


def test_each_process_has_a_file_that_readers_take_after_the_earlier_ones(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        log = EventLog(tmp_path)
        log.add(step, scalar("a/loss", step))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 3
    assert all(name.startswith("events.out.tfevents.") for name in names)
    assert [each.step for each in logged(tmp_path)] == [1, 2, 3]


def test_what_will_be_logged_again_is_forgotten_with_what_was_torn_off(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    for step in (1, 2, 3):
        log.add(step, scalar("a/loss", step))
    log.flush()
    (own,) = tmp_path.iterdir()
    whole = own.read_bytes()
    own.write_bytes(whole + b"\x07torn off")
    foreign = tmp_path / "events.out.tfevents.1.other"
    foreign.write_bytes(b"of others")
    event_log.forget(tmp_path, lambda step, tag: tag == "a/loss" and step > 2)
    assert foreign.read_bytes() == b"of others"
    foreign.unlink()
    assert scalars(tmp_path, "a") == {("loss", 1): 1, ("loss", 2): 2}
    assert whole.startswith(own.read_bytes())
    event_log.forget(tmp_path / "missing", lambda step, tag: True)


def test_on_a_full_disk_nothing_is_written_after_a_torn_event(tmp_path: Path) -> None:
    room = [0]

    def write(descriptor: int, content: memoryview) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = os.write(descriptor, content[: room[0]])
        room[0] -= written
        return written

    room[0] = 1000
    log = EventLog(tmp_path, replace(SYSTEM, write=write))
    log.add(1, scalar("a/loss", 1))
    log.add(2, scalar("a/loss", 2))
    room[0] = 20
    with pytest.raises(OutputError, match="No space left on device"):
        log.flush()
    room[0] = 1000
    log.flush()
    (path,) = tmp_path.iterdir()
    event_log.forget(tmp_path, lambda step, tag: False)
    assert len(list(messages(path.read_bytes()))) == 2
