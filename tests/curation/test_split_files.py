"""Splits from files: what people have, what ferdata publishes, and what does not fit."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ferdata.core.errors import OptionError
from ferdata.core.split_rules import FileRule, parse_rule
from ferdata.curation.split import split
from ferdata.curation.split_files.applying import apply_split_files, compare_split
from ferdata.curation.split_files.published import export_split, load_split, save_split
from ferdata.curation.split_files.reading import read_split
from ferdata.curation.stage import curate

PARTS = ["train", "train", "val", "Test", "train"]
SPLITS = ["train", "train", "validation", "test", "train"]


def hashes(k: int) -> str:
    """Return a hash that differs in about half of the bits from that of any other number."""
    return np.random.default_rng(k).bytes(32).hex()


def hashed(make_manifest, numbers, **columns):
    return make_manifest(
        {
            "sample_id": f"demo/{k:05d}",
            "pixel_sha256": hashes(k),
            "perceptual_hash": hashes(1000 + k),
            **{name: of(k) for name, of in columns.items()},
        }
        for k in numbers
    )


# -- tables, lists and arrays ----------------------------------------------------------------------


@pytest.mark.parametrize("by", ["sample_id", "key", "uri", "stem"])
@pytest.mark.parametrize("head", ["", "name,split\n", "index,path,split\n"])
def test_a_table_gives_the_split(make_manifest, tmp_path, by, head):
    manifest = make_manifest({} for _ in range(5))
    names = manifest.column("uri" if by in ("uri", "stem") else "sample_id")
    names = [name.partition("/")[2] for name in names] if by == "key" else names
    names = [Path(name).stem for name in names] if by == "stem" else names
    first = "0," if head.startswith("index") else ""
    lines = [f"{first}{name},{part}" for name, part in zip(names, PARTS, strict=True)]
    table = tmp_path / "my.csv"
    table.write_text(head + "\n".join(reversed(lines)))
    done = split(manifest, f"file:{table}")
    assert done.column("split") == SPLITS
    assert done.provenance["split"]["rule"] == "file:my.csv"
    said = done.provenance["split"]["split_file"]["demo"]
    assert (said["file"], said["matched"]["name"], said["missing"]) == ("my.csv", 5, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("demo/00000,train\ndemo/00001,holdout\n", "'holdout' of demo/00001 is no split; expected"),
        ("demo/00000,train\ndemo/00000,test\n", "demo/00000 is in train and in test"),
        ("a,train\nb,test\n", "2 of 2 rows of demo are not in"),
        ("", "is empty"),
        (None, "can't be read"),
    ],
)
def test_a_table_that_does_not_fit(make_manifest, tmp_path, text, problem):
    table = tmp_path / "my.csv"
    if text is not None:
        table.write_text(text)
    with pytest.raises(OptionError, match=problem):
        split(make_manifest([{}, {}]), f"file:{table}")


def test_a_rules_text_holds_no_directory(tmp_path):
    assert FileRule(tmp_path / "my.csv").text == "file:my.csv"
    assert parse_rule(f"file:{tmp_path}/a@b.csv@3") == FileRule(tmp_path / "a@b.csv", 3)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"train.txt": "a.jpg\nb.jpg\n", "test.txt": "c.jpg\n"}, ["train", "train", "test"]),
        ({"train.txt": "a.jpg 3\nb.jpg 4\n", "val.txt": "c.jpg 0\n"}, ["train", "train", "val"]),
        ({"all.txt": "train/a.jpg 3\ntrain/b.jpg 0\ntest/c.jpg 1\n"}, ["train", "train", "test"]),
        ({"all.csv": "name,usage\na.jpg,Training\nb.jpg,PublicTest\nc.jpg,PrivateTest\n"},
         ["train", "val", "test"]),
    ],
)  # fmt: skip
def test_lists_as_people_have_them(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    path = tmp_path / next(iter(files)) if len(files) == 1 else tmp_path
    table = read_split(path)
    named = dict(zip((Path(name).name for name in table.names), table.splits, strict=True))
    words = {"val": "validation"}
    assert named == {
        f"{k}.jpg": words.get(part, part) for k, part in zip("abc", expected, strict=True)
    }


def test_rafdbs_own_list_tells_the_split_by_the_names(tmp_path):
    (tmp_path / "list.txt").write_text("train_00001.jpg 5\ntest_0001.jpg 4\n")
    assert read_split(tmp_path / "list.txt").splits == ["train", "test"]


@pytest.mark.parametrize("base", [0, 1])
def test_lists_of_folds(make_manifest, tmp_path, base):
    for fold in range(3):
        (tmp_path / f"fold_{fold + base}.txt").write_text(f"{fold:05d}\n{fold + 3:05d}\n")
    manifest = make_manifest({} for _ in range(6))
    done = split(manifest, f"file:{tmp_path}@2", validation=0)
    assert done.column("split") == ["train", "test", "train"] * 2
    with pytest.raises(OptionError, match="has 3 folds; got @4"):
        split(manifest, f"file:{tmp_path}@4")


@pytest.mark.parametrize("kind", ["npz", "npy", "folder"])
def test_index_arrays_of_scikit_learn(make_manifest, tmp_path, kind):
    train, test = np.array([0, 2, 4]), np.array([1, 3])
    path = tmp_path / f"split.{kind}"
    if kind == "npz":
        np.savez(path, train_idx=train, test_idx=test)
    elif kind == "npy":
        np.save(path, np.array([-1, 0, -1, 0, -1]))
    else:
        path.mkdir()
        np.save(path / "train.npy", train)
        np.save(path / "test.npy", test)
    done = split(make_manifest({} for _ in range(5)), f"file:{path}", validation=0)
    assert done.column("split") == ["train", "test", "train", "test", "train"]
    with pytest.raises(OptionError, match="positions reach 4, but the copy has 3 rows"):
        split(make_manifest({} for _ in range(3)), f"file:{path}")


def test_pickled_arrays_are_not_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(OptionError, match="not an array"):
        read_split(tmp_path / "a.npy")


# -- published splits ------------------------------------------------------------------------------


def published(make_manifest, tmp_path, number=60):
    manifest = curate(hashed(make_manifest, range(number)), "stratified:8:1:1")
    file = tmp_path / "demo.split.json"
    save_split(export_split(manifest, {"demo": {"title": "Demo"}}), file)
    return manifest, file


def test_a_published_split_is_applied_to_renamed_files(make_manifest, tmp_path):
    manifest, file = published(make_manifest, tmp_path)
    renamed = hashed(make_manifest, range(60), sample_id=lambda k: f"demo/im{k * 7919}",
                     uri=lambda k: f"x/im{k * 7919}.png")  # fmt: skip
    done = curate(renamed, f"file:{file}")
    assert done.column("split") == manifest.column("split")
    assert done.provenance["split"]["split_file"]["demo"]["matched"] == {
        "name": 0, "pixels": 60, "near": 0
    }  # fmt: skip


def test_re_encoded_images_are_found_by_their_looks(make_manifest, tmp_path):
    manifest, file = published(make_manifest, tmp_path)

    def near(k):
        return f"{int(hashes(1000 + k), 16) ^ (0b101 << 200):064x}"

    other = hashed(make_manifest, range(60), sample_id=lambda k: f"demo/im{k}",
                   uri=lambda k: f"im{k}.png", pixel_sha256=lambda k: hashes(5000 + k),
                   perceptual_hash=near)  # fmt: skip
    done = curate(other, f"file:{file}")
    assert done.column("split") == manifest.column("split")
    assert done.provenance["split"]["split_file"]["demo"]["matched"]["near"] == 60


def test_the_same_split_has_the_same_digest_and_another_another(make_manifest, tmp_path):
    manifest, file = published(make_manifest, tmp_path)
    digest = load_split(file).digest
    assert digest.startswith("split:sha256:")
    assert manifest.provenance["split"]["digest"] == digest
    again = curate(hashed(make_manifest, reversed(range(60))), f"file:{file}")
    assert again.provenance["split"]["digest"] == digest
    drawn = curate(hashed(make_manifest, range(60)), "stratified:8:1:1", seed=1)
    assert drawn.provenance["split"]["digest"] != digest


def test_one_changed_label_one_missing_and_one_extra_row_are_listed(make_manifest, tmp_path):
    _, file = published(make_manifest, tmp_path)
    original = hashed(make_manifest, range(60))
    labels = original.column("label")
    other = next(name for name in original.label_space.names if name != labels[7])
    changed = hashed(make_manifest, [k for k in range(61) if k != 20],
                     label=lambda k: other if k == 7 else labels[k % 60])  # fmt: skip
    found = compare_split(changed, "demo", FileRule(file))
    assert found.missing == ("demo/00020",)
    assert found.extra == ("demo/00060",)
    (relabeled,) = found.relabeled
    assert (relabeled.sample_id, relabeled.label, relabeled.in_file) == (
        "demo/00007", other, labels[7]
    )  # fmt: skip
    done = curate(changed, f"file:{file}")
    assert [(each.sample_id, each.reason) for each in done.rejects] == [
        ("demo/00060", "not in the split file")
    ]
    said = done.provenance["split"]["split_file"]["demo"]
    assert (said["missing"], said["extra"], said["relabeled"]) == (1, 1, 1)


def test_images_that_two_entries_could_be_are_ambiguous(make_manifest, tmp_path):
    """Equal pixels in train and in test: which of them a renamed copy is, nobody can tell."""
    manifest = hashed(make_manifest, range(20), pixel_sha256=lambda k: hashes(k % 19))
    manifest = manifest.with_column("split", ["train"] * 19 + ["test"])
    file = tmp_path / "demo.split.json"
    save_split(export_split(manifest, {}), file)
    renamed = hashed(make_manifest, range(19), sample_id=lambda k: f"demo/im{k}",
                     uri=lambda k: f"im{k}.png", perceptual_hash=lambda _: None)  # fmt: skip
    found = compare_split(renamed, "demo", FileRule(file))
    assert found.ambiguous == ("demo/im0",)
    assert found.matched["pixels"] == 18


def test_all_folds_of_subjects_are_in_one_file(make_manifest, tmp_path):
    rows = hashed(make_manifest, range(60), subject=lambda k: f"S{k % 12:02d}")
    manifest = curate(rows, "subject-kfold:4:1", validation=0)
    file = tmp_path / "folds.split.json"
    written = export_split(manifest, {})
    save_split(written, file)
    assert written.counts == {f"fold {fold}": 15 for fold in range(1, 5)}
    for fold in range(1, 5):
        done = curate(rows, f"file:{file}@{fold}", validation=0)
        wanted = curate(rows, f"subject-kfold:4:{fold}", validation=0)
        assert done.column("split") == wanted.column("split")


def test_a_split_file_holds_no_path_and_no_attribute(make_manifest, tmp_path):
    manifest = hashed(make_manifest, range(9), subject=lambda k: f"Jane{k}",
                      uri=lambda k: f"secret/{k}.png")  # fmt: skip
    manifest = manifest.with_column("split", ["train"] * 9)
    text = export_split(manifest, {}).model_dump_json()
    assert set(json.loads(text)["columns"]) == {"id", "label", "split", "pixels", "near"}
    named = export_split(manifest, {}, ["subject"])
    assert set(named.columns) == {"id", "label", "split", "pixels", "near", "subject"}
    with pytest.raises(OptionError, match="no column shoe_size"):
        export_split(manifest, {}, ["shoe_size"])


def test_rows_without_a_split_are_not_published(make_manifest):
    with pytest.raises(OptionError, match="2 of 2 rows have no split"):
        export_split(make_manifest([{}, {}]), {})


@pytest.mark.parametrize("change", ["split", "digest", "format", "columns"])
def test_a_changed_split_file_is_refused(make_manifest, tmp_path, change):
    _, file = published(make_manifest, tmp_path)
    values = json.loads(file.read_text())
    if change == "split":
        values["columns"]["split"] = values["columns"]["label"]
    elif change == "columns":
        values["columns"]["id"] = "!"
    else:
        values[change] = "ferdata-split/9"
    file.write_text(json.dumps(values))
    with pytest.raises(OptionError, match="split file"):
        read_split(file)


def test_a_split_file_of_rafdbs_size_is_small(make_manifest, tmp_path):
    manifest = hashed(make_manifest, range(15339))
    parts = np.random.default_rng(0).choice(["train", "validation", "test"], 15339)
    save_split(export_split(manifest.with_column("split", parts.tolist()), {}), tmp_path / "a.json")
    assert (tmp_path / "a.json").stat().st_size <= 300_000


def test_of_a_mix_each_dataset_is_found_in_one_file(make_manifest, tmp_path):
    rows = [
        {"dataset": name, "sample_id": f"{name}/{k}", "pixel_sha256": hashes(int(k))}
        for name in ("one", "two")
        for k in "123456"
    ]
    manifest = make_manifest(rows).with_column("split", ["train", "test"] * 6)
    save_split(export_split(manifest, {}), tmp_path / "mix.json")
    found, rules = apply_split_files(
        make_manifest(rows), parse_rules_of(f"file:{tmp_path / 'mix.json'}")
    )
    assert Counter(rules.of("two").assign("two", [f"two/{k}" for k in "123456"])) == {
        "train": 3, "test": 3
    }  # fmt: skip
    assert not found.rejects


def parse_rules_of(text):
    from ferdata.core.split_rules import SplitRules

    return SplitRules(common=parse_rule(text))


def test_one_subject_is_left_out(make_manifest):
    rows = hashed(make_manifest, range(12), subject=lambda k: f"S{k % 4}")
    done = curate(rows, "loso:S2", validation=0)
    tested = {s for s, part in zip(done.column("subject"), done.column("split"), strict=True)
              if part == "test"}  # fmt: skip
    assert tested == {"S2"}
    assert export_split(done, {}).counts == {f"fold {k}": 3 for k in range(1, 5)}
    with pytest.raises(OptionError, match="has no subject 'Jane'; its 4 subjects are S0, S1"):
        curate(rows, "loso:Jane")


def test_repeated_draws_differ_and_repeat(make_manifest):
    rows = hashed(make_manifest, range(60))
    first, second, again = (
        curate(rows, rule).column("split")
        for rule in ("stratified:8:1:1", "stratified:8:1:1@2", "stratified:8:1:1@2")
    )
    assert first != second == again
    assert Counter(first) == Counter(second)
    assert parse_rule("stratified:8:1:1@1").text == "stratified:8:1:1"
    with pytest.raises(OptionError, match="the number of a draw after @"):
        parse_rule("stratified:8:1:1@x")
