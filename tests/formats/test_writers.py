"""Both shard formats keep one contract: complete or an error, and equal rows give equal bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferdata.core.errors import BuildError, UnknownNameError
from ferdata.formats.content import RowBatch, ShardSpec
from ferdata.formats.contract import ShardFormat
from ferdata.formats.dummies import cut, dummy_rows, dummy_spec
from ferdata.formats.names import DEFAULT_FORMATS, READ_FORMAT
from ferdata.formats.registry import FORMATS
from ferdata.ingesters.demo import write_demo
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.summary import summary
from ferdata.shards.verify import verify

SERIAL = Execution(executor="serial", quiet=True)
BY_NAME = pytest.mark.parametrize("entry", FORMATS.all(), ids=lambda entry: entry.name)


def write(entry: ShardFormat, path: Path, spec: ShardSpec, rows: RowBatch, size: int) -> str:
    with entry.writer(path, spec) as writer:
        for batch in cut(rows, size):
            writer.append(batch)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@BY_NAME
@pytest.mark.parametrize("encoding", ["raw", "png", "jpeg"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("rows", [1, 300])
def test_bytes_do_not_depend_on_batches(entry, encoding, channels, rows, tmp_path):
    spec = dummy_spec(rows=rows, encoding=encoding, channels=channels)
    content = dummy_rows(spec)
    # 300 = 23 × 13 + 1: the last batch of the first size has one row.
    hashes = {write(entry, tmp_path / "shard", spec, content, size) for size in (13, 64, 1000)}
    entry.check(tmp_path / "shard", spec)
    assert len(hashes) == 1


_SCRIPT = """
import sys
from pathlib import Path
from ferdata.formats.dummies import cut, dummy_rows, dummy_spec
from ferdata.formats.registry import FORMATS
spec = dummy_spec(rows=300, encoding=sys.argv[3])
with FORMATS.get(sys.argv[1]).writer(Path(sys.argv[2]), spec) as writer:
    for batch in cut(dummy_rows(spec), 50):
        writer.append(batch)
"""


@pytest.mark.parametrize(("name", "encoding"), [("hdf5", "raw"), ("hdf5", "png"), ("hf", "raw")])
def test_two_processes_write_the_same_bytes(name, encoding, tmp_path):
    hashes = set()
    for salt in ("1", "77"):
        path = tmp_path / f"{salt}.shard"
        # Freed and fresh memory is filled with another pattern in each process: bytes of
        # uninitialized memory in a file would differ.
        environment = os.environ | {"MALLOC_PERTURB_": salt, "PYTHONHASHSEED": salt}
        command = [sys.executable, "-c", _SCRIPT, name, str(path), encoding]
        subprocess.run(command, check=True, env=environment)
        hashes.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(hashes) == 1


@BY_NAME
def test_identity_comes_back(entry, tmp_path):
    spec = dummy_spec()
    rows = dummy_rows(spec)
    write(entry, tmp_path / "shard", spec, rows, 8)
    identity = entry.read_identity(tmp_path / "shard")
    assert identity.rows == spec.rows
    assert identity.split == "train"
    assert identity.plan_sha256 == spec.attributes["plan_sha256"]
    assert identity.columns["label"] == spec.label_space.decode(rows.label.tolist())
    for name in ("sample_id", "dataset", "subject", "parent_id", "operations"):
        assert identity.columns[name] == getattr(rows, name)


@BY_NAME
def test_missing_rows_are_an_error(entry, tmp_path):
    spec = dummy_spec(rows=20)
    with (
        pytest.raises(BuildError, match="12 of 20 rows"),
        entry.writer(tmp_path / "shard", spec) as writer,
    ):
        writer.append(dummy_rows(dummy_spec(rows=12)))


@BY_NAME
def test_too_many_rows_are_an_error(entry, tmp_path):
    with (
        pytest.raises(BuildError, match="21 rows for a shard of 20"),
        entry.writer(tmp_path / "shard", dummy_spec(rows=20)) as writer,
    ):
        writer.append(dummy_rows(dummy_spec(rows=21)))


@BY_NAME
def test_an_error_inside_the_block_is_the_error_that_comes_out(entry, tmp_path):
    with pytest.raises(ZeroDivisionError), entry.writer(tmp_path / "shard", dummy_spec()) as writer:
        writer.append(next(cut(dummy_rows(dummy_spec()), 5)))
        _ = 1 / 0
    with pytest.raises(BuildError):
        entry.check(tmp_path / "shard", dummy_spec())


@BY_NAME
@pytest.mark.parametrize(
    "change",
    [
        {"rows": 21},
        {"split": "test"},
        {"height": 25, "points": 4},
        {"landmark_scheme": "ibug68"},
        {"attributes": {"plan_sha256": "other"}},
    ],
    ids=str,
)
def test_check_finds_what_differs(entry, change, tmp_path):
    spec = dummy_spec()
    write(entry, tmp_path / "shard", spec, dummy_rows(spec), 8)
    entry.check(tmp_path / "shard", spec)
    with pytest.raises(BuildError):
        entry.check(tmp_path / "shard", replace(spec, **change))


@BY_NAME
@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.999])
def test_a_cut_off_file_is_a_build_error(entry, keep, tmp_path):
    spec = dummy_spec()
    path = tmp_path / "shard"
    write(entry, path, spec, dummy_rows(spec), 8)
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises(BuildError, match="shard"):
        entry.check(path, spec)
        entry.read_identity(path)


_FULL_DISK = """
import resource, sys
from pathlib import Path
from ferdata.core.errors import BuildError
from ferdata.formats.dummies import cut, dummy_rows, dummy_spec
from ferdata.formats.registry import FORMATS
spec = dummy_spec(rows=2000, height=64, width=64, encoding=sys.argv[3])
rows = dummy_rows(spec)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), -1))
try:
    with FORMATS.get(sys.argv[1]).writer(Path(sys.argv[2]), spec) as writer:
        for batch in cut(rows, 64):
            writer.append(batch)
