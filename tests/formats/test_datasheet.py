"""The datasheet: every question, answered by records or not at all; metadata as the Hub has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.cards import card_content

from ferdata.core.errors import BuildError
from ferdata.formats.card import card_text, write_card
from ferdata.formats.card_content import CardSource, KnownValues
from ferdata.formats.card_validation import require_valid_card
from ferdata.formats.datasheet import SECTIONS, datasheet

QUESTIONS = [question.text for section in SECTIONS.values() for question in section]


def answers(text: str) -> dict[str, str]:
    """Return the answer to each question."""
    found = re.findall(r"^- \*\*(.+?)\*\*(.*(?:\n  - .*)*)", text, flags=re.M)
    return {question: answer.strip() for question, answer in found}


def test_every_question_stands_there_once_with_an_answer() -> None:
    found = answers(datasheet(card_content()))
    assert list(found) == QUESTIONS
    assert len(QUESTIONS) > 45
    assert all(found.values())


def test_what_no_record_knows_is_not_stated() -> None:
    found = answers(datasheet(card_content()))
    for question in (
        "Who funded its creation?",
        "Did the individuals consent to the collection and use?",
        "Were ethical review processes conducted?",
        "Over what timeframe was it collected?",
        "Will it be updated?",
        "How was the data acquired?",  # this source has no description
        "Does it identify subpopulations?",
    ):
        assert found[question] == "Not stated.", question


def test_answers_come_from_the_records() -> None:
    source = CardSource(
        "own", "Own *set*", "CC0", "cite <it>", "x", "", "Faces | of actors.", "A. B."
    )
    known = KnownValues(4, {"race": {"<b>": 2}})
    content = card_content(sources=[source], known=known, notes=["compare with care"])
    found = answers(datasheet(content))
    assert found["How was the data acquired?"] == r"Own \*set\*: Faces \| of actors."
    assert "race (&lt;b&gt;: 2)" in found["Does it identify subpopulations?"]
    assert "CC0. cite &lt;it&gt;." in found["Under which license or terms of use?"]
    assert "compare with care." in found["Are there errors, sources of noise, or redundancies?"]
    assert "A. B." in found["Who created the dataset, and on behalf of which entity?"]
    assert "train 21 images" in found["Are there recommended data splits?"]
    assert "file is missing (3)" in found["Is any information missing from individual instances?"]


def test_of_drawn_faces_nothing_is_said_about_real_people() -> None:
    found = answers(datasheet(card_content(synthetic=True, known=KnownValues(4))))
    assert "show no real person" in found["Can individuals be identified, directly or indirectly?"]
    assert found["Under which license or terms of use?"] == "Not stated."
    assert "statements about real faces" in found[
        "Are there tasks for which it should not be used?"
    ]  # fmt: skip


def test_a_mix_says_which_faces_are_drawn() -> None:
    drawn = CardSource("a", "Set A", "terms of A", "use A", "x", "", "Photographs.", drawn=True)
    real = CardSource("b", "Set B", "terms of B", "use B", "x", "", "Photographs.")
    content = card_content(sources=[drawn, real])
    found = answers(datasheet(content))
    assert "Set A: drawn by ferdata" in found["How was the data acquired?"]
    assert "Set B: Photographs." in found["How was the data acquired?"]
    assert "terms of A" not in found["Under which license or terms of use?"]
    assert "photographs of faces" in found["Can individuals be identified, directly or indirectly?"]
    text = card_text(content)
    assert "**Partly synthetic:** the faces of Set A were drawn by ferdata" in text
    assert "license_name: terms-of-b\n" in text


@pytest.mark.parametrize("synthetic", [True, False])
def test_huggingface_hub_reads_the_card(tmp_path: Path, synthetic: bool) -> None:
    from huggingface_hub import DatasetCard, DatasetCardData

    file = tmp_path / "README.md"
    write_card(file, card_content(synthetic=synthetic))
    require_valid_card(file, "dataset")
    card = DatasetCard.load(file)
    assert isinstance(card.data, DatasetCardData)
    assert card.data.license == ("unknown" if synthetic else "other")
    assert card.data.size_categories == ["n<1K"]
    assert card.data.task_categories == ["image-classification"]
    assert "## Datasheet" in card.text


@pytest.mark.parametrize(
    "text",
    ["---\n- a\n- list\n---\nwords", "---\nlicense: [\n---\nwords", "---\nlicense: other\n---\n"],
)
def test_a_card_that_the_hub_would_not_take_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "README.md"
    file.write_text(text)
    with pytest.raises(BuildError, match="huggingface_hub"):
        require_valid_card(file, "dataset")


def test_equal_content_gives_equal_text() -> None:
    assert card_text(card_content()) == card_text(card_content())
