"""The YAML front matter of a dataset card, as the Hugging Face hub and `datasets` read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ferdata.core.schema import SPLITS
from ferdata.formats.card_content import CardContent, count, unique
from ferdata.formats.features import card_features

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def front_matter(content: CardContent) -> dict[str, Any]:
    """Return the card's metadata as Hugging Face defines it."""
    rows = {split: count(content.counts, split) for split in SPLITS}
    present = [split for split in SPLITS if rows[split]]
    total = sum(rows.values())
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in present]
    # `datasets` ignores all splits, and checks none, if one of them has no num_bytes.
    splits = [
        {
            "name": split,
            "num_bytes": content.num_bytes.get(split, 0),
            "num_examples": rows[split],
        }
        for split in present
    ]
    return {
        "pretty_name": f"{content.title} (ferdata build)",
        **license_of([source.license for source in content.sources if not source.drawn]),
        "task_categories": ["image-classification"],
        "size_categories": [next((name for top, name in _SIZES if total < top), "n>1M")],
        "tags": [
            "facial-expression-recognition",
            "ferdata",
            *(["synthetic"] if content.synthetic else []),
            *unique(source.name for source in content.sources),
        ],
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"features": card_features(content.spec), "splits": splits},
    }


def license_of(licenses: Sequence[str]) -> dict[str, str]:
    """Return the keys of a card for licenses in words; without any, the license is unknown."""
    if not licenses:
        return {"license": "unknown"}
    name = re.sub(r"[^a-z0-9.]+", "-", "; ".join(unique(licenses)).lower()).strip("-")
    return {"license": "other", "license_name": name or "unknown"}
