"""Builds from recipes end to end: leaks are said everywhere, and `--leak-free` has none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from ferdata.augmentation.operations.photometric import equalize_histogram
from ferdata.cli.app import app
from ferdata.core.files import read_json, sha256_file, write_json
from ferdata.core.manifest import Manifest
from ferdata.faces.set_alignment import SetAlignment
from ferdata.shards import BuildOptions, Execution, build_shards, pipeline
from ferdata.shards.plan import make_plan
from ferdata.shards.record import BuildRecord
from ferdata.shards.render import render_row
from ferdata.shards.verify import verify
from ferdata.shards.verify_report import FindingKind

SERIAL = Execution(executor="serial", quiet=True)

LEAKY = {
    "name": "leaky",
    "title": "a test",
    "summary": "Augments first.",
    "paper": {"title": "None", "authors": "Nobody", "year": 2000},
    "build": {
        "size": 32,
        "landmarks": "none",
        "duplicates": "keep",
        "split": "stratified:7:2:1",
        "augment": "balance",
        "augment_before_split": True,
        "balance_to": {"fear": 3000, "happiness": 6500},
        "shard_bytes": 100_000,
        "operations": [{"op": "brightness", "change": [0.1, 0.2], "probability": 1.0}],
    },
    "leak_free": {"balance_to": {"fear": 2100}},
    "datasets": {
        "rafdb": {"data": "RAF-DB", "expected": [{"where": "Table 9", "total": 20_000}]},
    },
}


def run(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def run_build(*words: object) -> Result:
    return run("build", "rafdb", *words, "--executor", "serial")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "leaky.yaml"
    path.write_text(yaml.safe_dump(LEAKY))
    return path


@pytest.fixture(scope="module")
def leaky(demo_rafdb: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a build that augments first, with its summary beside it; never write into it."""
    out = tmp_path_factory.mktemp("leaky") / "out"
    result = run_build("--data", demo_rafdb, "--recipe", recipe, "--out", out)
    assert result.exit_code == 0, result.output
    (out.parent / "summary.txt").write_text(result.stdout)
    return out


def test_images_are_augmented_before_they_are_split(leaky: Path) -> None:
    frame = Manifest.load(leaky / "manifest.parquet").to_pandas()
    copies = frame[frame.parent_id.notna()]
    assert set(copies.split) == {"train", "validation", "test"}
    parents = frame.set_index("sample_id").split
    assert (copies.split.to_numpy() != parents[copies.parent_id].to_numpy()).any()
    counts = frame.groupby("label").size()
    assert counts["fear"] == round(0.012 * 3000)  # the numbers are those of the whole dataset
    assert counts["happiness"] == round(0.012 * 6500)
    share = frame[frame.split == "test"].groupby("label").size() / counts
    assert (abs(share * counts - 0.1 * counts) < 1).all()


def test_record_card_and_summary_say_that_it_leaks(leaky: Path, recipe: Path) -> None:
    record = read_json(leaky / "build.json")
    (text,) = record["leaks"]
    assert "after augmentation" in text and "share an original image with train" in text
    assert "the official split of rafdb is not used" in record["notes"][0]
    card = (leaky / "hf" / "README.md").read_text()
    assert f"**This build leaks:** {text}" in card
    assert "Split before augmentation" not in card
    assert "Validation is 10%" not in card  # two tenths of everything, by the rule
    assert "before the split" in card
    assert "Note: the official split of rafdb is not used" in card
    assert "Built with the recipe leaky." in card
    summary = (leaky.parent / "summary.txt").read_text()
    assert f"THIS BUILD LEAKS: {text}." in summary
    assert "only train is augmented" not in summary
    assert f"ferdata train {leaky} --recipe {recipe}\n" in summary  # the file, not its name
    assert "Table 9: not compared: this is a synthetic copy at scale 0.012" in summary
    assert record["recipe"]["name"] == record["options"]["recipe"] == "leaky"


