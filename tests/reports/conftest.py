"""A build whose texts are hostile, with everything that a page can show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.audits import audit_of
from support.builds import write_build
from support.evaluated import write_evaluated_run
from support.pages import HOSTILE, hostile_classes

from ferdata.core.rejects import Reject, save_rejects
from ferdata.shards.record import BuildRecord


@pytest.fixture(scope="session")
def hostile_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small build with copies, attributes, rejects and leaks; don't change it."""
    space = hostile_classes()
    rows = {"train": [0, 1, 2, 0, 1, 0, 0], "validation": [0, 1, 2], "test": [0, 1, 2]}
    people = {
        split: [{"gender": HOSTILE, "dataset": HOSTILE, "split": split} for _ in labels]
        for split, labels in rows.items()
    }
    drawn = [{"op": "horizontal_flip"}, {"op": "brightness", "factor": 1.1342}]
    for row in people["train"][5:]:
        row |= {"parent_id": "spots/train_0", "operations": json.dumps(drawn)}
    root = write_build(
        tmp_path_factory.mktemp("hostile") / "build",
        rows,
        space=space,
        people=people,
        scheme="ibug68",
        name=HOSTILE,
    )
    rejects = [
        Reject("", f"{HOSTILE}/1.png", "ingest", f"not an image: {HOSTILE}"),
        Reject("spots/x", "2.png", "curate", "duplicate: ]]></script><script>alert(2)</script>"),
    ]
    save_rejects(rejects, root / "rejects.parquet")
    record = json.loads((root / "build.json").read_text())
    counts = {split: values["counts"] for split, values in record["splits"].items()}
    before = counts | {"train": {space.names[0]: 2, space.names[1]: 2, space.names[2]: 1}}
    record |= {
        "leaks": [HOSTILE],
        "notes": [f"note {HOSTILE}"],
        "datasets": {HOSTILE: f"Title {HOSTILE}", "other": "Other"},
        "rejects": {
            "total": 2,
            "by_stage": {"ingest": 1, "curate": 1},
            "by_reason": {"ingest": {HOSTILE: 1}, "curate": {"duplicate": 1}},
            "ignored": {f"{HOSTILE} files": 1234},
        },
        "summary": {
            "before": before,
            "after": counts,
            "by_dataset": {HOSTILE: before, "other": {"train": {space.names[0]: 0}}},
            "faces": {"ibug": 11},
            "faces_by_class": {HOSTILE: {"found": 3, "missing": 1}},
            "quality": {"dark": 2, HOSTILE: 1},
            "scales": {HOSTILE: {"eyes": 0.34, "outside": 0.01}},
        },
    }
    record["options"]["augment"] = "balance"
    BuildRecord.of(record, root / "build.json").save(root)
    return root


@pytest.fixture(scope="session")
def evaluated_run(hostile_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run on the hostile build, finished and evaluated on test; don't change it."""
    return write_evaluated_run(tmp_path_factory.mktemp("run") / "run", hostile_build)


@pytest.fixture(scope="session")
def hostile_audit(hostile_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an audit of the hostile build; don't change it."""
    path = tmp_path_factory.mktemp("audit") / "audit.json"
    path.write_text(json.dumps(audit_of(hostile_build)))
    return path
