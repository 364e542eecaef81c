"""Confirming candidates: comparing their pixels, in several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

import cv2

from ferdata.core.parallel import run_in_order
from ferdata.curation.altered_copies.comparison import Comparison, compare
from ferdata.curation.altered_copies.frames import Frames

_CHUNK = 128  # pairs a task


class Candidate(NamedTuple):
    """Two images to be compared.

    Attributes:
        first: One image.
        second: The other, of a larger number.
        mirrored: Whether the second is to be mirrored.
        as_wholes: Whether the whole images look alike, so that they are also registered without
            points.
    """

    first: int
    second: int
    mirrored: bool
    as_wholes: bool


@dataclass(frozen=True, eq=False)
class _Task:
    """Candidates to compare, and the frames of their images."""

    candidates: Sequence[Candidate]
    frames: dict[int, Frames]


def compare_candidates(
    candidates: Sequence[Candidate],
    frames: Sequence[Frames | None],
    executor: Executor,
    *,
    ahead: int,
) -> Iterator[tuple[Candidate, Comparison | None]]:
    """Compare candidates and yield each with its comparison, in order.

    Args:
        candidates: The candidates, sorted.
        frames: The frames of each image.
        executor: Runs the comparisons.
        ahead: Most tasks that are submitted at a time.
    """
    for done in run_in_order(executor, _compare_chunk, _tasks(candidates, frames), ahead=ahead):
        yield from done


def _tasks(candidates: Sequence[Candidate], frames: Sequence[Frames | None]) -> Iterator[_Task]:
    for start in range(0, len(candidates), _CHUNK):
        chunk = candidates[start : start + _CHUNK]
        rows = sorted({row for each in chunk for row in (each.first, each.second)})
        yield _Task(chunk, {row: each for row in rows if (each := frames[row]) is not None})


def _compare_chunk(task: _Task) -> list[tuple[Candidate, Comparison | None]]:
    cv2.setNumThreads(1)
    return [(each, _compare(each, task.frames)) for each in task.candidates]


def _compare(candidate: Candidate, frames: dict[int, Frames]) -> Comparison | None:
    first, second = frames[candidate.first], frames[candidate.second]
    return compare(first, second, mirrored=candidate.mirrored, as_wholes=candidate.as_wholes)
