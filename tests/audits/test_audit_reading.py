"""What can be audited, and how each is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import pytest
from support.audit_rows import WORDS, face, found, outcome, put_faces, rows, run, saved
from support.layout_copies import scale_of
from support.own_sets import own_images, parquet, table

import ferdata
from ferdata.core.errors import AuditError, LayoutError
from ferdata.ingesters.demo import write_demo
from ferdata.ingesters.lookup import dataset_info


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a small synthetic CK+ with the default split."""
    home = tmp_path_factory.mktemp("build")
    data = write_demo("ckplus", home / "copy", layout="ck48", scale=0.06, quiet=True).root
    ferdata.build(
        "ckplus", data=data, out=home / "out", landmarks="none", align="none", size=48,
        formats="hdf5,hf", augment="balance", quiet=True, workers=1,
    )  # fmt: skip
    return home / "out"


def test_a_build_with_the_default_split_leaks_nothing(build: Path) -> None:
    code, report = run(build)
    assert (code, report.audited.kind) == (0, "build")
    assert report.audited.copies > 0
    for name in ("leak-subject", "leak-sequence", "leak-copy", "augmented-before-split"):
        assert outcome(report, name) == "clean"
    assert outcome(report, "no-face") == "not applicable"  # built with --landmarks none


def test_the_hugging_face_folder_of_a_build(build: Path) -> None:
    assert run(build / "hf", "--no-images")[1].audited.kind == "build"


def test_the_hugging_face_folder_of_a_build_elsewhere(build: Path, tmp_path: Path) -> None:
    """Copies that ferdata made are marked in it, and are not taken for somebody's."""
    moved = shutil.copytree(build / "hf", tmp_path / "moved")
    _, report = run(moved, "--no-faces")
    assert report.audited.kind == "huggingface"
    assert report.audited.copies == run(build, "--no-images")[1].audited.copies > 0
    assert outcome(report, "augmented-before-split") == "clean"


def test_a_manifest_of_a_build_is_read_without_its_images(build: Path) -> None:
    _, report = run(build / "manifest.parquet")
    assert report.audited.kind == "manifest"
    assert any("--data" in each for each in report.audited.notes)
    assert outcome(report, "leak-copy") == "clean"  # by the hashes in the manifest


def test_a_hugging_face_folder(tmp_path: Path) -> None:
    parquet(tmp_path, own_images(42))
    _, report = run(tmp_path, "--no-faces")
    assert report.audited.kind == "huggingface"
    assert report.audited.rows == 42
    assert set(report.audited.splits) == {"train", "test"}


def test_save_to_disk(tmp_path: Path) -> None:
    import datasets

    def part(numbers: range) -> datasets.Dataset:
        images = [
            {"bytes": cv2.imencode(".png", face(k))[1].tobytes(), "path": None} for k in numbers
        ]
        features = datasets.Features(
            {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(WORDS))}
        )
        labels = [k % 7 for k in numbers]
        return datasets.Dataset.from_dict({"image": images, "label": labels}, features=features)

    whole = datasets.DatasetDict(train=part(range(21)), test=part(range(14, 28)))
    whole.save_to_disk(str(tmp_path / "saved"))
    code, report = run(tmp_path / "saved", "--no-faces")
    assert code == 1
    assert report.audited.kind == "huggingface"
    assert found(report, "leak-copy").count == 7
    assert "happiness" in report.audited.splits["train"]


def test_a_table(tmp_path: Path) -> None:
    table(tmp_path, own_images(42))
    _, report = run(tmp_path, "--no-images")
    assert (report.audited.kind, report.audited.layout) == ("set", "table")
    assert outcome(report, "leak-subject") != "not applicable"


def test_a_declaration_says_what_a_folder_is(tmp_path: Path) -> None:
    put_faces(tmp_path / "data", "a", range(14))
    put_faces(tmp_path / "data", "b", range(14, 28))
    declaration = tmp_path / "my.yaml"
    declaration.write_text(
        "name: mine\nimages: '{subject}/{label}/*.png'\nframing: crop\nlicense: CC-BY-NC-ND-4.0\n"
    )
    code, report = run(
        tmp_path / "data", "--as", declaration, "--no-images", "--purpose", "commercial"
    )
    assert code == 1
    assert report.audited.name == "mine"
    assert "commercial use" in found(report, "license", "error").title


