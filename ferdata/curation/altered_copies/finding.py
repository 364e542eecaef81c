"""`find_altered_copies`: describe all images, search candidates, confirm them on their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ferdata.core.parallel import open_executor
from ferdata.core.progress import progress_bar
from ferdata.curation.altered_copies.candidates import Index
from ferdata.curation.altered_copies.changes import describe_changes, rotation
from ferdata.curation.altered_copies.collection import Collection, Rows, collect
from ferdata.curation.altered_copies.comparison import Comparison
from ferdata.curation.altered_copies.confirmation import Candidate, compare_candidates
from ferdata.curation.altered_copies.records import AlteredCopies, AlteredPair, ImageSource
from ferdata.curation.clusters import connected_components

_COUNTS = (1, 4, 16)
"""Neighbors of each kind that are candidates, twice as many by all five points. More are only asked
for where all of the first were confirmed: where an image has many copies."""


@dataclass(eq=False)
class _Search:
    """The state of a search over several rounds.

    Attributes:
        images: All images.
        pairs: The confirmed pairs so far.
        cluster: The cluster of each image so far, int64 (N,).
        compared: Pairs compared so far, each as two numbers and whether it was mirrored, in one.
    """

    images: Collection
    pairs: dict[tuple[int, int], AlteredPair] = field(default_factory=dict)
    compared: set[int] = field(default_factory=set)
    cluster: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.cluster = np.arange(len(self.images.frames))

    def add(self, pairs: Sequence[AlteredPair]) -> None:
        """Add confirmed pairs; of one pair found twice the better stays."""
        for pair in pairs:
            known = self.pairs.get((pair.first, pair.second))
            if known is None or pair.score > known.score:
                self.pairs[pair.first, pair.second] = pair
        links = np.array(list(self.pairs), np.int64).reshape(-1, 2)
        self.cluster = connected_components(len(self.cluster), links)


def find_altered_copies(
    images: Sequence[ImageSource], *, workers: int = 1, quiet: bool = True
) -> AlteredCopies:
    """Find all images that are the same, exactly or altered.

    Found are copies that were flipped, made brighter or darker, noisy, blurred, resized, saved
    again, gray, rotated by up to 10°, or cropped or shifted by up to a tenth, and several of these
    together. Images of a large family of copies are linked through others: every copy is in its
    cluster, but not every pair of the cluster is listed.

    Args:
        images: The images. Each is read once.
        workers: Number of processes; the result is the same for any number.
        quiet: Show no progress.

    Raises:
        WorkerError: A worker process died.
    """
    ahead = 2 * workers
    with open_executor("processes", workers) as executor:
        found = collect(images, executor, ahead=ahead, quiet=quiet)
        search = _Search(found)
        search.add([_exact(int(a), int(b)) for a, b in found.exact_pairs()])
        indexes = _indexes(found)
        asking = found.distinct()
        for number, count in enumerate(_COUNTS):
            neighbors = [_neighbors(found, kind, index, asking, count) for kind, index in indexes]
            candidates = _new_candidates(search, neighbors, skip_linked=number > 0)
            search.add(_confirm(found, candidates, executor, ahead=ahead, quiet=quiet))
            asking = _unfinished(search, neighbors)
            if not len(asking):
                break
    return AlteredCopies(
        names=tuple(image.name for image in images),
        pairs=tuple(search.pairs[key] for key in sorted(search.pairs)),
        cluster=search.cluster,
        unreadable=found.unreadable,
        compared=len(search.compared),
    )


def _exact(first: int, second: int) -> AlteredPair:
    return AlteredPair(first, second, "exact", score=1.0, similarity=1.0, weakest=1.0)


@dataclass(frozen=True, eq=False)
class _Found:
    """Neighbors of images, for one kind of feature.

    Attributes:
        image: Whose neighbors, int64 (Q,); an image may come several times.
        row: Its neighbors, int64 (Q, k), −1 for none.
        mirrored: bool (Q, k).
        as_wholes: Whether the feature is that of the whole image.
    """

    image: Rows
    row: Rows
    mirrored: npt.NDArray[np.bool_]
    as_wholes: bool


def _indexes(found: Collection) -> list[tuple[int, Index]]:
    """Build an index of each kind of feature that any image has."""
    distinct, indexes = found.distinct(), []
    for kind, features in enumerate(found.features):
        rows = distinct[~np.isnan(features[distinct, 0])]
        if len(rows) > 1:
            indexes.append((kind, Index(rows, features[rows], found.group)))
    return indexes


def _neighbors(found: Collection, kind: int, index: Index, asking: Rows, count: int) -> _Found:
    features = found.features[kind]
    rows = asking[~np.isnan(features[asking, 0])]
    queries = features[rows]
    as_wholes = kind == len(found.features) - 1
    probed = [row for row in rows.tolist() if row in found.probes]
    if as_wholes and probed:
        probes = [found.probes[row] for row in probed]
        rows = np.concatenate((rows, np.repeat(probed, [len(each) for each in probes])))
        queries = np.concatenate((queries, *probes))
    nearest = index.neighbors(rows, queries, 2 * count if kind == 0 else count)
    return _Found(rows, nearest.row, nearest.mirrored, as_wholes)


def _new_candidates(
    search: _Search, neighbors: Sequence[_Found], *, skip_linked: bool
) -> list[Candidate]:
    """Return the candidates that were not compared yet, sorted."""
    total = len(search.cluster)
    keys: list[Rows] = [np.empty(0, np.int64)]
    for each in neighbors:
        query, slot = np.nonzero(each.row >= 0)
        one, other = each.image[query], each.row[query, slot]
        if skip_linked:
            apart = search.cluster[one] != search.cluster[other]
            one, other, query, slot = one[apart], other[apart], query[apart], slot[apart]
        first, second = np.minimum(one, other), np.maximum(one, other)
        key = (first * total + second) * 2 + each.mirrored[query, slot]
        keys.append(key * 2 + (1 - each.as_wholes))  # where both are found, wholes come first
    coded = np.unique(np.concatenate(keys))
    distinct, at = np.unique(coded // 2, return_index=True)
    new = [
        Candidate(key // 2 // total, key // 2 % total, bool(key % 2), as_wholes=not code % 2)
        for key, code in zip(distinct.tolist(), coded[at].tolist(), strict=True)
        if key not in search.compared
    ]
    search.compared.update(distinct.tolist())
    return new


def _unfinished(search: _Search, neighbors: Sequence[_Found]) -> Rows:
    """Return the images all of whose neighbors of some kind are their copies."""
    unfinished: list[Rows] = [np.empty(0, np.int64)]
    for each in neighbors:
        same = search.cluster[each.image][:, None] == search.cluster[each.row]
        unfinished.append(each.image[(same & (each.row >= 0)).all(axis=1)])
    return np.unique(np.concatenate(unfinished))


def _confirm(
    found: Collection,
    candidates: Sequence[Candidate],
    executor: Executor,
    *,
    ahead: int,
    quiet: bool,
) -> list[AlteredPair]:
    """Compare candidates on their pixels; return the pairs that are copies."""
    pairs: list[AlteredPair] = []
    with progress_bar("comparing candidates", len(candidates), unit="pair", quiet=quiet) as bar:
        for candidate, comparison in compare_candidates(
            candidates, found.frames, executor, ahead=ahead
        ):
            if comparison is not None and comparison.same:
                pairs.append(_altered(found, candidate, comparison))
            bar.update(1)
    return pairs


def _altered(found: Collection, candidate: Candidate, comparison: Comparison) -> AlteredPair:
    first, second, mirrored, _ = candidate
    return AlteredPair(
        first,
        second,
        "altered",
        score=comparison.score,
        similarity=comparison.similarity,
        weakest=comparison.weakest,
        mirrored=mirrored,
        degrees=rotation(comparison),
        changes=describe_changes(
            comparison,
            mirrored=mirrored,
            sizes=(tuple(found.sizes[first].tolist()), tuple(found.sizes[second].tolist())),
            is_gray=(bool(found.is_gray[first]), bool(found.is_gray[second])),
        ),
    )
