"""Model cards, read by the Hugging Face hub's own library, offline."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

pytestmark = pytest.mark.formats


@pytest.mark.parametrize(
    "what", ["pretrained", "default-1", "runs/default-1/last.npz", "default-1 default-2", "series"]
)
def test_the_hubs_library_reads_the_front_matter(
    bpcli: Callable[..., Result], trained: Path, small: list[str], what: str
) -> None:
    from huggingface_hub import ModelCard

    shutil.copytree(trained, "runs/default-2")
    if what == "series":
        assert bpcli("train", "-q", *small, "--seeds", "0,1", "-o", "series").exit_code == 0
    assert bpcli("export", *what.split(), "--card", "README.md", "--license", "mit").exit_code == 0
    card = ModelCard.load("README.md")  # from a file; the hub is not asked
    card.data.to_dict()
    data = card.data
    assert (data.license, data.library_name, data.pipeline_tag) == ("mit", "bpcli", "image-classification")
    (result,) = data.eval_results
    metrics = json.loads(bpcli("evaluate", *what.split(), "--json").stdout)
    assert (result.metric_type, result.metric_value) == ("accuracy", metrics["accuracy"])
    assert result.dataset_split == "test"
    assert data.datasets == (["ylecun/mnist"] if what == "pretrained" else None)
    assert "\n## Limits\n" in card.text
