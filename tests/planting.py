"""Mistakes planted into the production code: a line of a function's own source is replaced by a wrong one."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pytest


def plant(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, right: str, wrong: str) -> None:
    """Replaces a piece of a function, which must stand in it exactly once."""
    function: Callable[..., Any] = inspect.unwrap(getattr(owner, name))
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(right) == 1, f"{name} does not have {right!r} once"
    names: dict[str, Any] = dict(function.__globals__)
    exec(compile(source.replace(right, wrong), f"<{name} with a mistake>", "exec"), names)
    monkeypatch.setattr(owner, name, names[name])
