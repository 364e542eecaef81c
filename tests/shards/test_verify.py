from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from ferdata.core.errors import BuildError
from ferdata.core.files import read_json, sha256_file, write_json
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject, save_rejects
from ferdata.shards.dummies import write_dummy_build
from ferdata.shards.verify import verify
from ferdata.shards.verify_report import FindingKind

H5 = "hdf5/train-00001-of-00002.h5"
PARQUET = "hf/data/train-00001-of-00002.parquet"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    return write_dummy_build(tmp_path_factory.mktemp("büild dir") / "out")


@pytest.fixture
def build(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "out")


def files(report, kind: FindingKind | None = None) -> list[str]:
    return [found.file for found in report.findings if kind in (None, found.kind)]


def edit_json(path: Path, change) -> None:
    value = read_json(path)
    change(value)
    write_json(path, value)


def record_again(build: Path, *names: str) -> None:
    """Make hashes right again after a change, as a build that went wrong would have written it."""
    for name in names:
        digest = sha256_file(build / name)
        edit_json(build / "build.json", lambda v, n=name, d=digest: v["files"][n].update(sha256=d))
        sidecar = build / f"{name}.json"
        if sidecar.exists():
            edit_json(sidecar, lambda value, d=digest: value.update(sha256=d))


def change_manifest(build: Path, column: str, change) -> None:
    manifest = Manifest.load(build / "manifest.parquet")
    values = manifest.column(column)
    change(values)
    manifest.with_column(column, values).save(build / "manifest.parquet")
    record_again(build, "manifest.parquet")


@pytest.mark.parametrize("encoding", ["raw", "png"])
@pytest.mark.parametrize("formats", [("hdf5", "hf"), ("hdf5",), ("hf",)])
def test_a_good_build_is_good(encoding, formats, tmp_path):
    report = verify(write_dummy_build(tmp_path / "b", encoding=encoding, formats=formats))
    assert report.findings == ()
    assert report.ok
    assert report.rows == 49
    assert report.files == 4 * len(formats) + 3
    assert report.bytes > 10_000


@pytest.mark.parametrize("name", [H5, PARQUET, "manifest.parquet", "plan.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "remove", "text"])
def test_any_damage_names_the_file(build, name, damage):
    path = build / name
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif damage == "remove":
        path.unlink()
    else:
        path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "text": b"hello"}[damage])
    report = verify(build)
    assert not report.ok
    assert name in files(report)
    kind = FindingKind.MISSING if damage == "remove" else FindingKind.CONTENT
    assert name in files(report, kind)


@pytest.mark.parametrize("name", [H5, PARQUET, "manifest.parquet"])
def test_a_file_that_is_recorded_and_no_shard_is_a_finding(build, name):
    (build / name).write_bytes(b"hello")
    record_again(build, name)
    assert name in files(verify(build), FindingKind.UNREADABLE)


def test_all_differences_are_reported_at_once(build):
    (build / H5).write_bytes(b"")
    (build / PARQUET).unlink()
    shutil.copy(build / "hdf5/test-00000-of-00001.h5", build / "hdf5/test-00001-of-00002.h5")
    found = files(verify(build))
    assert {H5, PARQUET, "hdf5/test-00001-of-00002.h5"} <= set(found)


def test_every_label_in_hdf5_is_compared(build):
    with h5py.File(build / H5, "r+") as file:
        file["label"][5] = (file["label"][5] + 1) % 7
    record_again(build, H5)
    (finding,) = verify(build).findings
    assert finding.file == H5
    assert finding.kind == FindingKind.ROWS
    assert "label differs from the manifest in 1 of 13 rows; first row 5 (démo/train_00025)" in (
        finding.what
    )


@pytest.mark.parametrize("column", ["label", "sample_id", "parent_id", "operations", "subject"])
def test_every_row_in_parquet_is_compared(build, column):
    table = pq.read_table(build / PARQUET)
    values = table.column(column).to_pylist()
    values[3] = (values[3] + 1) % 7 if column == "label" else "other"
    position = table.schema.get_field_index(column)
    kind = table.schema.field(position)
    table = table.set_column(position, kind, pa.array(values, kind.type))
    pq.write_table(table, build / PARQUET)
    record_again(build, PARQUET)
    report = verify(build)
    assert files(report, FindingKind.ROWS) == [PARQUET]
    assert f"{column} differs from the manifest in 1 of 13" in report.findings[0].what


def test_rows_in_another_order_are_found(build):
    def swap(values):
        values[0], values[1] = values[1], values[0]

    change_manifest(build, "sample_id", swap)
    found = files(verify(build), FindingKind.ROWS)
    assert found == ["hdf5/train-00000-of-00002.h5", "hf/data/train-00000-of-00002.parquet"]


