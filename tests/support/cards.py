"""The content of a dataset card, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ferdata.core.labels import BASIC7
from ferdata.formats.card_content import CardContent, CardSource
from ferdata.formats.dummies import dummy_rows, dummy_spec

SPLITS = {"train": 21, "validation": 5, "test": 6}


def card_content(**changes: Any) -> CardContent:
    """Return the content of a card of dummy shards, with changes."""
    counts = {
        split: BASIC7.decode(dummy_rows(dummy_spec(rows=rows, split=split)).label.tolist())
        for split, rows in SPLITS.items()
    }
    counts = {
        split: {name: labels.count(name) for name in BASIC7.names}
        for split, labels in counts.items()
    }
    source = CardSource(
        name="rafdb",
        title="RAF-DB",
        license="non-commercial research only",
        usage="sign the agreement",
        citation="@inproceedings{li2017,\n  title = {Reliable}\n}",
        homepage="http://www.whdeld.cn/RAF",
    )
    values = {
        "name": "rafdb",
        "spec": dummy_spec(),
        "counts_before": counts,
        "counts": counts,
        "split_rule": "official",
        "seed": 7,
        "alignment": "none, resized (ferdata-align/1)",
        "landmarks": {"mediapipe": 30, "none": 2},
        "rejects": {"faces": {"file is missing": 3}},
        "sources": [source],
        "split_digest": "",
        "plan_sha256": "ab" * 32,
        "ferdata_version": "0.1.0",
        "validation": 0.1,
        "augmentation": "balance to max",
        "operations": [("blur", "sigma 0.5–1.5")],
        "versions": {"numpy": "2"},
    }
    if changes.get("synthetic"):
        values["sources"] = [replace(source, drawn=True)]
    return CardContent(**(values | changes))
