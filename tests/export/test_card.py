"""Model cards: what the front matter and the sections say, from networks whose answers are made up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from bpcli.core.types import Bytes
from bpcli.data.spec import MNIST, DataSpec
from bpcli.export.card import Subject, Trained, card, confusions
from bpcli.export.card_usage import usage
from bpcli.inference.ensemble import Combination, EnsembleMetrics
from bpcli.inference.evaluation import metrics
from tests.export.networks import member, spec_of

ROW = {"epoch": 1, "seconds": 2.5}
THINGS = spec_of(8, ("a|b", "*c*", "d"))


def trained(*settings: str, spec: DataSpec = THINGS, seed: int = 0) -> Trained:
    return Trained(member(*settings, f"seed={seed}", spec=spec).checkpoint, "5ea1", (ROW, ROW, ROW))


def answers(*given: int, labels: Bytes) -> dict[str, object]:
    return metrics(0.5, np.eye(3, dtype=np.float32)[list(given)], labels)


LABELS = np.array([0, 0, 1, 1, 2], np.uint8)
FIRST, SECOND = answers(0, 0, 1, 1, 1, labels=LABELS), answers(1, 1, 1, 1, 1, labels=LABELS)


def test_the_front_matter_holds_what_was_measured_and_only_what_is_known() -> None:
    text = card(
        Subject(
            "no: 1", [trained()], EnsembleMetrics([FIRST], FIRST, np.zeros(0), np.zeros((1, 0), bool)), ["best.npz"]
        )
    )
    _, front, body = text.split("---\n", 2)
    data = yaml.safe_load(front)
    (result,) = data["model-index"][0]["results"]
    assert data["model-index"][0]["name"] == "no: 1"
    assert result["dataset"] == {"type": "ylecun/mnist", "name": "MNIST", "split": "test"}
    assert [(each["type"], each["value"]) for each in result["metrics"]] == [("accuracy", 0.8)]
    assert "license" not in data
    assert (data["library_name"], data["pipeline_tag"]) == ("bpcli", "image-classification")
    assert "| test | 80.00 % | 1 | 0.5000 |\n" in body
    assert "it was 98.32 %." in body
    assert "| a\\|b | 100.00 % | 100.00 % | 2 |\n" in body
    assert "| d | \\*c\\* | 1 |\n" in body
    assert "the network after epoch 3 of 3; 8 s for all epochs" in body
    assert "    hidden" not in body
    assert "hidden: [12]" in body


def test_a_committee_has_its_members_their_statistics_and_each_configuration_once() -> None:
    members = [trained(seed=3), trained(seed=4), trained("model.hidden=[7]", seed=5)]
    found = EnsembleMetrics([FIRST, SECOND, SECOND], FIRST | {"loss": None}, np.zeros(0), np.zeros((1, 0), bool))
    text = card(Subject("three", members, found, ["x"], "onnx"))
    assert "| seed 3 | 80.00 % | 1 | 0.5000 |\n| seed 4 | 40.00 % | 3 | 0.5000 |\n" in text
    assert "| mean | 53.33 % | 2.3 |  |\n| standard deviation | 23.09 points | 1.2 |  |\n" in text
    assert "| all together | 80.00 % | 1 |  |\n" in text
    assert text.count("```yaml") == 2
    assert "seed: " not in text
    assert 'onnxruntime.InferenceSession("x")' in text


def test_members_of_one_seed_are_told_apart_by_their_settings() -> None:
    found = EnsembleMetrics([FIRST, SECOND], FIRST | {"loss": None}, np.zeros(0), np.zeros((1, 0), bool))
    text = card(Subject("two", [trained("model.hidden=[7]"), trained("model.hidden=[8, 9]")], found, ["x"]))
    assert "| hidden \\[7\\], seed 0 | 80.00 % |" in text
    assert "| hidden \\[8, 9\\], seed 0 | 40.00 % |" in text
    far = trained("model.hidden=[7]", "train.epochs=3", "data.deslant=true", "optimizer.kind=adam")
    assert "| seed 0 | 80.00 % |" in card(Subject("two", [trained(), far], found, ["x"]))


def test_a_network_that_another_began_says_so() -> None:
    loaded = replace(trained().checkpoint, environment={"start": "runs/a_b", "start SHA-256": "0d1e", "workers": 2})
    text = card(
        Subject("n", [Trained(loaded, "")], EnsembleMetrics([FIRST], FIRST, np.zeros(0), np.zeros((1, 0), bool)), ["x"])
    )
    assert "started from the weights of a\\_b, SHA-256 0d1e; " in text
    assert "; 2 threads; " in text


def test_a_folder_of_data_is_named_without_its_path_and_is_not_on_the_hub(tmp_path: Path) -> None:
    members = [trained(f"data.folder={tmp_path}/signs")]
    text = card(
        Subject(
            "own",
            members,
            EnsembleMetrics([FIRST], FIRST, np.zeros(0), np.zeros((1, 0), bool)),
            ["x"],
            license="cc0-1.0",
        )
    )
    assert str(tmp_path) not in text
    data = yaml.safe_load(text.split("---\n")[1])
    assert "datasets" not in data
    assert (data["license"], data["model-index"][0]["results"][0]["dataset"]["type"]) == ("cc0-1.0", "signs")


def limits(*settings: str, digits: bool = True) -> str:
    spec = MNIST if digits else THINGS
    loaded = member(*settings, spec=spec, output="sigmoid").checkpoint
    found = metrics(0.5, np.eye(len(spec.classes), dtype=np.float32)[LABELS], LABELS)
    subject = Subject(
        "n", [Trained(loaded, "")], EnsembleMetrics([found], found, np.zeros(0), np.zeros((1, 0), bool)), ["x"]
    )
    return card(subject).partition("## Limits")[2]


def test_limits_are_those_of_the_training() -> None:
    assert "trained without distortions" in limits("data.outliers=100")
    assert "trained without distortions" not in limits("augment.rotation=10")
    assert "no pictures without digits" in limits("augment.rotation=10")
    assert "no pictures without digits" not in limits("data.outliers=100")
    assert "whatever the picture shows" in limits(digits=False)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("", "-m a/x.npz"),
        ("npz", 'bpcli.load("a/x.npz")'),
        ("c", '#include "a/x.npz"'),
        ("safetensors", 'load_file("a/x.npz")'),
    ],
)
def test_each_format_has_lines_to_paste(kind: str, line: str) -> None:
    found = EnsembleMetrics([FIRST], FIRST, np.zeros(0), np.zeros((1, 0), bool))
    assert line in card(Subject("n", [trained()], found, ["a/x.npz"], kind)).partition("## How to use it")[2]


def test_figures_of_float32_are_called_so_beside_weights_of_int8() -> None:
    subject = Subject(
        "n", [trained()], EnsembleMetrics([FIRST], FIRST, np.zeros(0), np.zeros((1, 0), bool)), ["x.h"], "c"
    )
    assert "those of the network in float32" in card(subject._replace(int8=True))
    assert "float32" not in card(subject)


def test_without_mistakes_there_are_no_confusions() -> None:
    right = answers(0, 0, 1, 1, 2, labels=LABELS)
    text = card(Subject("n", [trained()], EnsembleMetrics([right], right, np.zeros(0), np.zeros((1, 0), bool)), ["x"]))
    assert "None of the test images was taken for another class." in text


def test_confusions_are_listed_by_their_number() -> None:
    assert confusions([[5, 1, 2], [0, 9, 2], [3, 0, 4]]) == [(3, 2, 0), (2, 0, 2), (2, 1, 2), (1, 0, 1)]


def test_a_committee_says_how_it_answers() -> None:
    members = [trained(seed=3), trained(seed=4)]
    found = EnsembleMetrics([FIRST, SECOND], FIRST, np.zeros(0), np.zeros((2, 0), bool))
    plain, other = (
        card(Subject("two", members, found, ["a.npz", "b.npz"], how=how))
        for how in (Combination(), Combination("logits", (0.25, 0.75)))
    )
    assert "their scores. They have" in plain
    assert "bpcli predict -m a.npz -m b.npz photo.png" in plain
    assert "their logits, weighted by 0.250, 0.750: the weights were chosen on validation images. They have" in other
    assert "-m b.npz --combine logits --weights validation photo.png" in other
    assert 'bpcli.load_ensemble("a.npz", "b.npz", combine="logits", weights="validation")' in other


def test_what_is_to_be_pasted_can_be_pasted() -> None:
    odd = 'my "net".npz'
    lines = [*usage("", [odd], THINGS), *usage("onnx", [odd], THINGS)]
    assert "$ bpcli predict -m 'my \"net\".npz' photo.png" in lines
    assert r'model = bpcli.load("my \"net\".npz")' in lines
    assert r'session = onnxruntime.InferenceSession("my \"net\".npz")' in lines
