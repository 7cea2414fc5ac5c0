import pytest

from bpcli import machine


@pytest.mark.parametrize(
    ("path", "posix", "windows"),
    [
        (r"runs\default-1", r"'runs\default-1'", r"runs\default-1"),
        ("my runs/a", "'my runs/a'", '"my runs/a"'),
        ("runs/a-1", "runs/a-1", "runs/a-1"),
    ],
)
def test_a_path_is_one_word_of_a_command(path: str, posix: str, windows: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_WINDOWS", False)
    assert machine.quote(path) == posix
    monkeypatch.setattr(machine, "_WINDOWS", True)
    assert machine.quote(path) == windows


def test_memory_and_processors_are_known_on_every_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sched_getaffinity", "sysconf"):
        monkeypatch.delattr(machine.os, name, raising=False)  # type: ignore[attr-defined]
    assert machine.usable_cores() >= 1
    assert machine.memory() == 1 << 62