def test_the_summary_counts_every_split_with_its_copies(leaky: Path) -> None:
    lines = (leaky.parent / "summary.txt").read_text().splitlines()
    head = next(line for line in lines if line.startswith("class"))
    assert head.split() == ["class", "images", "augmented", "train", "valid", "test"]
    fear = next(line for line in lines if line.startswith("fear")).split()
    assert fear[:3] == ["fear", "4", "36"]
    assert sum(map(int, fear[4:])) == 36


def test_verify_passes_a_declared_leak_and_reports_it(leaky: Path) -> None:
    result = run("verify", leaky)
    assert result.exit_code == 0, result.output
    assert "note: this build leaks, as declared: originals and augmented" in result.stdout


def test_verify_finds_a_leak_that_is_not_declared(leaky: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(leaky, tmp_path / "out"))
    manifest = Manifest.load(out / "manifest.parquet")
    quiet = {key: value for key, value in manifest.provenance.items() if key != "leak"}
    sizes = [shard["rows"] for shard in read_json(out / "plan.json")["shards"]]
    silent = Manifest(manifest.table, manifest.label_space, provenance=quiet)
    silent.save(out / "manifest.parquet", row_group_sizes=sizes)
    record = read_json(out / "build.json")
    record["files"]["manifest.parquet"]["sha256"] = sha256_file(out / "manifest.parquet")
    write_json(out / "build.json", record)
    found = verify(out, quiet=True).findings
    said = [finding.what for finding in found]
    assert any("outside the train split" in what for what in said)
    assert any("contains augmented copies in test" in what for what in said)
    assert "build.json" in {f.file for f in found if f.kind == FindingKind.RECORD}


@pytest.mark.parametrize("leaks", [[], ["fine"]])
def test_verify_finds_a_record_that_is_silent_about_the_leak(
    leaky: Path, tmp_path: Path, leaks: list[str]
) -> None:
    out = Path(shutil.copytree(leaky, tmp_path / "out"))
    record = read_json(out / "build.json")
    write_json(out / "build.json", record | {"leaks": leaks})
    (finding,) = verify(out, quiet=True).findings
    assert finding.file == "build.json" and "leaks" in finding.what


def test_a_rerun_renders_nothing(leaky: Path, demo_rafdb: Path, recipe: Path) -> None:
    options = BuildOptions(recipe=str(recipe))
    assert build_shards("rafdb", demo_rafdb, leaky, options, SERIAL).already_done


def test_a_rerun_compares_with_what_the_recipe_says_now(
    leaky: Path, demo_rafdb: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(leaky, tmp_path / "out"))
    kept = {path: path.stat().st_mtime_ns for path in out.glob("hdf5/*.h5")}
    path = tmp_path / "leaky.yaml"
    uses = {"rafdb": {"data": "RAF-DB", "expected": [{"where": "Table 10", "total": 1}]}}
    path.write_text(yaml.safe_dump(LEAKY | {"datasets": uses}))
    options = BuildOptions(recipe=str(path))
    report = build_shards("rafdb", demo_rafdb, out, options, SERIAL)
    for record in (report.record, BuildRecord.open(out)):
        assert [each.where for each in record.recipe.expected] == ["Table 10"]
    assert "Table 10" in (out / "hf/README.md").read_text()
    assert kept == {path: path.stat().st_mtime_ns for path in out.glob("hdf5/*.h5")}
    assert verify(out, quiet=True).ok
    assert build_shards("rafdb", demo_rafdb, out, options, SERIAL).already_done


