"""Candidates: for each image the few others whose features are nearest, found through an index.

Features are standardized over all images, which removes what all faces have in common. Up to
`EXACT_ROWS` images every pair of features is multiplied. Of more images, features are divided into
cells around centers (k-means, an inverted file: Jégou, Douze and Schmid, IEEE TPAMI 33(1), 2011),
and each is compared with those in the cells nearest to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ferdata.curation.altered_copies.features import LENGTH, MIRROR

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]

EXACT_ROWS = 25_000
"""Rows up to which all are compared with all."""

LEAST_COSINE = 0.4
"""Cosine of standardized features below which images are no candidates."""

_CELL_ROWS = 256  # rows of a cell on average
_PROBED = 24  # cells that each row is compared with
_TRAINING_ROWS, _TRAINING_STEPS = 40, 6  # rows for each center, and iterations
_BLOCK = 2048  # rows of a matrix product
_PRIOR_ROWS = 100  # how many images the mean and the spread before any image count for
_PRIOR_SPREAD = 0.5


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest features of some queries, the nearest first.

    Attributes:
        row: int64 (Q, k); −1 where there are fewer.
        cosine: float32 (Q, k).
        mirrored: bool (Q, k), whether the query's mirror image is the nearer one.
    """

    row: Rows
    cosine: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.bool_]


