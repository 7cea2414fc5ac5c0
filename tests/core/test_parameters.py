import numpy as np
import pytest

from bpcli.core import parameters


def test_the_default_network_has_814090_parameters() -> None:
    assert parameters.count((784, 1024, 10)) == 814_090


def test_views_share_the_vector_in_order() -> None:
    vector = np.arange(parameters.count((3, 2, 4)), dtype=np.float32)
    first, second = parameters.views(vector, (3, 2, 4))
    assert first.weight.tolist() == [[0, 3], [1, 4], [2, 5]]  # the weights of a unit lie side by side
    assert first.bias.tolist() == [6, 7]
    assert second.weight.shape == (2, 4)
    assert second.bias.tolist() == [16, 17, 18, 19]
    second.bias[0] = -1
    assert vector[16] == -1


def test_a_vector_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="20 parameters"):
        parameters.views(np.zeros(19), (3, 2, 4))
