import numpy as np

from bpcli import config as configuration
from bpcli.core import parameters
from bpcli.core.pixels import NORMALIZATIONS
from bpcli.data.mnist import Split
from bpcli.training import problem
from bpcli.training.evaluation import CHUNK, Mistake, figures, mistakes, one_hot, predict
from bpcli.training.loop import first_state
from bpcli.training.team import Team


def test_the_figures_of_a_few_answers() -> None:
    scores = np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0, 0, 1]])
    scores = np.hstack([scores, np.zeros((4, 7))])
    result = figures(0.25, scores, np.array([0, 1, 1, 2], np.uint8))
    assert (result["n"], result["errors"], result["accuracy"], result["loss"]) == (4, 1, 0.75, 0.25)
    assert result["precision"][:4] == [0.5, 1, 1, 0]
    assert result["recall"][:4] == [1, 0.5, 1, 0]
    assert result["confusion"][1][:3] == [1, 1, 0]


def test_the_surest_mistakes_come_first() -> None:
    scores = np.zeros((4, 10))
    scores[range(4), [3, 5, 7, 9]] = 0.25, 0.75, 0.5, 1.0
    found = mistakes(scores, np.array([3, 1, 2, 9], np.uint8))
    assert found == [Mistake(1, 1, 5, 0.75), Mistake(2, 2, 7, 0.5)]


def test_one_hot() -> None:
    assert one_hot(np.array([2, 0], np.uint8), np.dtype(np.float32)).argmax(axis=1).tolist() == [2, 0]


def test_scores_do_not_depend_on_chunks_or_workers(small_split: Split) -> None:
    config = configuration.load("default", ["model.hidden=[30, 20]"])
    network = problem.network(config)
    layers = parameters.views(first_state(config).parameters, network.sizes)
    images = np.concatenate([small_split.images] * 3)
    assert len(images) > 2 * CHUNK
    normalization = NORMALIZATIONS["standard"]
    _, alone = predict(network, layers, images, normalization)
    for workers in (2, 3):
        assert (predict(network, layers, images, normalization, Team(workers))[1] == alone).all()
    one_by_one = np.concatenate([predict(network, layers, images[i : i + 1], normalization)[1] for i in range(20)])
    np.testing.assert_allclose(one_by_one, alone[:20], rtol=1e-5, atol=1e-7)
