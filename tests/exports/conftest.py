"""A build with people, landmarks, valence and augmented copies, and the rows it holds."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.builds import write_build

from ferdata.data import Build
from ferdata.data.arrays import SplitArrays

FIELDS = ("image", "label", "landmarks", "box", "soft_label", "valence", "arousal")
TEXTS = ("sample_id", "dataset", "subject", "parent_id", "operations")


def people(split: str, rows: int) -> list[dict[str, str]]:
    """Every third row of train is an augmented copy of the row before it."""
    found = []
    for row in range(rows):
        each = {"dataset": "spots", "subject": f"{split}{row // 4:02d}" if row % 4 else ""}
        if split == "train" and row % 3 == 2:
            operation = [{"op": "rotation", "degrees": row / 7}]
            each |= {"parent_id": f"spots/{split}_{row - 1}", "operations": json.dumps(operation)}
        found.append({name: value for name, value in each.items() if value})
    return found


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    counts = {"train": 30, "validation": 7, "test": 8}
    return write_build(
        tmp_path_factory.mktemp("exports") / "build",
        {split: [k % 7 for k in range(number)] for split, number in counts.items()},
        people={split: people(split, number) for split, number in counts.items()},
        scheme="five",
    )


@pytest.fixture(scope="session")
def expected(build: Path) -> dict[str, dict[str, Any]]:
    """The columns of each split, as `ferdata.data` reads them."""
    opened = Build.open(build)
    found = {}
    for split in opened.splits:
        arrays = SplitArrays(opened, split)
        columns = arrays.gather(range(len(arrays)), (*FIELDS, *TEXTS))
        columns["label_name"] = opened.label_space.decode(columns["label"].tolist())
        found[split] = columns
    return found
