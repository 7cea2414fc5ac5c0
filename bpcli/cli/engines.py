"""Who carries the runs of a series or a search: this process, workers here, or the workers of a scheduler."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bpcli.cli.output import say
from bpcli.errors import ClusterError

if TYPE_CHECKING:
    from bpcli.cluster.engine import Engine

F = TypeVar("F", bound=Callable[..., Any])
ADDRESS = "DASK_SCHEDULER_ADDRESS"  # the environment variable that Dask's own programs read
MOST = 256  # workers on this machine


def carried_by(command: F) -> F:
    """Add the options --workers and --scheduler, from which `engine` makes an engine."""
    workers = click.option(
        "--workers", type=click.IntRange(1, MOST), metavar="N",
        help="Train so many runs at a time, each in a process of its own on this machine.",
    )  # fmt: skip
    scheduler = click.option(
        "--scheduler", metavar="ADDRESS",
        help="Let the workers of a Dask cluster train, such as tls://host:8786; without --workers, the address in "
        f"{ADDRESS} is used.",
    )  # fmt: skip
    return workers(scheduler(command))


def address_of(workers: int | None, scheduler: str | None) -> str | None:
    """Return the address of the scheduler to use; None for none. Say so if the environment names it.

    Raises:
        click.UsageError: both options are given.
    """
    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers are processes here, --scheduler is a cluster that stands; give one of them")
    if workers is None and scheduler is None and (found := os.environ.get(ADDRESS)):
        say(f"{ADDRESS} names a scheduler: its workers train, as with --scheduler {found}")
        return found
    return scheduler


@contextmanager
def engine(workers: int | None, address: str | None) -> Iterator["Engine"]:
    """Yield the engine; without workers and address, this process.

    Raises:
        ClusterError: packages are missing, or there are no workers that fit.
    """
    if workers is None and address is None:
        from bpcli.cluster.engine import InProcess

        with closing(InProcess()) as here:
            yield here
        return
    require("distributed", "--workers" if address is None else "--scheduler")
    from bpcli.cluster import by_dask

    with by_dask.remote(address) if address is not None else by_dask.local(workers or 1) as found:
        say(f"{found.name} train, {found.size} runs at a time")
        yield found


def require(package: str, what: str) -> None:
    """Raise an error if a package is missing, before work begins.

    Raises:
        ClusterError: it is; the message says how to install it.
    """
    if find_spec(package) is None:
        raise ClusterError(f"{what} needs {package}; install it with: pip install {package}")
