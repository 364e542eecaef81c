"""What speaks for RAF-DB in copies that others made."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from ferdata.ingesters.class_folders import class_folder, class_of
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.lookup import dataset_info, dataset_names
from ferdata.ingesters.order_choice import best_reading
from ferdata.ingesters.rafdb.names import image_key, is_telling, official_split
from ferdata.ingesters.sampled_sizes import evidence_of_size
from ferdata.ingesters.shares import evidence_of_shares
from ferdata.ingesters.tree import FileTree, file_name

_SIDE = 100  # pixels, of an aligned image


def signs_of(tree: FileTree, paths: Sequence[str], where: str) -> tuple[Evidence, ...]:
    """Say what speaks for RAF-DB; others also call a file train_00001.jpg.

    Args:
        tree: The files.
        paths: The images with RAF-DB's file names.
        where: In what folders they lie, or how they are labeled.
    """
    folders = Evidence(Sign.FOLDERS, where)
    telling = sum(is_telling(file_name(path)) for path in paths)
    if telling:
        return (
            Evidence(Sign.NAMES, f"{telling:,} files named like train_00001_aligned.jpg"),
            folders,
        )
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for path in paths:
        split = official_split(image_key(file_name(path)) or "")
        parts[split][class_of(path) or class_folder(path)] += 1
    reading = best_reading(dataset_info("rafdb"), parts)
    shares = evidence_of_shares("rafdb", reading, dataset_names())
    return (folders, *evidence_of_size(tree, paths, _SIDE), *shares)
