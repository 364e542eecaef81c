"""Twelve ways in which published numbers on expressions went wrong: a command names each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.audit_rows import WORDS, face, found, manifest, put, rows, run, saved
from support.runs import make_spec, run_build

from ferdata.ingesters.demo import write_demo
from ferdata.ingesters.lookup import dataset_info
from ferdata.runs.options import TrainOptions
from ferdata.runs.record import RunRecord


def with_manifest(
    make_build: Callable[..., Path], *splits: str, leaks: list[str] | None = None
) -> Path:
    """Write a build of 70 train images and 21 of other splits, with its manifest."""
    splits = splits or ("train", "validation", "test")
    labels = {name: [k % 7 for k in range(70 if name == "train" else 21)] for name in splits}
    people = {name: [{"split": name}] * len(each) for name, each in labels.items()}
    return make_build(rows=labels, people=people, leaks=leaks)


def read_as(name: str, order: str) -> list[dict[str, str]]:
    """Return rows with the class shares of a dataset whose codes were read in another's order."""
    own, other = dataset_info(name), dataset_info(order)
    code_of = {label: code for code, label in other.codes.items()}
    numbers = sorted(own.codes)
    return [
        {
            "dataset": name,
            "label": own.codes[numbers[code_of[label] - min(other.codes)]],
            "label_native": str(numbers[code_of[label] - min(other.codes)]),
        }
        for label, images in own.images_by_class.items()
        for _ in range(images // 40)
    ]


def test_1_augmented_before_the_split(tmp_path: Path) -> None:
    """Every image three times, then a split drawn at random."""
    generator = np.random.default_rng(0)
    for number in range(28):
        pixels = face(number)
        for k, version in enumerate(
            (pixels, pixels[:, ::-1], cv2.convertScaleAbs(pixels, alpha=1.15, beta=12))
        ):
            split = "test" if generator.random() < 0.25 else "train"
            put(tmp_path / split / WORDS[number % 7] / f"{3 * number + k}.png", version)
    code, report = run(tmp_path, "--no-faces")
    assert code == 1
    assert found(report, "augmented-before-split").severity == "error"
    assert found(report, "augmented-before-split").share > 0.8
    assert found(report, "offline-copies").details["pairs: mirrored"] > 20


def test_2_frames_split_at_random(tmp_path: Path) -> None:
    source = write_demo("ckplus", tmp_path / "copy", layout="ck48", scale=0.08, quiet=True).root
    generator = np.random.default_rng(0)
    for path in sorted(source.rglob("*.png")):
        split = "test" if generator.random() < 0.1 else "train"
        target = tmp_path / "random" / split / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    code, report = run(tmp_path / "random", "--no-images")
    assert code == 1
    for rule, what in (("leak-subject", "subject"), ("leak-sequence", "sequence")):
        finding = found(report, rule)
        assert finding.severity == "error"
        assert finding.value > 0.95
        assert 0 < finding.details["train in test"] < finding.details["test in train"]
        assert what in finding.title


def test_3_official_test_images_in_train(tmp_path: Path) -> None:
    train = rows(70, "train", official_split=lambda k: "test" if k < 21 else "train")
    test = rows(14, "test", official_split="test")
    code, report = run(saved(tmp_path / "m.parquet", train, test))
    assert code == 1
    finding = found(report, "leak-official-test")
    assert (finding.count, finding.of, finding.subject) == (21, 35, "train")


def test_4_tables_that_do_not_add_up_and_permuted_names(tmp_path: Path) -> None:
    """A table whose total is another number, and one with three classes' counts exchanged."""
    counts = dict(dataset_info("fer2013").counts["train"])
    moved = {"neutral": "sadness", "sadness": "surprise", "surprise": "neutral"}
    lines = ["class,train", *(f"{name},{counts[moved.get(name, name)]}" for name in counts)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join([*lines, 'total,"28,907"']))
    code, report = run(saved(tmp_path / "m.parquet", rows(70, "train")), "--table", table)
    assert code == 1
    titles = [each.title for each in report.by_rule("counts")]
    assert any("adds up to 28,709, but 28,907 is printed" in each for each in titles)
    assert any("fer2013" in each and "labels are mixed up" in each for each in titles)


def test_5_codes_in_another_datasets_order(tmp_path: Path) -> None:
    """RAF-DB whose codes follow FER2013's order."""
    table = read_as("rafdb", "fer2013")
    path = tmp_path / "m.parquet"
    made = manifest(table).with_provenance("ingest", {"dataset": "rafdb"})
    made.save(path)
    code, report = run(path)
    assert code == 1
    assert found(report, "label-order").details["order"] == "fer2013 counted from 1"


@pytest.mark.parametrize(
    ("claim", "right", "wrong"), [("98.99", 99, 98), ("88.11", 3153, 3152), ("68.626", 3589, 3588)]
)
def test_6_accuracies_that_no_number_of_images_gives(
    tmp_path: Path, claim: str, right: int, wrong: int
) -> None:
    for n, severity, code in ((right, "note", 0), (wrong, "error", 1)):
        path = saved(tmp_path / f"{n}.parquet", rows(70, "train"), rows(n, "test"))
        ended, report = run(path, "--rules", "counts", "--claim", claim)
        assert ended == code
        assert found(report, "counts").severity == severity


def test_7_a_score_of_train_as_headline(make_build: Callable[..., Path], tmp_path: Path) -> None:
    run_folder = finished_run(with_manifest(make_build), tmp_path / "run")
    write_evaluation(run_folder, "train", accuracy=0.99, confusion=[[99, 1], [0, 0]])
    write_evaluation(run_folder, "test", accuracy=0.9, confusion=[[7, 3], [0, 10]])
    code, report = run(run_folder)
    assert code == 1
    assert "train, which the model has learned" in found(report, "protocol", "warning").title
    assert "its confusion matrix has 17 of 20, 85.00%" in found(report, "counts").title


def test_8_the_best_epoch_chosen_on_test(make_build: Callable[..., Path], tmp_path: Path) -> None:
    build = with_manifest(make_build, "train", "test")
    run_folder = finished_run(build, tmp_path / "run", test_accuracy=0.8)
    code, report = run(run_folder)
    assert code == 1
    assert "test was scored in every epoch" in found(report, "protocol", "error").title
    assert "no validation split" in found(report, "protocol", "warning").title


def test_9_re_made_copies_are_told_apart(tmp_path: Path) -> None:
    """A copy that merges both test sets, and RAF-DB under the name of another dataset."""
    merged = write_demo("fer2013", tmp_path / "fer", layout="kaggle", scale=0.002, quiet=True).root
    _, report = run(merged, "--no-images")
    assert "merges several official splits" in found(report, "counts", "warning").title
    assert found(report, "counts", "warning").subject == "test"
    copy = write_demo("rafdb", tmp_path / "raf", layout="kaggle", scale=0.005, quiet=True).root
    copy = copy.rename(tmp_path / "FERPlus")
    code, report = run(copy, "--no-images")
    assert code == 1
    assert "named after ferplus, its files and labels are rafdb's" in found(report, "counts").title


def test_10_vertical_flips_and_augmented_test_images(tmp_path: Path) -> None:
    train = rows(70, "train")
    copies = [
        {
            **row,
            "sample_id": f"own/copy{k}",
            "parent_id": f"own/{k:05d}",
            "operations": json.dumps([{"op": "vertical_flip"}]),
        }
        for k, row in enumerate(rows(14, "train"))
    ]
    test = rows(21, "test", label="happiness")
    oversampled = [
        {**row, "sample_id": f"own/test{k}", "parent_id": f"own/{84 + k:05d}"}
        for k, row in enumerate(rows(20, "test", label="fear"))
    ]
    code, report = run(saved(tmp_path / "m.parquet", train, copies, test, oversampled))
    assert code == 1
    assert "14 of 34 augmented copies are flipped" in found(report, "vertical-flip").title
    assert "20 of 41 test images" in found(report, "protocol", "error").title
    assert found(report, "prior-shift").severity == "warning"


def test_11_small_numbers_come_with_their_interval(tmp_path: Path) -> None:
    test = [row for row in rows(99, "test") if row["label"] != "fear"] + rows(
        3, "test", label="fear"
    )
    path = saved(tmp_path / "m.parquet", rows(350, "train"), test)
    _, report = run(path, "--claim", "94.32")
    tiny = found(report, "tiny-class", "warning")
    assert (tiny.subject, tiny.details["fear"]) == ("test", 3)
    claimed = found(report, "counts", "note")
    assert (claimed.details["k"], claimed.of) == (83, 88)
    assert claimed.details["low"] == pytest.approx(0.8738, abs=1e-3)
    assert claimed.details["high"] == pytest.approx(0.9755, abs=1e-3)


def test_12_parameters_and_megabytes(make_build: Callable[..., Path], tmp_path: Path) -> None:
    """A number of parameters that is printed as a size in megabytes."""
    run_folder = finished_run(with_manifest(make_build), tmp_path / "run", parameters=3_412_000)
    for claim, code, words in (
        ("3.41M", 0, "agrees with the model"),
        ("13.02MB", 0, "agrees with the model"),
        ("3.41MB", 1, "wrong unit, the number is that of millions of parameters"),
        ("9.99M", 1, "not the size of this model"),
    ):
        ended, report = run(run_folder, "--claim", claim, "--rules", "counts")
        assert ended == code
        assert words in found(report, "counts").title


def finished_run(
    build: Path, folder: Path, *, parameters: int = 1000, test_accuracy: float | None = None
) -> Path:
    """Write the record of a finished run of two epochs."""
    epochs = [{"epoch": 1.0, "validation_loss": 2.0}, {"epoch": 2.0, "validation_loss": 1.0}]
    if test_accuracy is not None:
        epochs = [{**each, "test_accuracy": test_accuracy} for each in epochs]
    results = {
        "parameters": parameters, "epochs": 2, "best_epoch": 2, "select": "best",
        "history": epochs, "seconds": 1.0,
    }  # fmt: skip
    built = run_build(size=32).model_copy(update={"path": str(build)})
    spec = make_spec()
    folder.mkdir()
    RunRecord(options=TrainOptions(), build=built, spec=spec, results=results).save(folder)
    return folder


def write_evaluation(
    folder: Path, split: str, *, accuracy: float, confusion: list[list[int]]
) -> None:
    """Write what an evaluation reports, right or not."""
    target = folder / "evaluation" / f"spots-{split}-best"
    target.mkdir(parents=True)
    scores = {"n": int(np.sum(confusion)), "accuracy": accuracy, "confusion": confusion}
    values = {"split": split, "plan_sha256": "a" * 64, "scores": scores}
    (target / "report.json").write_text(json.dumps(values))
