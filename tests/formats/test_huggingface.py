from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cards import SPLITS, card_content

from ferdata.core.labels import BASIC7, BASIC8
from ferdata.formats.card import card_text, write_card
from ferdata.formats.card_content import CardSource
from ferdata.formats.dummies import cut, dummy_rows, dummy_spec
from ferdata.formats.features import features
from ferdata.formats.front_matter import front_matter
from ferdata.formats.huggingface import ROW_GROUP_ROWS, ParquetShardWriter, arrow_schema
from ferdata.shards.card import _operations


@pytest.fixture
def written(tmp_path):
    folder = tmp_path / "hf"
    (folder / "data").mkdir(parents=True)
    content = {}
    for split, rows in SPLITS.items():
        spec = dummy_spec(rows=rows, split=split)
        content[split] = dummy_rows(spec)
        with ParquetShardWriter(
            folder / "data" / f"{split}-00000-of-00001.parquet", spec
        ) as writer:
            for batch in cut(content[split], 4):
                writer.append(batch)
    write_card(folder / "README.md", card_content())
    return folder, content


def test_load_dataset_opens_every_split(written, offline_datasets):
    folder, content = written
    data = offline_datasets.load_dataset(str(folder))
    assert list(data) == list(SPLITS)
    for split, rows in content.items():
        assert data[split].num_rows == len(rows)
        images = np.stack([np.asarray(image) for image in data[split]["image"]])
        np.testing.assert_array_equal(images, rows.pixels)
        assert data[split].features["label"].names == list(BASIC7.names)
        assert data[split]["label"][:] == rows.label.tolist()
        assert data[split]["sample_id"][:] == rows.sample_id
        assert data[split]["operations"][:] == rows.operations
        numbers = data[split].with_format("numpy")
        for name in ("landmarks", "box", "valence", "arousal", "soft_label"):
            np.testing.assert_array_equal(numbers[name][:], getattr(rows, name))


def test_datasets_takes_the_whole_card(written, offline_datasets, caplog):
    folder, _ = written
    info = offline_datasets.load_dataset_builder(str(folder)).info
    assert {name: split.num_examples for name, split in info.splits.items()} == SPLITS
    size = (folder / "data" / "test-00000-of-00001.parquet").stat().st_size
    assert info.splits["test"].num_bytes == size
    assert "Ignoring" not in caplog.text


def test_load_dataset_streams_and_gives_tensors(written, offline_datasets):
    folder, content = written
    stream = offline_datasets.load_dataset(str(folder), split="test", streaming=True)
    first = next(iter(stream))
    np.testing.assert_array_equal(np.asarray(first["image"]), content["test"].pixels[0])
    pytest.importorskip("torch")
    data = offline_datasets.load_dataset(str(folder), split="test").with_format("torch")
    assert data[:3]["landmarks"].shape == (3, 5, 2)


def test_a_card_that_says_another_number_of_rows_is_noticed(written, offline_datasets):
    folder, _ = written
    text = (folder / "README.md").read_text()
    (folder / "README.md").write_text(text.replace("num_examples: 21", "num_examples: 22"))
    with pytest.raises(Exception, match=r"(?i)split"):
        offline_datasets.load_dataset(str(folder))


@pytest.mark.parametrize(
    "spec",
    [
        dummy_spec(),
        dummy_spec(landmark_scheme="mediapipe478", points=478),
        dummy_spec(landmark_scheme=None, points=0),
        dummy_spec(label_space=BASIC8, channels=1),
    ],
)
def test_features_are_those_of_datasets(spec, offline_datasets):
    real = offline_datasets.Features.from_dict(features(spec))
    assert real.to_dict() == features(spec)
    stored = pa.schema(
        [
            (field.name, getattr(field.type, "storage_type", field.type))
            for field in real.arrow_schema
        ]
    )
    assert stored.equals(arrow_schema(spec))
    ours, theirs = arrow_schema(spec).metadata, real.arrow_schema.metadata
    assert ours[b"huggingface"] == theirs[b"huggingface"]
    listed = front_matter(card_content(spec=spec))["dataset_info"]["features"]
    assert listed == real._to_yaml_list()


