"""What becomes of every file of a copy: a row, a reject, read as annotation, or ignored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ferdata.core.image_formats import file_ending, is_image, undecodable
from ferdata.core.rejects import Reject, most_first
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import file_name


class Inventory:
    """Follows the rows of a copy and accounts for the files that no row comes from.

    Attributes:
        rejects: Of the reader, then of files with an unusable name, then of stray images and of
            images that can't be decoded here.
        read: Number of files with labels or other annotation that were read, but for those that a
            row or a reject comes from.
    """

    def __init__(self, layout: Layout) -> None:
        self.rejects: list[Reject] = []
        self.read = 0
        self._layout = layout
        self._open = set(layout.tree.files)
        self._ignored: Counter[str] = Counter()

    def samples(self, found: Iterable[Sample | Reject]) -> Iterator[Sample]:
        """Yield the samples of a reader; collect its rejects; at the end account for the rest."""
        for each in found:
            self._open.discard(each.uri.partition("#")[0])
            if isinstance(each, Sample):
                yield each
            else:
                self.rejects.append(each)
        self._close()

    def ignored(self) -> dict[str, int]:
        """Return the number of ignored files by rule, the largest first."""
        return most_first(self._ignored)

    def _close(self) -> None:
        """Account for every file that neither a row nor a reject names."""
        layout, tree = self._layout, self._layout.tree
        self._ignored.update(rule for _, rule in tree.litter)
        self.rejects += [layout.reject("", path, reason) for path, reason in tree.unusable]
        for path, rule in layout.ignored.items():
            if path in self._open:
                self._open.remove(path)
                self._ignored[rule] += 1
        annotation = layout.used.union(layout.lists)
        for path in sorted(self._open):
            if path in annotation:
                self.read += 1
            elif problem := undecodable(path):
                self.rejects.append(layout.reject("", path, f"image format: {problem}"))
            elif is_image(path):
                self.rejects.append(layout.reject("", path, _stray(path, layout)))
            else:
                ending = file_ending(path).rstrip(".") or "extensionless"
                self._ignored[f"{ending} files"] += 1


def _stray(path: str, layout: Layout) -> str:
    return (
        f"stray image: {file_name(path)} is not an image of the {layout.name} layout of "
        f"{layout.dataset}"
    )
