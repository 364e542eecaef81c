"""Copies that are not what they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ferdata.cli.app import app
from ferdata.ingesters import dataset_info
from ferdata.ingesters.fingerprints import suspicions

Counts = Mapping[str, Mapping[str, int]]


def recoded(name: str, order: str) -> dict[str, dict[str, int]]:
    """Return what is read when a dataset's labels are written with the codes of another one."""
    own, other = dataset_info(name), dataset_info(order)
    code_of = {label: code for code, label in other.codes.items()}
    return {
        split: {own.codes[code_of[label]]: count for label, count in counts.items()}
        for split, counts in own.counts.items()
    }


@pytest.mark.parametrize("name", ["rafdb", "fer2013", "ferplus", "affectnet", "kdef", "jaffe"])
def test_an_honest_copy_is_not_suspected(name: str) -> None:
    assert suspicions(name, dataset_info(name).counts) == []
    thinned = {
        split: {label: count - (count > 500) for label, count in counts.items()}
        for split, counts in dataset_info(name).counts.items()
    }
    assert suspicions(name, thinned) == []


def test_a_folder_called_ferplus_that_holds_rafdb(tmp_path: Path) -> None:
    found = suspicions("ferplus", dataset_info("rafdb").counts)
    assert any("counts are those of rafdb, train" in each for each in found)
    (named,) = suspicions("rafdb", dataset_info("rafdb").counts, tmp_path / "FERPlus-dataset")
    assert named == "the folder is named after ferplus, its files and labels are rafdb's"


def test_an_affectnet_copy_with_the_code_order_of_fer2013() -> None:
    own, other = dataset_info("affectnet"), dataset_info("fer2013")
    seven = {label: count for label, count in own.counts["train"].items() if label != "contempt"}
    code_of = {label: code for code, label in other.codes.items()}
    read = {own.codes[code_of[label]]: count for label, count in seven.items()}
    found = suspicions("affectnet", {"train": read})
    assert any("affectnet" in each and "codes were those of fer2013" in each for each in found)


def test_rafdb_with_the_codes_of_fer2013() -> None:
    own, other = dataset_info("rafdb"), dataset_info("fer2013")
    code_of = {label: code for code, label in other.codes.items()}
    counts = {}
    for split, by_class in own.counts.items():
        # FER2013's codes are 0–6; 0 stands for 7 here, so that all seven codes are RAF-DB's.
        counts[split] = {own.codes[code_of[k] or 7]: count for k, count in by_class.items()}
    found = suspicions("rafdb", counts)
    assert any("under other names" in each for each in found)


def test_fer2013_with_the_counts_of_ferplus() -> None:
    found = suspicions("fer2013", dataset_info("ferplus").counts)
    assert any("those of ferplus, train" in each for each in found)


def test_few_rows_prove_nothing() -> None:
    assert suspicions("rafdb", {"train": {"anger": 30, "fear": 32, "disgust": 29}}) == []


def write_counts(root: Path, name_of: Callable[[str, int], str]) -> Path:
    """Write empty files in class folders, as many as RAF-DB has images."""
    names = {"anger": "angry", "fear": "fear", "happiness": "happy", "sadness": "sad"}
    for split, counts in dataset_info("rafdb").counts.items():
        for label, count in counts.items():
            folder = root / split / names.get(label, label)
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / name_of(split, number)).touch()
    return root


def test_detect_warns(tmp_path: Path) -> None:
    """A folder named ferplus with names of FER2013 and the counts of RAF-DB."""
    usages = {"train": "Training", "test": "PrivateTest"}
    root = write_counts(tmp_path / "ferplus", lambda split, n: f"{usages[split]}_{n}.jpg")
    result = CliRunner().invoke(app, ["detect", str(root)])
    assert "WARNING train: the class counts are those of rafdb" in result.stdout


def test_detect_says_whose_counts_a_strangers_folder_has(tmp_path: Path) -> None:
    root = write_counts(tmp_path / "faces", lambda _, n: f"im{n}.jpg")
    result = CliRunner().invoke(app, ["detect", str(root)])
    assert result.exit_code == 1
    assert "no dataset recognized" in result.stdout
    assert "class counts as in rafdb, all splits" in result.stdout
    assert "Build it" not in result.stdout
