from __future__ import annotations

import json
import subprocess
import sys

import h5py
import pytest

from ferdata.core.errors import BuildError, UnknownNameError
from ferdata.data import Build, SplitArrays


def edit(mini, change):
    path = mini.root / "build.json"
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))


def test_open_reads_the_record(mini):
    build = Build.open(mini.root)
    assert build.label_space.names == ("anger", "fear", "neutral")
    assert build.image.shape == (20, 20, 3)
    assert build.landmarks.points == 5
    assert build.split("train").rows == 100
    assert Build.open(mini.root / "build.json").root == mini.root
    assert Build.open(build) is build


def test_a_build_is_given_as_text_as_a_path_or_opened(mini, monkeypatch):
    monkeypatch.setenv("HOME", str(mini.root.parent))
    for build in (mini.root, str(mini.root), "~/build", Build.open(mini.root)):
        assert len(SplitArrays(build, "test")) == 17
    assert repr(SplitArrays("~/build", "test")).startswith("SplitArrays(mini test: 17 images")


def test_no_such_directory(tmp_path):
    with pytest.raises(BuildError, match="no such folder"):
        Build.open(tmp_path / "nowhere")


def test_not_a_build(tmp_path):
    with pytest.raises(BuildError, match="not a build"):
        Build.open(tmp_path)


def test_unfinished_build(mini):
    (mini.root / "build.json").unlink()
    with pytest.raises(BuildError, match=r"is not finished.*again to resume"):
        Build.open(mini.root)


def test_other_format(mini):
    edit(mini, lambda facts: facts.update(format="ferdata-build/9"))
    with pytest.raises(BuildError, match="ferdata-build/9"):
        Build.open(mini.root)


def test_broken_json(mini):
    (mini.root / "build.json").write_text("{")
    with pytest.raises(BuildError, match=r"build\.json"):
        Build.open(mini.root)


def test_missing_key_is_named(mini):
    edit(mini, lambda facts: facts["image"].pop("height"))
    with pytest.raises(BuildError, match=r"image\.height"):
        Build.open(mini.root)


def test_missing_split_lists_those_there(mini):
    with pytest.raises(UnknownNameError, match=r"test, train, validation.*Did you mean 'train'"):
        SplitArrays(mini.root, "trian")


def test_missing_shard_is_named(mini):
    (mini.root / "hdf5" / "train-00002-of-00004.h5").unlink()
    with pytest.raises(BuildError, match=r"train-00002-of-00004\.h5: shard is missing"):
        SplitArrays(mini.root, "train")


@pytest.mark.parametrize("shard", ["../train.h5", "/data/train.h5", "C:/train.h5"])
def test_shard_outside_the_build(mini, shard):
    edit(mini, lambda facts: facts["splits"]["train"].update(shards=[shard]))
    with pytest.raises(BuildError, match="leaves the build"):
        SplitArrays(mini.root, "train")


def test_row_counts_must_agree(mini):
    edit(mini, lambda facts: facts["splits"]["train"].update(rows=99))
    with pytest.raises(BuildError, match=r"100 rows.*99"):
        SplitArrays(mini.root, "train")


def test_rows_are_counted_where_not_recorded(mini):
    edit(mini, lambda facts: facts.pop("files"))
    assert len(SplitArrays(mini.root, "train")) == 100


def test_shard_shorter_than_recorded(mini):
    def change(facts):
        files = facts["files"]
        files["hdf5/train-00000-of-00004.h5"]["rows"] += 1
        files["hdf5/train-00001-of-00004.h5"]["rows"] -= 1

    edit(mini, change)
    with pytest.raises(BuildError, match="ferdata verify"):
        SplitArrays(mini.root, "train").gather([0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "other/1"),
        ("plan_sha256", "cd" * 32),
        ("split", "test"),
        ("label_space", '{"name": "x", "names": ["fear", "anger", "neutral"]}'),
    ],
)
def test_shard_of_another_build_is_refused(mini, name, value):
    path = mini.root / "hdf5" / "train-00001-of-00004.h5"
    with h5py.File(path, "r+") as file:
        file.attrs[name] = value
    with pytest.raises(BuildError, match="train-00001-of-00004"):
        SplitArrays(mini.root, "train").gather([50])


def test_file_that_is_no_hdf5(mini):
    (mini.root / "hdf5" / "train-00001-of-00004.h5").write_bytes(b"nothing")
    with pytest.raises(BuildError, match="can't be opened as HDF5"):
        SplitArrays(mini.root, "train").gather([50])


def test_shard_that_was_cut_off(mini):
    path = mini.root / "hdf5" / "train-00001-of-00004.h5"
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(BuildError, match="ferdata verify"):
        SplitArrays(mini.root, "train").gather([50])


def test_a_shard_that_is_open_elsewhere_in_the_process(mini):
    with h5py.File(mini.root / "hdf5" / "validation-00000-of-00001.h5", "r"):
        assert len(SplitArrays(mini.root, "validation").gather([0])["label"]) == 1


def test_reading_with_numpy_loads_no_torch(mini):
    program = (
        "import sys; from ferdata.data import Build, SplitArrays;"
        "from ferdata.data.framing import describe_framing;"
        f"SplitArrays({str(mini.root)!r}, 'train').gather([1, 99, 3]);"
        "assert not {'torch', 'lightning', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_split_without_rows(mini):
    edit(mini, lambda facts: facts["splits"].update(validation={"rows": 0, "shards": []}))
    arrays = SplitArrays(mini.root, "validation")
    assert len(arrays) == 0
    assert arrays.class_weights().tolist() == [0, 0, 0]
