import numpy as np

from bpcli.core import seeds


def test_an_order_has_every_image_once() -> None:
    assert sorted(seeds.order(3, 7, 1000)) == list(range(1000))


def test_orders_depend_on_seed_and_epoch_alone() -> None:
    first = seeds.order(3, 7, 1000)
    np.random.default_rng(0).random()
    assert (seeds.order(3, 7, 1000) == first).all()
    assert (seeds.order(3, 8, 1000) != first).any()
    assert (seeds.order(4, 7, 1000) != first).any()


def test_streams_of_different_purposes_differ() -> None:
    drawn = {seeds.stream(1, purpose).random() for purpose in (seeds.INITIALIZATION, seeds.ORDER, seeds.AUGMENTATION)}
    assert len(drawn) == 3