@pytest.mark.parametrize(("stated", "forbidden"), [("forbidden", True), ("allowed", False)])
def test_a_declaration_says_whether_images_may_be_passed_on(
    tmp_path: Path, stated: str, forbidden: bool
) -> None:
    put_faces(tmp_path / "data", "a", range(7))
    declaration = tmp_path / "my.yaml"
    declaration.write_text(
        "name: mine\nimages: '{subject}/{label}/*.png'\nframing: crop\nlicense: our own terms\n"
        f"redistribution: {stated}\n"
    )
    _, report = run(tmp_path / "data", "--as", declaration, "--no-images", "--purpose", "publish")
    errors = [each for each in report.by_rule("license") if each.severity == "error"]
    assert bool(errors) == forbidden


def test_a_run_whose_build_is_gone(tmp_path: Path) -> None:
    from support.runs import write_run

    write_run(tmp_path / "run")
    with pytest.raises(AuditError, match="audit the data"):
        ferdata.audit(tmp_path / "run")
    with pytest.raises(LayoutError, match="no such file"):
        ferdata.audit(tmp_path / "elsewhere")


def test_a_list_that_its_dataset_refuses_is_judged_nevertheless(tmp_path: Path) -> None:
    """RAF-DB's list with the codes 0–6 of FER2013."""
    root = write_demo("rafdb", tmp_path / "copy", scale=0.03, quiet=True).root
    own = dataset_info("rafdb").codes
    code_of = {label: code for code, label in dataset_info("fer2013").codes.items()}
    path = next(root.rglob("list_pat*"))
    lines = [line.split() for line in path.read_text().splitlines()]
    path.write_text("\n".join(f"{name} {code_of[own[int(code)]]}" for name, code in lines))
    code, report = run(root, "--no-images")
    assert code == 1
    titles = " ".join(each.title for each in report.by_rule("label-order"))
    assert "label code 0" in titles
    assert "rafdb's in the order fer2013" in titles
    assert set(report.audited.splits) == {"train", "test"}  # by the published names


def test_copies_that_somebody_made_are_judged_with_their_folder(tmp_path: Path) -> None:
    """RAF-DB with augmented files of test images between its own."""
    root = write_demo("rafdb", tmp_path / "copy", layout="kaggle", scale=0.005, quiet=True).root
    train = next(path for path in root.rglob("train") if path.is_dir())
    for path in sorted(root.rglob("test_*_aligned.jpg"))[:7]:
        target = train / path.parent.name / f"aug_flip_{path.name}"
        cv2.imwrite(str(target), cv2.imread(str(path))[:, ::-1])
    code, report = run(root, "--no-faces")
    assert code == 1
    assert found(report, "leak-official-test").details["known by name only"] == 7
    assert found(report, "leak-copy").count == 7
    assert any("judged with the labels around them" in each for each in report.audited.notes)


def test_folders_numbered_alphabetically(tmp_path: Path) -> None:
    """A copy of FER2013 whose folders 0–6 are in alphabetical order; files of one byte suffice."""
    counts = dataset_info("fer2013").images_by_class
    for code, label in enumerate(sorted(counts)):
        folder = tmp_path / "fer2013/train" / str(code)
        folder.mkdir(parents=True)
        for number in range(counts[label] // 40):
            (folder / f"{code}{number:04d}.png").write_bytes(b"x")
    _, report = run(tmp_path / "fer2013", "--no-images")
    assert "alphabetical" in found(report, "label-order").title


def test_of_a_train_set_with_splits_only_train_counts(tmp_path: Path) -> None:
    one = saved(tmp_path / "a.parquet", rows(35, "train", subject="a"), rows(7, "test"))
    two = saved(
        tmp_path / "b.parquet", rows(14, "train", subject="a"), rows(7, "test", subject="b")
    )
    _, report = run(one, "--against", two)
    assert (report.audited.rows, report.against.rows) == (35, 7)
    assert outcome(report, "leak-subject") == "clean"


HONEST = [
    ("rafdb", "official"),
    ("fer2013", "csv"),
    ("ferplus", "csv"),
    ("ckplus", "ck48"),
    ("affectnet", "small"),
    ("jaffe", "official"),
]


@pytest.mark.parametrize(("name", "layout"), HONEST)
def test_an_honest_copy_has_no_error(tmp_path: Path, name: str, layout: str) -> None:
    write_demo(name, tmp_path, layout=layout, scale=scale_of(name, layout), quiet=True)
    code, report = run(tmp_path, "--no-faces")
    assert code == 0, [each.title for each in report.findings if each.severity == "error"]
    assert report.audited.name == name
