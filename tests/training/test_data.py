"""The data of a run: what generated images are added, and to which split."""

from pathlib import Path

import numpy as np
import pytest

from bpcli import config as configuration
from bpcli.core.threads import Interrupted
from bpcli.data.drawn import hands, printed
from bpcli.data.outliers import OUTLIER
from bpcli.errors import ConfigError
from bpcli.training import data
from tests.conftest import write_mnist

COUNTS = ["data.hands=7", "data.printed=5", "data.outliers=3"]


def test_generated_images_follow_the_training_split_alone(small_settings: list[str]) -> None:
    pytest.importorskip("matplotlib")
    plain, more = (data.read(configuration.load(overrides=[*small_settings, *extra])) for extra in ([], COUNTS))
    n = len(plain.training)
    assert len(more.training) == n + 15
    np.testing.assert_array_equal(more.training.images[:n], plain.training.images)
    np.testing.assert_array_equal(more.training.images[n : n + 7], hands.draw(7, 0).images)
    np.testing.assert_array_equal(more.training.images[n + 7 : n + 12], printed.draw(5, 0).images)
    assert more.training.labels[n + 12 :].tolist() == [OUTLIER] * 3
    assert more.training.labels[n : n + 12].max() < OUTLIER
    for one, other in ((plain.validation, more.validation), (plain.test, more.test)):
        np.testing.assert_array_equal(one.images, other.images)


@pytest.mark.parametrize("key", ["hands", "printed", "outliers"])
def test_pictures_of_anything_but_digits_get_none(small_settings: list[str], key: str) -> None:
    config = configuration.load(overrides=[*small_settings, "data.kind=any", f"data.{key}=4"])
    with pytest.raises(ConfigError, match=f"data.{key} = 4 wants pictures of the digits 0 to 9, which these are not"):
        data.read(config)


def test_reading_stops_between_two_drawings(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path / "tiny", 20, 10)
    config = configuration.load(overrides=[f"data.folder={folder}", "data.validation=5", "data.hands=1000000"])
    asked = iter([False] * 6)
    with pytest.raises(Interrupted):
        data.read(config, lambda: next(asked, True))
