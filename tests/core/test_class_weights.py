"""Class weights, against those that a paper prints."""

from __future__ import annotations

import numpy as np
import pytest

from ferdata.core.labels import BASIC7, CANONICAL, LabelSpace, class_weights
from ferdata.core.manifest import Manifest

# CTAN, Tables 2 to 5: count, weight N / n_c, weight over their sum; classes in alphabetical order.
# Table 2 prints the names of neutral, sadness and surprise rotated against FER2013's own counts
# (6,198 neutral, 6,077 sadness, 4,002 surprise); here each row stands under its true name.
TABLES = {
    "FER2013, Table 2": {
        "anger": (4953, 7.2455, 0.0693),
        "disgust": (547, 65.6069, 0.6277),
        "fear": (5121, 7.0078, 0.0671),
        "happiness": (8989, 3.9923, 0.0382),
        "neutral": (6198, 5.7901, 0.0554),
        "sadness": (6077, 5.9054, 0.0565),
        "surprise": (4002, 8.9673, 0.0858),
    },
    "CK+, Table 3": {
        "anger": (135, 7.2667, 0.1128),
        "contempt": (54, 18.1667, 0.2820),
        "disgust": (177, 5.5424, 0.0860),
        "fear": (75, 13.0800, 0.2031),
        "happiness": (207, 4.7391, 0.0736),
        "sadness": (84, 11.6786, 0.1813),
        "surprise": (249, 3.9398, 0.0612),
    },
    "KDEF, Table 4": {
        "anger": (110, 6.9909, 0.1424),
        "disgust": (113, 6.8053, 0.1386),
        "fear": (115, 6.6870, 0.1362),
        "happiness": (109, 7.0550, 0.1437),
        "neutral": (114, 6.7456, 0.1374),
        "sadness": (100, 7.6900, 0.1566),
        "surprise": (108, 7.1204, 0.1450),
    },
    "JAFFE, Table 5": {
        "anger": (30, 7.1000, 0.1448),
        "disgust": (29, 7.3448, 0.1498),
        "fear": (32, 6.6562, 0.1357),
        "happiness": (31, 6.8710, 0.1401),
        "neutral": (30, 7.1000, 0.1448),
        "sadness": (31, 6.8710, 0.1401),
        "surprise": (30, 7.1000, 0.1448),
    },
}


def manifest_of(counts: dict[str, int], space: LabelSpace) -> Manifest:
    rows = (
        {
            "sample_id": f"x/{label}{number}",
            "dataset": "x",
            "layout": "l",
            "uri": "u",
            "framing": "crop",
            "label": label,
        }
        for label, count in counts.items()
        for number in range(count)
    )
    return Manifest.from_rows(rows, space)


@pytest.mark.parametrize("table", TABLES)
def test_weights_are_those_that_the_paper_prints(table: str) -> None:
    printed = TABLES[table]
    space = LabelSpace("printed", tuple(name for name in CANONICAL if name in printed))
    manifest = manifest_of({name: row[0] for name, row in printed.items()}, space)
    weights, normalized = manifest.class_weights(), manifest.class_weights(normalize=True)
    for name, (_, weight, share) in printed.items():
        # Printed to four decimals, some of them cut off (6.65625 as 6.6562).
        assert weights[name] == pytest.approx(weight, abs=0.5001e-4)
        assert normalized[name] == pytest.approx(share, abs=0.5001e-4)
    assert sum(normalized.values()) == pytest.approx(1)


def test_a_class_without_rows_weighs_nothing() -> None:
    assert class_weights([2, 0, 6]).tolist() == pytest.approx([4, 0, 8 / 6])
    assert class_weights([2, 0, 6], normalize=True).tolist() == pytest.approx([0.75, 0, 0.25])
    assert class_weights([0, 0]).tolist() == [0, 0]
    assert class_weights([0, 0], normalize=True).tolist() == [0, 0]


def test_weights_of_one_split() -> None:
    manifest = manifest_of({"anger": 1, "fear": 3}, BASIC7)
    manifest = manifest.with_column("split", ["train", "train", "test", "test"])
    weights = manifest.class_weights("train")
    assert (weights["anger"], weights["fear"], weights["neutral"]) == (2, 2, 0)
    assert np.isclose(manifest.class_weights()["fear"], 4 / 3)
