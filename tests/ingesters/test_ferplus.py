"""FER+: the authors' rules, on their own votes, and the join with FER2013."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from support.trees import kinds, touch, write

from ferdata.core.errors import (
    AnnotationError,
    FerdataError,
    LayoutError,
    PluginError,
    UnknownNameError,
)
from ferdata.core.labels import CANONICAL
from ferdata.ingesters import dataset_info, ingest
from ferdata.ingesters.ferplus.label_rules import COLUMNS, LABEL_RULES, Decision, decide

RULES = ("majority", "probability", "crossentropy", "multi_target")

# Rows of fer2013new.csv: votes, and what each rule makes of them; None is excluded.
NE, SA, AN = "neutral", "sadness", "anger"
VECTORS = [
    ((4, 0, 0, 1, 3, 2, 0, 0, 0, 0), None, {NE: 4 / 7, AN: 3 / 7}, {NE: 4 / 7, AN: 3 / 7}),
    ((4, 0, 0, 4, 1, 0, 0, 0, 1, 0), None, {NE: 0.5, SA: 0.5}, {NE: 0.5, SA: 0.5}),
    ((5, 0, 0, 3, 0, 0, 0, 0, 2, 0), None, {NE: 0.625, SA: 0.375}, {NE: 0.625, SA: 0.375}),
    ((0, 0, 0, 0, 0, 0, 0, 0, 0, 10), None, None, None),
    ((5, 0, 1, 0, 0, 0, 0, 0, 4, 0), {NE: 1}, {NE: 1}, {NE: 1}),
    ((0, 1, 2, 3, 2, 0, 2, 0, 0, 0), None, None, None),
    ((3, 0, 2, 1, 1, 0, 0, 0, 3, 0), None, None, {NE: 1}),
]

# Training, PublicTest and PrivateTest, kept by each rule over the whole file.
KEPT = {
    "majority": (25060, 3199, 3153),
    "probability": (27956, 3505, 3505),
    "crossentropy": (27956, 3505, 3505),
    "multi_target": (27671, 3472, 3472),
}
MAJORITY = {
    "train": (2100, 119, 119, 532, 7287, 8740, 3014, 3149),
    "validation": (287, 13, 24, 62, 865, 1182, 351, 415),
    "test": (273, 16, 18, 83, 893, 1090, 384, 396),
}


@pytest.fixture(scope="session")
def votes_file() -> Path:
    """Return the authors' file of votes; skip where there is none, unless one is required."""
    name = os.environ.get("FERDATA_FERPLUS_VOTES")
    if not name or not Path(name).is_file():
        reason = "no fer2013new.csv: let FERDATA_FERPLUS_VOTES name one"
        if os.environ.get("FERDATA_REQUIRE_MODEL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(name)


@pytest.fixture(scope="session")
def real(votes_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the real votes and a fer2013.csv of as many rows, without pixels."""
    root = tmp_path_factory.mktemp("ferplus")
    (root / "fer2013new.csv").write_bytes(votes_file.read_bytes())
    with votes_file.open() as file:
        usages = [row["Usage"] for row in csv.DictReader(file)]
    rows = "".join(f"6,0,{usage}\n" for usage in usages)
    (root / "fer2013.csv").write_text("emotion,pixels,Usage\n" + rows)
    return root


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("row", range(len(VECTORS)))
def test_rules_on_known_votes(rule: str, row: int) -> None:
    votes, majority, strongest, multi = VECTORS[row]
    expected = {"majority": majority, "multi_target": multi}.get(rule, strongest)
    decision = decide(votes, rule)
    if expected is None:
        assert decision.label is None
        assert ": " in decision.reason
        return
    shares = {
        name: share for name, share in zip(COLUMNS, decision.soft_label, strict=False) if share
    }
    assert shares == pytest.approx(expected)
    assert decision.label == max(expected, key=lambda name: (expected[name], -COLUMNS.index(name)))


@pytest.mark.parametrize("rule", RULES)
def test_counts_of_the_real_votes(real: Path, rule: str) -> None:
    manifest = ingest("ferplus", real, label_rule=rule, eval_label_rule="same")
    splits = Counter(manifest.column("official_split"))
    assert tuple(splits[split] for split in ("train", "validation", "test")) == KEPT[rule]
    assert len(manifest) + len(manifest.rejects) == 35887
    assert manifest.provenance["ingest"]["count_check"] == "as published"


def test_majority_counts_by_class(real: Path) -> None:
    manifest = ingest("ferplus", real)
    assert manifest.provenance["ingest"]["count_check"] == "as published"
    counts = Counter(zip(manifest.column("official_split"), manifest.column("label"), strict=True))
    for split, expected in MAJORITY.items():
        assert tuple(counts[split, name] for name in CANONICAL) == expected
    assert set(kinds(manifest)) == {"no majority", "not a face", "unknown expression"}


def test_validation_and_test_go_by_majority_as_the_authors_read_them(real: Path) -> None:
    manifest = ingest("ferplus", real, label_rule="crossentropy")
    splits = Counter(manifest.column("official_split"))
    assert tuple(splits[split] for split in ("train", "validation", "test")) == (27956, 3199, 3153)
    assert manifest.provenance["ingest"]["count_check"] == "as published"


def test_how_many_labels_multi_target_finds(real: Path) -> None:
    manifest = ingest("ferplus", real, label_rule="multi_target")
    sizes = Counter(
        sum(share > 0 for share in row["soft_label"])
        for row in manifest.rows(["official_split", "soft_label"])
        if row["official_split"] == "train"
    )
    assert sizes == {1: 20546, 2: 6986, 3: 139}


def test_rows_are_joined_by_position_and_not_by_name(real: Path) -> None:
    manifest = ingest("ferplus", real, label_rule="crossentropy", eval_label_rule="same")
    rows = {
        row["sample_id"]: row for row in manifest.rows(["sample_id", "uri", "votes", "soft_label"])
    }
    first = rows["ferplus/00000"]
    assert first["uri"] == "fer2013.csv#0"
    assert first["votes"] == [4, 0, 0, 1, 3, 2, 0, 0, 0, 0]
    shares = dict(zip(CANONICAL, first["soft_label"], strict=True))
    assert shares == pytest.approx({**dict.fromkeys(CANONICAL, 0), NE: 4 / 7, AN: 3 / 7})
    # fer0000059.png is on row 60: the number in a name lags behind.
    assert "ferplus/00060" in rows


@pytest.fixture
def small(tmp_path: Path) -> Path:
    head = ",".join(("Usage", "Image name", *COLUMNS))
    votes = ["Training,a.png,9,1,0,0,0,0,0,0,0,0", "PublicTest,b.png,0,9,1,0,0,0,0,0,0,0"]
    write(tmp_path / "votes/fer2013new.csv", head, *votes)
    table = ["emotion, Usage, pixels", "6,Training,0 0", "3,PublicTest,0 0"]
    return write(tmp_path / "icml_face_data.csv", *table)


def test_votes_and_images_may_lie_in_different_folders(small: Path) -> None:
    manifest = ingest("ferplus", small)
    assert manifest.column("label") == ["neutral", "happiness"]
    assert manifest.column("uri") == ["icml_face_data.csv#0", "icml_face_data.csv#1"]
    assert manifest.column("split_native") == ["Training", "PublicTest"]


def test_files_that_do_not_belong_together(small: Path) -> None:
    table = small / "icml_face_data.csv"
    text = table.read_text()
    table.write_text(text.replace("3,PublicTest", "3,PrivateTest"))
    with pytest.raises(LayoutError, match=r"row 1 is PrivateTest in icml_face_data\.csv"):
        ingest("ferplus", small)
    table.write_text(text + "3,PublicTest,0 0\n")
    with pytest.raises(LayoutError, match=r"has 3 rows and votes/fer2013new\.csv 2"):
        ingest("ferplus", small)
    table.unlink()
    with pytest.raises(LayoutError, match=r"put fer2013\.csv"):
        ingest("ferplus", small)


def test_a_missing_column_is_named(small: Path) -> None:
    path = small / "votes/fer2013new.csv"
    path.write_text(path.read_text().replace("contempt", "content"))
    with pytest.raises(AnnotationError, match="no column contempt"):
        ingest("ferplus", small)


def test_unknown_rules(small: Path) -> None:
    with pytest.raises(UnknownNameError, match="--label-rule of ferplus"):
        ingest("ferplus", small, label_rule="plurality")
    with pytest.raises(FerdataError, match="--poses all: ferplus has no such option"):
        ingest("ferplus", small, poses="all")


def test_reasons_name_the_votes() -> None:
    assert decide((4, 0, 0, 1, 3, 2, 0, 0, 0, 0), "majority").reason == "no majority: 4 of 9 votes"
    assert decide((0,) * 9 + (10,), "majority").reason == "not a face: 10 of 10 votes"
    assert decide((0, 3, 0, 0, 0, 0, 0, 0, 7, 0), "majority").reason == (
        "unknown expression: 7 of 10 votes"
    )
    assert decide((0, 1, 2, 3, 2, 0, 2, 0, 0, 0), "crossentropy").reason == (
        "more than three labels: 4 are tied"
    )


def test_a_malformed_row_costs_only_itself(small: Path) -> None:
    with (small / "votes/fer2013new.csv").open("a") as votes:
        votes.write("Training,c.png,9,1,0,0,0,0,0,0,0,0\nTraining,d.png,9,1\n")
        votes.write("Training,e.png,9,x,0,0,0,0,0,0,0,0\n")
    with (small / "icml_face_data.csv").open("a") as table:
        table.write("6,Training\n6,Training,0\n6,Training,0\n")
    manifest = ingest("ferplus", small)
    assert manifest.column("sample_id") == ["ferplus/00000", "ferplus/00001"]
    assert [(each.sample_id, each.reason) for each in manifest.rejects] == [
        ("ferplus/00002", "malformed row: no cell for each of emotion, usage, pixels"),
        ("ferplus/00003", "malformed votes: expected ten numbers"),
        ("ferplus/00004", "malformed votes: expected ten numbers"),
    ]


def test_the_table_with_all_columns_is_joined(small: Path) -> None:
    write(small / "a_train.csv", "emotion,pixels", "6,0")
    assert ingest("ferplus", small).column("uri")[0] == "icml_face_data.csv#0"


@pytest.mark.parametrize("place", ["votes", "votes/fer2013", ""])
def test_the_nearest_table_is_joined(small: Path, place: str) -> None:
    own = small / place / "icml_face_data.csv"
    own.parent.mkdir(exist_ok=True)
    (small / "icml_face_data.csv").rename(own)
    other = ("emotion,pixels,Usage", "0,9 9,Training", "0,9 9,PublicTest")
    write(small / "a/fer2013/fer2013.csv", *other)
    manifest = ingest("ferplus", small)
    table = manifest.column("uri")[0].removesuffix("#0")
    assert (manifest.roots["ferplus"] / table).samefile(own)


def test_label_rules_are_checked(small: Path) -> None:
    assert set(RULES) == set(LABEL_RULES)
    always = Decision("happiness", (0, 1, 0, 0, 0, 0, 0, 0))
    answers = {
        "always_happy": always,
        "broken": replace(always, soft_label=(0.5,) * 8),
        "nameless": replace(always, label="joy"),
        "silent": Decision(None),
        "no_rule": "happiness",
    }
    for name, answer in answers.items():
        LABEL_RULES.register(name)(lambda _, answer=answer: answer)
    try:
        manifest = ingest("ferplus", small, label_rule="always_happy", eval_label_rule="same")
        assert manifest.column("label") == ["happiness", "happiness"]
        assert manifest.provenance["ingest"]["choices"]["label_rule"] == "always_happy"
        assert manifest.provenance["ingest"]["count_check"] == "no counts are published"
        assert "added by a plugin" in dataset_info("ferplus").choices["label_rule"]["broken"]
        for name in [*answers][1:]:
            with pytest.raises(PluginError, match=f"label rule '{name}' returned"):
                ingest("ferplus", small, label_rule=name)
    finally:
        for name in answers:
            LABEL_RULES.unregister(name)


def test_folders(tmp_path: Path) -> None:
    box, happy = '"(0, 0, 48, 48)"', "0,9,1,0,0,0,0,0,0,0"
    lists = {
        "FER2013Train": [
            f"fer0000000.png,{box},{happy}",
            f"fer0000001.png,{box},4,0,0,1,3,2,0,0,0,0",
            f"fer0000002.png,{box},{happy}",
            f"fer0000000.png,{box},9,1,0,0,0,0,0,0,0,0",
            f"fer0000003.png,{box},9,1",
        ],
        "FER2013Valid": [f"fer0028638.png,{box},{happy}"],
        "FER2013Test": [f"fer0032220.png,{box},{happy}"],
    }
    for folder, lines in lists.items():
        write(tmp_path / "data" / folder / "label.csv", *lines)
    images = ("Train/fer0000000", "Train/fer0000001", "Train/fer0000003", "Train/fer0000009")
    for image in (*images, "Valid/fer0028638", "Test/fer0032220"):
        touch(tmp_path, f"data/FER2013{image}.png")
    manifest = ingest("ferplus", tmp_path)
    columns = ["sample_id", "uri", "label", "official_split", "split_native"]
    assert [tuple(row.values()) for row in manifest.rows(columns)] == [
        (f"ferplus/{key}", f"FER2013{part}/{key}.png", "happiness", split, usage)
        for key, part, split, usage in (
            ("fer0000000", "Train", "train", "Training"),
            ("fer0028638", "Valid", "validation", "PublicTest"),
            ("fer0032220", "Test", "test", "PrivateTest"),
        )
    ]
    assert manifest.column("votes")[0] == [0, 9, 1, 0, 0, 0, 0, 0, 0, 0]
    assert [(each.uri, each.reason.partition(":")[0]) for each in manifest.rejects] == [
        ("FER2013Train/fer0000001.png", "no majority"),
        ("FER2013Train/label.csv#3", "missing image"),
        ("FER2013Train/label.csv#4", "duplicate id"),
        ("FER2013Train/label.csv#5", "malformed line"),
        ("FER2013Train/fer0000009.png", "not in the list"),
    ]
