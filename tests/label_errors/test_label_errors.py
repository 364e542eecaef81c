"""Label errors: planted ones are found, the selection is cleanlab's, and nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from typer.testing import CliRunner

from ferdata.api.labels import find_label_errors
from ferdata.cli.app import app
from ferdata.core.errors import OptionError
from ferdata.core.files import write_csv
from ferdata.core.manifest import load_manifest
from ferdata.curation.label_patches import LabelChange, LabelPatch, load_patch, save_patch
from ferdata.data.build import Build
from ferdata.label_errors.confident import find_suspicions
from ferdata.label_errors.held_out import cross_validated
from ferdata.shards import BuildOptions, Execution, build_shards

QUIET = Execution(workers=1, quiet=True)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """Return a build of synthetic faces with a tenth of the labels flipped, and which."""
    out = tmp_path_factory.mktemp("labels")
    plain = BuildOptions(landmarks="none", align="none", size=64, formats=("hdf5",))
    from ferdata.ingesters.demo import write_demo

    data = write_demo("rafdb", out / "data", layout="kaggle", scale=0.05, quiet=True).root
    build_shards("rafdb", data, out / "clean", plain, QUIET)
    manifest = load_manifest(out / "clean/manifest.parquet")
    names, draws = manifest.label_space.names, np.random.default_rng(0)
    rows = [row for row, part in enumerate(manifest.column("split")) if part != "test"]
    chosen = draws.choice(rows, len(rows) // 10, replace=False)
    ids, labels = manifest.column("sample_id"), manifest.column("label")
    changes = tuple(
        LabelChange(
            sample_id=ids[row],
            old=labels[row],
            new=str(draws.choice([name for name in names if name != labels[row]])),
        )
        for row in chosen
    )
    save_patch(LabelPatch(changes=changes), out / "noise.json")
    options = plain.model_copy(update={"labels": str(out / "noise.json")})
    build_shards("rafdb", data, out / "noisy", options, QUIET)
    return out / "noisy", {change.sample_id for change in changes}


def test_flipped_labels_come_first(noisy: tuple[Path, set[str]], tmp_path: Path) -> None:
    build, flipped = noisy
    before = {path: path.read_bytes() for path in build.rglob("*") if path.is_file()}
    found = find_label_errors(build, out=tmp_path)
    first = found.issues[: found.images // 20]
    assert np.mean([each.sample_id in flipped for each in first]) >= 0.8
    listed = {each.sample_id for each in found.issues}
    assert len(listed & flipped) / len(flipped) >= 0.7
    assert found.splits == ("train", "validation")
    assert found.split_digest == Build.open(build).record.split_digest
    assert {path: path.read_bytes() for path in build.rglob("*") if path.is_file()} == before
    proposal = load_patch(tmp_path / "proposal.labels.json")
    assert [each.sample_id for each in proposal.changes][:5] == [
        each.sample_id for each in found.issues if each.suggested != each.label
    ][:5]
    sheets = {path.stem for path in (tmp_path / "sheets").iterdir()}
    assert sheets == {each.label for each in found.issues}
    record = json.loads((tmp_path / "label_errors.json").read_text())
    assert record["issues"] == [each.model_dump() for each in found.issues]
    rows = (tmp_path / "issues.csv").read_text().splitlines()
    assert len(rows) == len(found.issues) + 1


def test_test_images_are_examined_only_when_asked(
    noisy: tuple[Path, set[str]], tmp_path: Path
) -> None:
    predictions_of(noisy[0], tmp_path / "p.csv", without="")
    options = {"predictions": str(tmp_path / "p.csv"), "include_test": True}
    found = find_label_errors(noisy[0], out=tmp_path / "out", **options)
    assert set(found.splits) == {"train", "validation", "test"}
    assert found.images == Build.open(noisy[0]).record.rows


def predictions_of(build: Path, path: Path, without: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Write random predictions that mostly agree with the labels; return labels and them."""
    manifest = load_manifest(build / "manifest.parquet")
    names = manifest.label_space.names
    rows = [row for row, part in enumerate(manifest.column("split")) if part != without]
    labels = np.array([names.index(manifest.column("label")[row]) for row in rows])
    draws = np.random.default_rng(1)
    probabilities = draws.dirichlet(np.full(len(names), 0.3), len(rows))
    probabilities[np.arange(len(rows)), labels] += 0.8
    probabilities = np.round(probabilities / probabilities.sum(axis=1, keepdims=True), 6)
    ids = [manifest.column("sample_id")[row] for row in rows]
    table = [[name, *values] for name, values in zip(ids, probabilities.tolist(), strict=True)]
    write_csv(path, ["sample_id", *names], draws.permutation(np.array(table, object)).tolist())
    return labels, probabilities