def test_the_split_of_every_row_is_compared(build):
    change_manifest(build, "split", lambda values: values.__setitem__(0, "test"))
    report = verify(build)
    assert any("split differs" in found.what for found in report.findings)
    assert any("train has" in found.what for found in report.findings)


def test_an_augmented_row_outside_train_is_found(build):
    change_manifest(build, "parent_id", lambda values: values.__setitem__(-1, "démo/train_00000"))
    report = verify(build)
    assert "manifest.parquet" in files(report, FindingKind.RULE)
    assert any("outside the train split" in found.what for found in report.findings)


def test_a_picture_in_two_splits(build):
    change_manifest(build, "pixel_sha256", lambda values: values.__setitem__(-1, values[0]))
    report = verify(build)
    assert any("1 images are in more than one split" in found.what for found in report.findings)
    edit_json(build / "build.json", lambda value: value["options"].update(duplicates="keep"))
    kept = verify(build)
    assert len(kept.findings) == len(report.findings) - 1
    assert "in more than one split" in kept.notes[0]


def test_counts_are_compared(build):
    edit_json(
        build / "build.json", lambda value: value["splits"]["train"]["counts"].update(anger=1000)
    )
    found = [finding.what for finding in verify(build).findings]
    assert any("1000 anger" in what for what in found)


@pytest.mark.parametrize("key", ["rows", "sha256", "plan_sha256", "counts", "file"])
def test_sidecars_are_compared(build, key):
    sidecar = f"{H5}.json"
    edit_json(build / sidecar, lambda value: value.update({key: "other"}))
    (finding,) = verify(build).findings
    assert finding.file == sidecar
    assert repr(key) in finding.what


@pytest.mark.parametrize("content", [None, "", "[]", "{", "12"])
def test_a_sidecar_that_is_none(build, content):
    path = build / f"{H5}.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    assert set(files(verify(build))) == {f"{H5}.json"}


def test_the_plan_is_compared(build):
    edit_json(build / "plan.json", lambda value: value.update(manifest_digest="00"))
    record_again(build, "plan.json")
    (finding,) = verify(build).findings
    assert finding.file == "manifest.parquet"
    edit_json(build / "plan.json", lambda value: value.update(sha256="00"))
    record_again(build, "plan.json")
    (finding,) = verify(build).findings
    assert finding.file == "plan.json"


def test_rejects_are_counted(build):
    save_rejects([Reject("a", "b", "faces", "c")], build / "rejects.parquet")
    record_again(build, "rejects.parquet")
    (finding,) = verify(build).findings
    assert "1 rejects, build.json says 0" in finding.what


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b"])
def test_no_path_leaves_the_build(build, name, tmp_path):
    (tmp_path / "secret").write_text("x")
    edit_json(build / "build.json", lambda v: v["files"].update({name: {"sha256": "0", "rows": 1}}))
    (finding,) = verify(build).findings
    assert "outside the build" in finding.what


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "not a build"), ("[]", "not written by"), ('{"format": "x/2"}', "format x/2")],
)
def test_what_is_no_build(content, message, tmp_path):
    if content is not None:
        (tmp_path / "build.json").write_text(content)
    with pytest.raises(BuildError, match=message):
        verify(tmp_path)


def test_an_unfinished_build(build):
    (build / "build.json").unlink()
    with pytest.raises(BuildError, match="not finished"):
        verify(build)


@pytest.mark.parametrize("damage", ["cut", "fields"])
def test_a_damaged_build_json(build, damage):
    path = build / "build.json"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    else:
        edit_json(path, lambda value: value.update(splits=3, files={"a": {}}))
    (finding,) = verify(build).findings
    assert finding.file == "build.json"


def app():
    import typer

    from ferdata.cli.verify import verify as command

    program = typer.Typer(rich_markup_mode=None)
    program.command()(command)
    return program


def test_command_line(build):
    runner = CliRunner()
    good = runner.invoke(app(), [str(build)])
    assert good.exit_code == 0
    assert good.stdout.startswith("OK: ")
    assert runner.invoke(app(), [str(build), "--quiet"]).stdout == ""
    answer = json.loads(runner.invoke(app(), [str(build), "--json"]).stdout)
    assert answer["ok"] is True
    (build / H5).write_bytes(b"")
    bad = runner.invoke(app(), [str(build)])
    assert bad.exit_code == 1
    assert f"{H5}: content differs" in bad.stdout
    bad = runner.invoke(app(), [str(build), "--json"])
    assert bad.exit_code == 1
    assert [found["file"] for found in json.loads(bad.stdout)["findings"]] == [H5]
    nothing = runner.invoke(app(), [str(build / "hf")])
    assert isinstance(nothing.exception, BuildError)
    assert nothing.exception.exit_code == 2
