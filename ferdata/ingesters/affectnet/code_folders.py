"""AffectNet in folders of codes, as training repositories make it: `train/0/…`, `val/7/…`.

The codes are mostly AffectNet's own, but copies in alphabetical order and in FER2013's circulate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ferdata.core.given_splits import split_of_word
from ferdata.core.rejects import Reject
from ferdata.ingesters.affectnet.rows import NAME, Rows
from ferdata.ingesters.class_folders import SPLIT_FOLDER, class_folder, split_folder
from ferdata.ingesters.contract import Choices, Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.lookup import dataset_info, dataset_names
from ferdata.ingesters.order_choice import best_reading, choose_order
from ferdata.ingesters.order_names import CODES_CHOICE
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.sampled_sizes import evidence_of_size
from ferdata.ingesters.shares import evidence_of_shares
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

_SIDE = 224
_BALANCED = 500
"""Images of each class in the authors' validation, which is the test set here."""


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find images in folders 0 to 7, or 0 to 6, below train and another split."""
    paths = _coded(tree)
    codes = {int(class_folder(path)) for path in paths}
    if codes not in (set(range(7)), set(range(8))):
        return
    parts = _parts(paths)
    reading = best_reading(dataset_info(NAME), _as_words(parts))
    found = ", ".join(f"{part.total():,} in {word}/" for word, part in sorted(parts.items()))
    evidence = (
        Evidence(Sign.FOLDERS, f"folders 0 to {max(codes)}: {found}"),
        *evidence_of_size(tree, paths, _SIDE),
        *evidence_of_shares(NAME, reading, dataset_names()),
    )
    base = common_folder({folder_name(folder_name(folder_name(path))) for path in paths})
    yield Layout.below(tree, base, NAME, "code-folders", *evidence, source="manual")


def read(layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
    """Read the images sorted by path.

    Raises:
        OptionError: The order of the codes can't be told and must be named.
        WrongLabelsError: The order asked for can't be right.
    """
    paths = _coded(layout.tree)
    parts = _parts(paths)
    order = choose_order(layout, dataset_info(NAME), parts, choices.get(CODES_CHOICE))
    rows, official = Rows(layout, choices), _official(parts)
    taken = set(paths)
    for path in layout.tree.images():
        key, folder, native = path.rpartition(".")[0], class_folder(path), split_folder(path)
        label = order.codes.get(int(folder)) if path in taken else None
        if label is None:
            yield layout.reject(key, path, f"label folder {folder or '.'}: expected a code")
        else:
            split = official.get(native or "")
            yield rows.labeled(key, path, label, folder, split, native)


def _coded(tree: FileTree) -> list[str]:
    """Return the images in folders of digits below the folder of a split."""
    folders = {
        folder
        for folder in tree.folders
        if file_name(folder).isdecimal() and SPLIT_FOLDER.fullmatch(class_folder(folder))
    }
    return [path for path in tree.images() if folder_name(path) in folders] if folders else []


def _parts(paths: list[str]) -> dict[str, Counter[int]]:
    parts: dict[str, Counter[int]] = {}
    for path in paths:
        parts.setdefault(split_folder(path) or "", Counter())[int(class_folder(path))] += 1
    return parts


def _as_words(parts: dict[str, Counter[int]]) -> dict[str, dict[str, int]]:
    return {
        name: {str(code): number for code, number in part.items()} for name, part in parts.items()
    }


def _official(parts: dict[str, Counter[int]]) -> dict[str, str]:
    """Return the official split of each folder, if they are the authors' two.

    Their validation, the only other part than train, has equally many images of each class.
    """
    others = [word for word in parts if split_of_word(word) != "train"]
    if len(parts) != 2 or len(others) != 1:
        return {}
    numbers = parts[others[0]].values()
    if max(numbers) > _BALANCED or min(numbers) < max(numbers) - 1 - 0.02 * max(numbers):
        return {}
    return {word: "test" if word == others[0] else "train" for word in parts}