def test_row_groups_and_compression(tmp_path):
    spec = dummy_spec(rows=ROW_GROUP_ROWS + 10)
    with ParquetShardWriter(tmp_path / "s.parquet", spec) as writer:
        for batch in cut(dummy_rows(spec), 100):
            writer.append(batch)
    metadata = pq.read_metadata(tmp_path / "s.parquet")
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [ROW_GROUP_ROWS, 10]
    columns = [groups[0].column(index) for index in range(groups[0].num_columns)]
    codecs = {column.path_in_schema: column.compression for column in columns}
    assert codecs.pop("image.bytes") == "UNCOMPRESSED"
    assert set(codecs.values()) == {"ZSTD"}
    assert all(column.has_column_index for column in columns if column.path_in_schema == "label")


def front(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_card_states_what_the_build_recorded():
    text = card_text(card_content())
    assert card_text(card_content()) == text
    for words in (
        "non-commercial research only",
        "sign the agreement",
        "@inproceedings{li2017,",
        "ab" * 32,
        "file is missing",
        "sigma 0.5–1.5",
        "seed 7",
        "32 RGB images",
        "validation and test contain no augmented images",
    ):
        assert words in text
    meta = front(text)
    assert meta["license"] == "other"
    assert meta["license_name"] == "non-commercial-research-only"
    assert meta["task_categories"] == ["image-classification"]
    paths = [entry["path"] for entry in meta["configs"][0]["data_files"]]
    assert paths == ["data/train-*.parquet", "data/validation-*.parquet", "data/test-*.parquet"]
    splits = {entry["name"]: entry["num_examples"] for entry in meta["dataset_info"]["splits"]}
    assert splits == SPLITS


def test_card_lists_an_operation_as_often_as_it_is_applied():
    described = [
        {"op": "albumentations", "transform": "CLAHE", "probability": 0.5},
        {"op": "rotation", "degrees": [0, 9], "both_ways": True},
        {"op": "albumentations", "transform": "Sharpen", "parameters": {"alpha": [0.1, 0.4]}},
    ]
    text = card_text(card_content(operations=_operations(described)))
    lines = [line for line in text.splitlines() if line.startswith(("| albu", "| rotation"))]
    assert lines == [
        "| albumentations | transform CLAHE, probability 0.5 |",
        "| rotation | degrees 0–9, both ways yes |",
        "| albumentations | transform Sharpen, parameters alpha 0.1–0.4 |",
    ]


def test_card_skips_an_empty_split():
    counts = {"train": {"fear": 3}, "validation": {"fear": 0}, "test": {"fear": 1}}
    meta = front_matter(card_content(counts=counts))
    assert [entry["split"] for entry in meta["configs"][0]["data_files"]] == ["train", "test"]


def test_card_warns_of_synthetic_data_and_leaks():
    text = card_text(card_content(synthetic=True, leaks="copies were made before the split"))
    assert "drawn by ferdata" in text
    assert "**This build leaks:** copies were made before the split" in text
    assert "contain no augmented images" not in text
    assert "synthetic" in front(text)["tags"]


NASTY = st.text(st.sampled_from("ab`|*_[]()<>#\n\r\\&~-: \"'{}é%"), max_size=40)


@settings(deadline=None)
@given(text=NASTY)
def test_no_text_of_a_dataset_becomes_markup(text):
    source = CardSource("rafdb", text, text, text, text, text, text, text, [text], [text])
    plain = card_text(card_content(sources=[CardSource("rafdb", *["x"] * 7, ["x"], ["x"])]))
    card = card_text(card_content(sources=[source], rejects={"faces": {text: 1}}))
    assert front(card)["license"] == "other"
    assert "<" not in card.split("---\n", 2)[2].replace(text.strip("\n"), "")
    heads = [line for line in plain.splitlines() if line.startswith("## ")]
    body = card.split("---\n", 2)[2]
    inside, fence, found = False, "", []
    for line in body.splitlines():
        if not inside and line.startswith("```"):
            inside, fence = True, line.rstrip("abcdefghijklmnopqrstuvwxyz")
        elif inside and line == fence:
            inside = False
        elif not inside and line.startswith("## "):
            found.append(line)
    assert not inside
    assert found == heads