except BuildError as error:
    sys.stdout.write(f"BuildError: {error}")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
@pytest.mark.parametrize(("name", "encoding"), [("hdf5", "raw"), ("hdf5", "png"), ("hf", "raw")])
@pytest.mark.parametrize("limit", [100, 100_000, 1_000_000])
def test_a_file_that_can_not_grow_is_a_build_error(name, encoding, limit, tmp_path):
    command = [sys.executable, "-c", _FULL_DISK, name, str(tmp_path / "s"), encoding, str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "can't be written" in done.stdout
    assert "File too large" in done.stdout


def test_a_folder_that_is_not_there_is_a_build_error(tmp_path):
    for entry in FORMATS.all():
        with pytest.raises(BuildError), entry.writer(tmp_path / "no" / "shard", dummy_spec()):
            pass


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("label", np.zeros(20, np.int32)),
        ("label", np.full(20, 7)),
        ("landmarks", np.zeros((20, 68, 2), np.float32)),
        ("box", np.zeros((20, 4))),
        ("pixels", np.zeros((20, 24, 18), np.uint8)),
        ("subject", ["x"] * 19),
        ("operations", ["a\0b"] * 20),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(column, values):
    spec = dummy_spec()
    batch = replace(dummy_rows(spec), **{column: values})
    with pytest.raises(BuildError):
        batch.check(spec)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"rows": 0}, BuildError),
        ({"channels": 4}, BuildError),
        ({"points": 0}, BuildError),
        ({"landmark_scheme": None}, BuildError),
        ({"attributes": {"format": "x"}}, BuildError),
        ({"encoding": "webp"}, UnknownNameError),
        ({"split": "dev"}, UnknownNameError),
    ],
)
def test_specs_that_contradict_themselves(change, error):
    with pytest.raises(error):
        dummy_spec(**change)


@BY_NAME
def test_a_format_knows_its_name(entry):
    assert FORMATS.get(entry.name) is entry


def test_the_default_formats_exist():
    assert set(DEFAULT_FORMATS) <= set(FORMATS)
    assert READ_FORMAT in FORMATS
    with pytest.raises(UnknownNameError, match="Did you mean 'hdf5'"):
        FORMATS.require("hdf4")


def test_format_names_load_no_format():
    program = (
        "import sys; from ferdata.formats.registry import FORMATS; list(FORMATS);"
        "assert not {'h5py', 'pyarrow', 'datasets', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_build_can_write_a_format_of_a_plugin(tmp_path):
    """A further format is one object: nothing else of ferdata has to know its name."""
    other = replace(FORMATS.get("hdf5"), name="other", title="other shards", folder="x/y")
    FORMATS.register("other")(other)
    try:
        options = BuildOptions(landmarks="none", formats=("other",))
        data = write_demo("jaffe", tmp_path / "data", scale=0.1).root
        out = tmp_path / "out"
        record = build_shards("jaffe", data, out, options, SERIAL).record
        shards = [shard for split in record.splits.values() for shard in split.shards]
        assert shards
        assert all(shard.startswith("x/y/") for shard in shards)
        assert verify(out, quiet=True).ok
        assert f"other shards {out / 'x'}" in summary(record, out)
    finally:
        FORMATS.unregister("other")
    with pytest.raises(ValueError, match="unknown format 'other'"):
        BuildOptions(formats=("other",))


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@BY_NAME
@settings(max_examples=15, deadline=None)
@given(ids=st.lists(TEXT.filter(bool), min_size=1, max_size=20), other=TEXT)
def test_any_text_goes_round(entry, ids, other, tmp_path_factory):
    spec = dummy_spec(rows=len(ids))
    rows = replace(dummy_rows(spec), sample_id=ids, operations=[other] * len(ids))
    path = tmp_path_factory.mktemp("text") / "shard"
    write(entry, path, spec, rows, 7)
    identity = entry.read_identity(path)
    assert identity.columns["sample_id"] == ids
    assert identity.columns["operations"] == [other] * len(ids)


@pytest.mark.parametrize("encoding", ["jpeg", "png"])
def test_images_that_encode_to_equally_many_bytes(tmp_path, encoding):
    spec = dummy_spec(rows=6, encoding=encoding)
    rows = dummy_rows(spec)
    same = replace(rows, pixels=np.zeros_like(rows.pixels))
    path = tmp_path / "shard"
    write(FORMATS.get("hdf5"), path, spec, same, 3)
    FORMATS.get("hdf5").check(path, spec)
    with h5py.File(path) as file:
        assert {bytes(image) for image in file["image"][:]} == {same.encoded(encoding)[0]}
