"""What more workers would take, reckoned from what few take."""

import pytest

from benchmarks.workers import reckoned


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 16])
def test_a_time_of_two_parts_is_found_again(workers: int) -> None:
    def seconds(count: int) -> float:
        return 0.3 + 6 / count

    assert reckoned({1: seconds(1), 2: seconds(2), 4: seconds(4)}, workers) == pytest.approx(seconds(workers))