def test_given_predictions_are_selected_as_cleanlab_does(
    noisy: tuple[Path, set[str]], tmp_path: Path
) -> None:
    labels, probabilities = predictions_of(noisy[0], tmp_path / "p.csv")
    found = find_label_errors(noisy[0], out=tmp_path / "out", predictions=str(tmp_path / "p.csv"))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence")
    manifest = load_manifest(noisy[0] / "manifest.parquet")
    ids = [
        name
        for name, part in zip(manifest.column("sample_id"), manifest.column("split"), strict=True)
        if part != "test"
    ]
    assert [each.sample_id for each in found.issues] == [ids[row] for row in expected]
    assert found.predictions == "p.csv"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sample_id,anger\nx,1\n", "has no column disgust"),
        ("{head}\nrafdb/train_00001,1,x,0,0,0,0,0\n", "line 2: no probabilities"),
        ("{head}\nsomeone,1,0,0,0,0,0,0\n", "images have no prediction"),
    ],
)
def test_predictions_that_do_not_fit(
    noisy: tuple[Path, set[str]], tmp_path: Path, text: str, problem: str
) -> None:
    names = Build.open(noisy[0]).label_space.names
    (tmp_path / "p.csv").write_text(text.format(head=",".join(["sample_id", *names])))
    with pytest.raises(OptionError, match=problem):
        find_label_errors(noisy[0], out=tmp_path / "out", predictions=str(tmp_path / "p.csv"))


def test_groups_stay_in_one_fold() -> None:
    """Images of one group share a random vector: a model that saw one would know the others."""
    draws = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 5)
    features = draws.normal(size=(60, 90))[group].astype(np.float32)
    labels = draws.integers(0, 2, 60)[group]
    names = np.array([f"g{number}" for number in group], object)
    grouped = cross_validated(features, labels, names, classes=2, folds=5, seed=0)
    alone = np.array([f"i{number}" for number in range(300)], object)
    torn = cross_validated(features, labels, alone, classes=2, folds=5, seed=0)
    assert (grouped.argmax(1) == labels).mean() < 0.65
    assert (torn.argmax(1) == labels).mean() > 0.75
    with pytest.raises(OptionError, match="1 groups of images"):
        cross_validated(features, labels, names[:1].repeat(300), classes=2, folds=5, seed=0)


def test_the_noise_matrix_is_that_of_the_flips() -> None:
    """A third of class 1 is called 0; nothing else is wrong."""
    draws = np.random.default_rng(0)
    true = np.repeat(np.arange(3), 400)
    probabilities = np.full((1200, 3), 0.05)
    probabilities[np.arange(1200), true] = 0.9
    given = true.copy()
    flipped = draws.choice(np.flatnonzero(true == 1), 133, replace=False)
    given[flipped] = 0
    found = find_suspicions(given, probabilities)
    assert set(found.order.tolist()) == set(flipped.tolist())
    assert found.noise[1] == pytest.approx([1 / 3, 2 / 3, 0], abs=0.02)
    assert found.noise[0] == pytest.approx([1, 0, 0], abs=0.02)


def test_the_command(noisy: tuple[Path, set[str]], tmp_path: Path) -> None:
    predictions_of(noisy[0], tmp_path / "p.csv")
    command = ["label-errors", str(noisy[0]), "--predictions", str(tmp_path / "p.csv"),
               "--out", str(tmp_path / "out")]  # fmt: skip
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "labels in train, validation are probably wrong" in result.stdout
    assert "proposal.labels.json" in result.stdout
    as_json = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(as_json.stdout)["predictions"] == "p.csv"
