"""The errors that a user can cause, each with the exit code of the command that it ends.

The library raises them; one place in `bpcli.cli` prints their message as one line on stderr. Any other exception is a
bug and keeps its traceback (exit code 1).
"""

from typing import ClassVar


class BpcliError(Exception):
    """Base class: the message is one line that says what is wrong and what would be right."""

    exit_code: ClassVar[int] = 1


class BpcliWarning(UserWarning):
    """What a caller of the Python interface should know, where the command line prints a warning."""


class ArgumentError(BpcliError):
    """An argument of the command line that makes no sense, such as a malformed expression."""

    exit_code = 2


class ConfigError(BpcliError):
    """A configuration, preset or override that is unknown, malformed or outside its limits."""

    exit_code = 3


class DataError(BpcliError):
    """A data file that is missing or has the wrong content."""

    exit_code = 4


class ImageError(BpcliError):
    """A picture that is missing, can't be read or shows no digit."""

    exit_code = 5


class CheckpointError(BpcliError):
    """A checkpoint or run that is missing, damaged or of another network."""

    exit_code = 6


class TrainingError(BpcliError):
    """A training run that can't continue, such as one whose loss is no longer finite."""

    exit_code = 7


class OutputError(BpcliError):
    """A file or folder that can't be written."""

    exit_code = 8


class BusyError(BpcliError):
    """A run's folder that another process is writing to."""

    exit_code = 9


class ClusterError(BpcliError):
    """Workers or a scheduler that can't be reached, don't fit, or fell away; or packages for them that are missing."""

    exit_code = 10