class Index:
    """Features of one kind, searched by cosine.

    Args:
        rows: The image of each feature, int64 (M,), ascending.
        features: float16 (M, LENGTH).
        groups: For every image a code, int64 (N,): images of one group are never neighbors; −1 is
            in no group.
    """

    def __init__(self, rows: Rows, features: npt.NDArray[np.float16], groups: Rows) -> None:
        self._rows, self._groups = rows, groups
        self._mean, self._spread = _statistics(features)
        vectors = self._standardized(features)
        self._vectors = vectors.astype(np.float16)
        self._centers = _centers(vectors) if len(rows) > EXACT_ROWS else None
        if self._centers is None:
            self._cells = [
                np.arange(at, min(at + _BLOCK, len(rows))) for at in range(0, len(rows), _BLOCK)
            ]
        else:
            cell = _nearest_centers(vectors, self._centers, 1)[:, 0]
            order = np.argsort(cell, kind="stable")
            ends = np.searchsorted(cell[order], np.arange(len(self._centers) + 1))
            self._cells = [order[a:b] for a, b in pairwise(ends)]

    def neighbors(self, images: Rows, features: npt.NDArray[np.float16], count: int) -> Neighbors:
        """Find the nearest features of other images, or of their mirror images.

        Args:
            images: The image that each query belongs to, int64 (Q,).
            features: The queries, float16 (Q, LENGTH).
            count: How many neighbors are wanted.
        """
        queries = self._standardized(features)
        row = np.full((len(queries), count), -1, np.int64)
        cosine = np.full((len(queries), count), LEAST_COSINE, np.float32)
        mirrored = np.zeros((len(queries), count), np.bool_)
        best = Neighbors(row, cosine, mirrored)
        for asking, cell in self._visits(queries):
            self._search(best, images, queries, asking, cell)
        order = np.argsort(-best.cosine, axis=1, kind="stable")
        return Neighbors(
            np.take_along_axis(row, order, axis=1),
            np.take_along_axis(cosine, order, axis=1),
            np.take_along_axis(mirrored, order, axis=1),
        )

    def _standardized(self, features: npt.NDArray[np.float16]) -> Vectors:
        vectors = (features.astype(np.float32) - self._mean) / self._spread
        length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
        vectors /= np.maximum(length, 1e-6)
        return vectors

    def _visits(self, queries: Vectors) -> Iterator[tuple[Rows, Rows]]:
        """Yield which queries are compared with which features."""
        if self._centers is None:
            for at in range(0, len(queries), _BLOCK):
                asking = np.arange(at, min(at + _BLOCK, len(queries)))
                yield from ((asking, cell) for cell in self._cells)
            return
        straight = _nearest_centers(queries, self._centers, _PROBED)
        mirror = _nearest_centers(queries * MIRROR, self._centers, _PROBED)
        cells = np.concatenate((straight, mirror), axis=1)
        order = np.argsort(cells.reshape(-1), kind="stable")
        ends = np.searchsorted(cells.reshape(-1)[order], np.arange(len(self._centers) + 1))
        for number, (a, b) in enumerate(pairwise(ends)):
            asking = np.unique(order[a:b] // cells.shape[1])
            for at in range(0, len(asking), _BLOCK):
                yield asking[at : at + _BLOCK], self._cells[number]

    def _search(
        self, best: Neighbors, images: Rows, queries: Vectors, asking: Rows, cell: Rows
    ) -> None:
        """Compare queries with a cell, and put those in that are nearer than the best so far."""
        if not len(asking) or not len(cell):
            return
        rows, members = self._rows[cell], self._vectors[cell].astype(np.float32)
        straight = queries[asking] @ members.T
        mirror = (queries[asking] * MIRROR) @ members.T
        cosine = np.maximum(straight, mirror)
        self._exclude(cosine, images[asking], rows)
        for _ in range(best.row.shape[1]):
            nearest = cosine.argmax(axis=1)
            value = cosine[np.arange(len(asking)), nearest]
            worst = best.cosine[asking].argmin(axis=1)
            better = value > best.cosine[asking, worst]
            if not better.any():
                return
            at, column, slot = np.flatnonzero(better), nearest[better], worst[better]
            best.row[asking[at], slot] = rows[column]
            best.cosine[asking[at], slot] = value[at]
            best.mirrored[asking[at], slot] = mirror[at, column] > straight[at, column]
            cosine[at, column] = -1

    def _exclude(self, cosine: Vectors, images: Rows, rows: Rows) -> None:
        """Take out the query's own image, and images of its group."""
        position = np.minimum(np.searchsorted(rows, images), len(rows) - 1)
        own = np.flatnonzero(rows[position] == images)
        cosine[own, position[own]] = -1
        groups, others = self._groups[images], self._groups[rows]
        for code in np.intersect1d(groups[groups >= 0], others):
            cosine[np.ix_(groups == code, others == code)] = -1


def _statistics(features: npt.NDArray[np.float16]) -> tuple[Vectors, Vectors]:
    """Return mean and spread of features and their mirror images, each (LENGTH,).

    A mean of few images would be these images; it counts as much as there are images.
    """
    total = np.zeros(LENGTH)
    square = np.zeros(LENGTH)
    for at in range(0, len(features), _BLOCK):
        block = features[at : at + _BLOCK].astype(np.float64)
        total += block.sum(axis=0)
        square += (block * block).sum(axis=0)
    known = len(features) + _PRIOR_ROWS
    mean = np.where(MIRROR > 0, total / known, 0.0)
    variance = np.maximum(square / known - mean**2, 0) + _PRIOR_SPREAD**2 * _PRIOR_ROWS / known
    return mean.astype(np.float32), np.sqrt(variance).astype(np.float32)


def _centers(vectors: Vectors) -> Vectors:
    """Return the centers of cells by k-means on a sample, started from evenly chosen rows."""
    count = max(1, len(vectors) // _CELL_ROWS)
    sample = vectors[
        np.linspace(0, len(vectors) - 1, min(len(vectors), count * _TRAINING_ROWS)).astype(np.int64)
    ]
    centers = sample[np.linspace(0, len(sample) - 1, count).astype(np.int64)].copy()
    for _ in range(_TRAINING_STEPS):
        cell = _nearest_centers(sample, centers, 1)[:, 0]
        order = np.argsort(cell, kind="stable")
        present, start = np.unique(cell[order], return_index=True)
        centers[present] = np.add.reduceat(sample[order], start, axis=0)
        centers /= np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), 1e-6)
    return centers


def _nearest_centers(vectors: Vectors, centers: Vectors, count: int) -> Rows:
    """Return the centers nearest to each vector, int64 (Q, count), in no order."""
    count = min(count, len(centers))
    found = np.empty((len(vectors), count), np.int64)
    for at in range(0, len(vectors), _BLOCK):
        cosine = vectors[at : at + _BLOCK] @ centers.T
        if count == 1:
            found[at : at + _BLOCK, 0] = cosine.argmax(axis=1)
        else:
            found[at : at + _BLOCK] = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
    return found