def test_rows_that_fail_in_rendering_are_in_no_count_and_no_leak(
    demo_rafdb: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path(shutil.copytree(demo_rafdb, tmp_path / "data"))

    def lose_files(manifest: Manifest, options: BuildOptions) -> Any:
        parents = dict.fromkeys(filter(None, manifest.column("parent_id")))
        uris = dict(zip(manifest.column("sample_id"), manifest.column("uri"), strict=True))
        for name in list(parents)[:4]:
            (data / "basic" / uris[name]).unlink()
        return make_plan(manifest, options)

    monkeypatch.setattr(pipeline, "make_plan", lose_files)
    out = tmp_path / "out"
    options = BuildOptions(recipe=str(recipe), formats=("hdf5",), max_reject_rate=0.5)
    record = build_shards("rafdb", data, out, options, SERIAL).record
    stored = Manifest.load(out / "manifest.parquet")
    frame = stored.to_pandas()
    originals = frame[frame.parent_id.isna()]
    before = record.summary.before
    assert sum(sum(rows.values()) for rows in before.values()) == len(originals)
    assert sum(record.summary.faces.values()) == len(originals)
    leak = stored.provenance["leak"]
    assert leak["held_out"]["test"] == (frame.split == "test").sum()
    assert leak["photograph"]["all"] == frame.pixel_sha256.nunique()
    assert verify(out, quiet=True).ok


def test_the_plan_and_the_bytes_are_the_same_with_two_workers(
    leaky: Path, demo_rafdb: Path, recipe: Path, tmp_path: Path
) -> None:
    two = Execution(workers=2, quiet=True)
    build_shards("rafdb", demo_rafdb, tmp_path / "out", BuildOptions(recipe=str(recipe)), two)
    for name in ("plan.json", "build.json", "manifest.parquet", "hf/README.md"):
        assert (tmp_path / "out" / name).read_bytes() == (leaky / name).read_bytes()


def test_a_damaged_build_goes_on_from_its_shards(
    leaky: Path, demo_rafdb: Path, recipe: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(leaky, tmp_path / "out"))
    (out / "build.json").unlink()
    lost = out / "hdf5/test-00000-of-00001.h5"
    lost.unlink()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("hdf5/train-*.h5")}
    build_shards("rafdb", demo_rafdb, out, BuildOptions(recipe=str(recipe)), SERIAL)
    assert (out / "build.json").read_bytes() == (leaky / "build.json").read_bytes()
    assert kept == {path: path.stat().st_mtime_ns for path in out.glob("hdf5/train-*.h5")}


def test_copies_are_made_with_the_operations_of_the_recipe(leaky: Path, demo_rafdb: Path) -> None:
    manifest = Manifest.load(leaky / "manifest.parquet", roots={"rafdb": demo_rafdb / "basic"})
    drawn = [json.loads(text) for text in manifest.column("operations") if text]
    assert {entry["op"] for entries in drawn for entry in entries} == {"brightness"}
    assert all(0.1 <= abs(entry["factor"] - 1) <= 0.2001 for entries in drawn for entry in entries)
    options = BuildOptions.model_validate(read_json(leaky / "build.json")["options"])
    with h5py.File(leaky / "hdf5/test-00000-of-00001.h5") as file:
        names, parents = file["sample_id"].asstr()[:], file["parent_id"].asstr()[:]
        row = next(index for index, parent in enumerate(parents) if parent)
        pixels = render_row(manifest, names[row], "five", options, SetAlignment()).pixels
        np.testing.assert_array_equal(pixels, file["image"][row])


