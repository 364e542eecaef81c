"""`croissant.json`: valid for mlcroissant, whatever the datasets say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cards import SPLITS, card_content

from ferdata.core.labels import LabelSpace
from ferdata.formats.card_content import CardSource, KnownValues
from ferdata.formats.croissant import DescribedFile, croissant, listed_hashes
from ferdata.formats.dummies import dummy_spec
from ferdata.formats.features import features

FILES = [
    DescribedFile("hdf5/train-00000-of-00001.h5", "11" * 32, 7),
    DescribedFile("hf/README.md", "22" * 32, 8),
    *(
        DescribedFile(f"hf/data/{split}-00000-of-00001.parquet", "33" * 32, 9)
        for split in SPLITS
    ),
]  # fmt: skip
RECOMMENDED = {"datePublished"}
"""What mlcroissant recommends and a build does not have: its bytes don't depend on the clock."""


def parsed(description: Any) -> Any:
    """Read a description with mlcroissant, as it is after a file."""
    mlcroissant = pytest.importorskip("mlcroissant")
    return mlcroissant.Dataset(json.loads(json.dumps(description))).metadata


def advice(metadata: Any) -> set[str]:
    """Return the properties that are recommended and lacking."""
    return {text.split('"')[1].rpartition("/")[2] for text in metadata.ctx.issues.warnings}


def test_mlcroissant_accepts_it_as_version_1_1() -> None:
    description = croissant(card_content(), FILES)
    metadata = parsed(description)
    assert metadata.ctx.issues.errors == set()
    assert advice(metadata) == RECOMMENDED
    assert metadata.ctx.is_v1_1()
    assert {each.id: each.sha256 for each in metadata.file_objects} == {
        file.path: file.sha256 for file in FILES
    }
    assert listed_hashes(description) == {file.path: file.sha256 for file in FILES}


def test_each_column_is_a_field_with_its_shape() -> None:
    metadata = parsed(croissant(card_content(), FILES))
    images = next(each for each in metadata.record_sets if each.id == "images")
    fields = {each.name: each for each in images.fields}
    assert set(fields) == {"split", *features(dummy_spec())}
    assert fields["landmarks"].array_shape_tuple == (5, 2)
    assert fields["soft_label"].array_shape_tuple == (7,)
    assert fields["label"].references.uuid == "classes/index"
    plain = croissant(card_content(spec=dummy_spec(landmark_scheme=None, points=0)), FILES)
    names = [each["name"] for each in plain["recordSet"][-1]["field"]]
    assert "landmarks" not in names


def test_a_build_without_parquet_has_files_only() -> None:
    description = croissant(card_content(), FILES[:1])
    assert "recordSet" not in description
    assert parsed(description).ctx.issues.errors == set()


def test_responsible_ai_says_what_is_recorded_and_nothing_else() -> None:
    known = KnownValues(3, {"gender": {"female": 4, "male": 5}}, {"votes": 9})
    source = CardSource(
        "own", "Own set", "CC0", "", "x", "", "Faces of actors.", "", (), ("Small",)
    )
    content = card_content(known=known, sources=[source], leaks="a person is in two splits")
    properties = croissant(content, FILES)
    assert properties["rai:dataCollection"] == "Own set: Faces of actors"
    assert properties["rai:dataLimitations"] == [
        "this build leaks: a person is in two splits", "own: Small",
    ]  # fmt: skip
    assert "gender (female: 4, male: 5)" in properties["rai:dataBiases"]
    assert "annotated attributes of the persons: gender" in str(
        properties["rai:personalSensitiveInformation"]
    )
    assert "votes: 9 images" in properties["rai:dataAnnotationProtocol"]
    for never in ("dataSocialImpact", "dataReleaseMaintenancePlan", "annotatorDemographics",
                  "dataCollectionTimeFrame", "dataCollectionRawData"):  # fmt: skip
        assert f"rai:{never}" not in properties


def test_of_drawn_faces_neither_license_nor_collection_is_claimed() -> None:
    description = croissant(card_content(synthetic=True), FILES)
    assert "license" not in description
    assert "drawn by ferdata" in description["rai:dataCollection"]
    assert "no real person" in description["rai:personalSensitiveInformation"][0]


@settings(deadline=None, max_examples=15)
@given(text=st.text(st.sampled_from("ab@:{}[]<>/\\\n\"'é%#$ "), min_size=1, max_size=30))
def test_no_text_of_a_dataset_breaks_it(text: str) -> None:
    source = CardSource(text, text, text, text, text, text, text, text, [text], [text])
    space = LabelSpace("own", ("a", f"b{text.strip() or '-'}"))
    counts = {"train": dict.fromkeys(space.names, 1)}
    content = card_content(
        name=text, sources=[source], notes=[text], spec=dummy_spec(label_space=space),
        counts=counts, counts_before=counts, rejects={"faces": {text: 1}},
    )  # fmt: skip
    metadata = parsed(croissant(content, FILES))
    assert metadata.ctx.issues.errors == set()
    assert next(each for each in metadata.record_sets if each.id == "classes").data == [
        {"classes/index": 0, "classes/name": "a"},
        {"classes/index": 1, "classes/name": space.names[1]},
    ]


def test_the_context_is_the_one_of_the_specification() -> None:
    pytest.importorskip("mlcroissant")
    from mlcroissant._src.core.context import Context, CroissantVersion
    from mlcroissant._src.core.rdf import make_context

    from ferdata.formats.croissant_context import CONTEXT

    expected = make_context(Context(conforms_to=CroissantVersion.V_1_1))
    assert expected == CONTEXT
