"""What TensorBoard shows, as its messages: scalars, histograms, pictures and texts with their tags, in events.

Messages: event.proto, summary.proto and tensor.proto of https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
"""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpcli.storage import protobuf
from bpcli.storage.protobuf import data, float32, float64, integer, packed_float64

BARS = 30  # of a histogram
_VERSION = "brain.Event:2"  # readers heed `restart` from this version on
_STEP, _SUMMARY, _VALUE, _TAG = 2, 5, 1, 1  # numbers of fields
_START, _GREY, _STRING, _TENSOR = 1, 1, 7, 2  # values of SessionLog.status, Image.colorspace, dtype and data_class


def scalar(tag: str, value: float) -> bytes:
    """Return a number as a value; beyond the range of float32, which the format has, it is infinite."""
    with np.errstate(over="ignore"):
        return data(_TAG, tag) + float32(2, float(np.float32(value)))


def histogram(tag: str, values: NDArray[Any]) -> bytes:
    """Return the histogram of some finite numbers as a value."""
    numbers = values.ravel(order="K").astype(np.float64)  # in the order of memory, or copying takes the longest
    counts, edges = np.histogram(numbers, BARS)
    message = (
        float64(1, numbers.min())
        + float64(2, numbers.max())
        + float64(3, numbers.size)
        + float64(4, numbers.sum())
        + float64(5, float(np.vdot(numbers, numbers)))
        + packed_float64(6, edges[1:])
        + packed_float64(7, counts)
    )
    return data(_TAG, tag) + data(5, message)


def picture(tag: str, png: bytes) -> bytes:
    """Return a grey PNG as a value."""
    width, height = struct.unpack_from(">II", png, 16)  # in the first chunk, which follows the signature
    return data(_TAG, tag) + data(4, integer(1, height) + integer(2, width) + integer(3, _GREY) + data(4, png))


def text(tag: str, markdown: str) -> bytes:
    """Return a text as a value."""
    tensor = integer(1, _STRING) + data(2, b"") + data(8, markdown)
    return data(_TAG, tag) + data(8, tensor) + data(9, data(1, data(1, "text")) + integer(4, _TENSOR))


def event(seconds: float, step: int, *values: bytes) -> bytes:
    """Return the event that holds some values of a step, at a time in seconds since 1970."""
    return _event(seconds, step, data(_SUMMARY, b"".join(data(_VALUE, value) for value in values)))


def opening(seconds: float) -> bytes:
    """Return the event with which a file begins."""
    return _event(seconds, 0, data(3, _VERSION))


def restart(seconds: float, step: int) -> bytes:
    """Return the event that makes a reader forget whatever it has read of a step and those after it."""
    return _event(seconds, step, data(7, integer(1, _START)))


def _event(seconds: float, step: int, content: bytes) -> bytes:
    return float64(1, seconds) + integer(_STEP, step) + content


def step_and_tags(message: bytes) -> tuple[int, list[str]]:
    """Return the step of an event, and the tags of its values.

    Raises:
        ValueError: it is no event.
    """
    found = dict(protobuf.fields(message))
    step, summary = found.get(_STEP, 0), found.get(_SUMMARY, b"")
    if isinstance(step, bytes) or isinstance(summary, int):
        raise ValueError("not an event")
    return step, list(_tags(summary))


def _tags(summary: bytes) -> Iterator[str]:
    for _, value in protobuf.fields(summary):
        tag = dict(protobuf.fields(value)).get(_TAG) if isinstance(value, bytes) else None
        if not isinstance(tag, bytes):
            raise ValueError("not a summary")
        yield tag.decode()
