"""Model cards: what a run recorded, nothing else, in a form that huggingface_hub takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builds import write_build
from support.runs import make_classifier, run_build, write_run

from ferdata.core.errors import RunError
from ferdata.core.files import read_json, write_json
from ferdata.evaluation import evaluate
from ferdata.evaluation.model_card import ModelCard, read_model_card
from ferdata.evaluation.model_card_file import write_model_card
from ferdata.evaluation.model_card_text import model_card_text
from ferdata.formats.card_content import CardSource
from ferdata.formats.card_validation import require_valid_card
from ferdata.runs.folder import RunFolder

RESULTS: dict[str, Any] = {
    "parameters": 1234, "epochs": 2, "best_epoch": 2, "select": "best", "history": [],
    "seconds": 1.0,
}  # fmt: skip
PEOPLE = [
    {"dataset": "spots", "subject": f"person-{row % 3}", "gender": ("female", "<male>")[row % 2]}
    for row in range(21)
]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run with an evaluation; never write into it."""
    root = tmp_path_factory.mktemp("evaluated")
    labels = [k % 7 for k in range(21)]
    rows = dict.fromkeys(("train", "validation", "test"), labels)
    build = write_build(root / "build", rows, people=dict.fromkeys(rows, PEOPLE), leaks=["a | b"])
    run = write_run(root / "run", make_classifier(), finished_on(build))
    finish(run)
    evaluate(run, build, "test", quiet=True)
    return run


def finished_on(build: Path) -> Any:
    return run_build().model_copy(
        update={"path": str(build), "name": "spots", "plan_sha256": "a" * 64}
    )


def finish(run: Path) -> None:
    values = read_json(run / "run.json")
    write_json(run / "run.json", {**values, "results": RESULTS})


@pytest.fixture
def card(evaluated: Path) -> ModelCard:
    return read_model_card(RunFolder(evaluated))


def test_the_card_has_scores_by_class_and_group_beside_their_split(card: ModelCard) -> None:
    text = model_card_text(card)
    report = card.evaluations[0]
    assert f"accuracy {report.accuracy:.2%}" in text
    assert report.checkpoint_sha256 in text
    for entry in report.scores.per_class:
        assert re.search(rf"^\| {entry.label} \| {entry.n} \|", text, flags=re.M)
    assert "By gender: 2 groups" in text
    assert "| &lt;male&gt; | 10 |" in text
    assert "Fewer than 30 images, so little is known: &lt;male&gt;, female." in text
    assert "By subject: 3 persons" in text
    assert "person-0" not in text  # people are counted, not listed
    assert "Scores by race, age group: not stated" in text
    assert r"The build leaks: a \| b." in text
    assert "Scores are inflated" in text


def test_the_digest_of_the_split_stands_there(card: ModelCard) -> None:
    assert "| split | not stated |" in model_card_text(card)
    digest = "split:sha256:" + "c" * 64
    assert card.build is not None
    summary = card.build.summary.model_copy(update={"provenance": {"split": {"digest": digest}}})
    named = replace(card, build=card.build.model_copy(update={"summary": summary}))
    assert f"| split | `{digest}` |" in model_card_text(named)


def test_huggingface_hub_reads_scores_from_it(evaluated: Path, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard as HubCard

    card = read_model_card(RunFolder(evaluated))
    (tmp_path / "README.md").write_text(model_card_text(card))
    require_valid_card(tmp_path / "README.md", "model")
    data = HubCard.load(tmp_path / "README.md").data
    assert data.model_name == "run"
    assert [(each.metric_type, each.dataset_split) for each in data.eval_results] == [
        ("accuracy", "test"),
        ("f1", "test"),
    ]
    assert data.eval_results[0].metric_value == pytest.approx(
        card.evaluations[0].accuracy, abs=1e-6
    )
    assert data.license == "unknown"


def test_terms_and_caveats_of_the_datasets_are_passed_on(card: ModelCard) -> None:
    source = CardSource("own", "Own <b>", "CC-BY", "Allowed: *all*", "x", caveats=("Small | set.",))
    text = model_card_text(replace(card, sources=[source]))
    assert (
        r"Terms of Own &lt;b&gt;, whose images it was trained on: CC-BY. Allowed: \*all\*" in text
    )
    assert r"- own: Small \| set." in text
    assert "license_name: cc-by" in text


def test_what_is_not_known_is_not_stated(card: ModelCard) -> None:
    bare = replace(card, evaluations=(), build=None, sources=())
    text = model_card_text(bare)
    assert "Not evaluated." in text
    assert "The model was not evaluated on the test split of its build." in text
    assert "Terms of the training data: not stated" in text
    assert "| split | not stated |" in text
    assert "model-index" not in text
    unselected = replace(card, results=card.results.model_copy(update={"best_epoch": None}))
    assert "No epoch was chosen on a validation split." in model_card_text(unselected)


def test_pretrained_weights_are_a_caveat(card: ModelCard) -> None:
    options = card.run.options.model_copy(update={"pretrained": True})
    text = model_card_text(replace(card, run=card.run.model_copy(update={"options": options})))
    assert "pretrained; their own license applies and is not stated here" in text


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = write_run(tmp_path / "run", make_classifier(), finished_on(tmp_path / "gone"))
    finish(folder)
    return folder


def test_equal_runs_have_equal_cards_and_a_card_can_be_written_again(run: Path) -> None:
    file = write_model_card(RunFolder(run))
    first = file.read_bytes()
    assert write_model_card(RunFolder(run)).read_bytes() == first


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "mine\n",
        lambda text: text.replace("## Use", "## Mine"),
        lambda _: "mine",
    ],
)
def test_a_card_that_was_edited_is_kept(run: Path, change: Callable[[str], str]) -> None:
    file = write_model_card(RunFolder(run))
    edited = change(file.read_text())
    file.write_text(edited)
    with pytest.raises(RunError, match="--overwrite"):
        write_model_card(RunFolder(run))
    assert file.read_text() == edited
    write_model_card(RunFolder(run), overwrite=True)
    assert file.read_text() != edited


def test_an_unfinished_run_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not finished"):
        read_model_card(RunFolder(write_run(tmp_path / "run")))
