from math import cos, pi

import pytest

from bpcli.core.schedules import Schedule, rate


def test_steps_fall_at_the_start_of_each_milestone() -> None:
    schedule = Schedule("steps", 20, milestones=(8, 12), factor=0.1)
    rates = [rate(schedule, epoch, 195, 196) for epoch in (0, 7, 8, 11, 12, 19)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_constant_stays() -> None:
    assert {rate(Schedule("constant", 5), epoch, 3, 10) for epoch in range(5)} == {1.0}


def test_cosine_goes_from_one_to_zero() -> None:
    schedule = Schedule("cosine", 4)
    assert rate(schedule, 0, 0, 10) == 1
    assert rate(schedule, 2, 0, 10) == pytest.approx(0.5)
    assert rate(schedule, 3, 9, 10) == pytest.approx((1 + cos(pi * 39 / 40)) / 2)


def test_linear_falls_evenly_to_zero() -> None:
    schedule = Schedule("linear", 3, warmup=1)
    rates = [rate(schedule, epoch, step, 4) for epoch in range(3) for step in range(4)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])


@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_a_warmup_may_be_a_part_of_an_epoch(kind: str) -> None:
    schedule = Schedule(kind, 1, warmup=0.25)
    rates = [rate(schedule, 0, step, 20) for step in range(20)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert rates[5:] == pytest.approx([rate(Schedule(kind, 3), step // 5, step % 5, 5) for step in range(15)])


@pytest.mark.parametrize("kind", ["constant", "steps", "cosine", "linear"])
def test_warmup_grows_linearly_to_the_full_rate(kind: str) -> None:
    schedule = Schedule(kind, 10, milestones=(5,), factor=0.5, warmup=2)
    rates = [rate(schedule, epoch, step, 4) for epoch in range(2) for step in range(4)]
    assert rates == pytest.approx([n / 8 for n in range(1, 9)])
    assert rate(schedule, 2, 0, 4) == 1