def test_sound_splits_first_and_does_not_leak(
    demo_rafdb: Path, recipe: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["--data", demo_rafdb, "--recipe", recipe, "--leak-free", "--out", out]
    result = run_build(*words)
    assert result.exit_code == 0, result.output
    assert "LEAKS" not in result.stdout
    assert "recipe     leaky with --leak-free" in result.stdout
    record = read_json(out / "build.json")
    assert record["leaks"] == []
    assert record["recipe"]["leak_free"] is True
    frame = Manifest.load(out / "manifest.parquet").to_pandas()
    assert set(frame[frame.parent_id.notna()].split) == {"train"}
    assert frame.groupby("pixel_sha256").split.nunique().max() == 1
    assert "leaks" not in (out / "hf/README.md").read_text()
    report = verify(out, quiet=True)
    assert report.ok and not report.notes


def test_the_command_line_comes_before_the_recipe(
    demo_rafdb: Path, recipe: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("operations:\n  - {op: gaussian_blur, sigma: [0.6, 0.7], probability: 1}\n")
    out = tmp_path / "out"
    words: Sequence[object] = [
        *("--data", demo_rafdb, "--recipe", recipe, "--out", out),
        *("--operations", own, "--size", 48, "--balance-to", "fear=9", "--formats", "hdf5"),
    ]
    result = run_build(*words)
    assert result.exit_code == 0, result.output
    record = read_json(out / "build.json")
    assert record["image"]["height"] == 48
    manifest = Manifest.load(out / "manifest.parquet")
    drawn = [json.loads(text) for text in manifest.column("operations") if text]
    assert len(drawn) == 9 - 4  # what is given is not scaled
    assert all(entry["op"] == "gaussian_blur" for entries in drawn for entry in entries)


def test_equalized_images_come_out_of_a_row_alone(demo_rafdb: Path, tmp_path: Path) -> None:
    plain = BuildOptions(landmarks="none", size=48, augment="balance", formats=("hdf5",))
    equal = plain.model_copy(update={"equalize": True})
    build_shards("rafdb", demo_rafdb, tmp_path / "plain", plain, SERIAL)
    build_shards("rafdb", demo_rafdb, tmp_path / "equal", equal, SERIAL)
    manifest = Manifest.load(
        tmp_path / "equal/manifest.parquet", roots={"rafdb": demo_rafdb / "basic"}
    )
    name = "hdf5/test-00000-of-00001.h5"
    with h5py.File(tmp_path / "plain" / name) as before, h5py.File(tmp_path / "equal" / name) as to:
        for row in range(5):
            expected = equalize_histogram(before["image"][row])
            assert not np.array_equal(expected, before["image"][row])
            np.testing.assert_array_equal(to["image"][row], expected)
    with h5py.File(tmp_path / "equal/hdf5/train-00000-of-00001.h5") as file:
        parents = file["parent_id"].asstr()[:]
        row = next(index for index, parent in enumerate(parents) if parent)
        rendered = render_row(
            manifest, file["sample_id"].asstr()[row], "five", equal, SetAlignment()
        )
        np.testing.assert_array_equal(rendered.pixels, file["image"][row])
    plans = [read_json(tmp_path / out / "plan.json") for out in ("plain", "equal")]
    assert plans[0]["manifest_digest"] == plans[1]["manifest_digest"]
    assert plans[0]["sha256"] != plans[1]["sha256"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipe", "lmfr"], "Did you mean 'lmfer'"),
        (["--recipe", "a_mobilenet", "--size", "3"], "--size 3"),
        (["--leak-free"], "needs --recipe"),
        (["--operations", "{tmp}/none.yaml"], "--operations"),
        (["--recipe", "{tmp}/broken.yaml"], "not a YAML file"),
    ],
)
def test_a_wrong_call_is_refused_before_a_face_is_drawn(
    tmp_path: Path, words: list[str], message: str
) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")
    words = [word.format(tmp=tmp_path) for word in words]
    result = run("build", "rafdb", "--demo", "--out", tmp_path / "out", *words)
    assert result.exit_code != 0
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_recipe_for_other_data_is_refused(tmp_path: Path) -> None:
    result = run("build", "jaffe", "--demo", "--recipe", "lmfer", "--out", tmp_path / "out")
    assert "is not for 'jaffe'" in str(result.exception)


@pytest.fixture(scope="module")
def ckplus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ferdata.ingesters.demo import write_demo

    return write_demo(
        "ckplus", tmp_path_factory.mktemp("ck"), layout="ck48", scale=0.2, quiet=True
    ).root


def test_frames_are_assigned_individually_on_demand(ckplus: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"split": "stratified:8:1:1", "landmarks": "none", "size": 32}
    leaky = BuildOptions(**options, allow_group_leak=True)
    report = build_shards("ckplus", ckplus, tmp_path / "leaky", leaky, SERIAL)
    (text,) = report.record.leaks
    assert "images of ckplus were assigned to splits individually" in text
    assert "share a sequence with train" in text and "share a subject with train" in text
    assert f"**This build leaks:** {text}" in (tmp_path / "leaky/hf/README.md").read_text()
    checked = verify(tmp_path / "leaky", quiet=True)
    assert checked.ok, checked.findings
    assert any("as declared" in note for note in checked.notes)
    leak_free = build_shards(
        "ckplus", ckplus, tmp_path / "leak_free", BuildOptions(**options), SERIAL
    )
    assert leak_free.record.leaks == ()
    frame = Manifest.load(tmp_path / "leak_free/manifest.parquet").to_pandas()
    assert frame.groupby("subject").split.nunique().max() == 1
