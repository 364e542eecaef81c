"""Drawing the operations of copies: each copy apart from its siblings, or each by itself.

Siblings, the copies of one image, are drawn apart by strata: 0–1 is divided into 17, and of each
value of each operation 17 copies in turn get one stratum each. Their order is that of a lattice
rule by Korobov (generator 3, a primitive root of 17) with a random shift (Cranley and Patterson,
"Randomization of number theoretic methods for multiple integration", SIAM J. Numer. Anal. 13,
1976). The shift is drawn from the seed and the image. So a single copy is distributed as if it were
drawn by itself, only siblings together are spread evenly, and a copy depends on its own number,
not on the other copies, their order or how many there are.

Seventeen images for each source image bring RAF-DB's fear (281) to its happiness (4,772). Later
copies start over with another shift.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ferdata.augmentation.operations import Operation
from ferdata.core.draws import generator
from ferdata.core.errors import OptionError

Draws: TypeAlias = Literal["apart", "independent"]

CYCLE = 17
"""Copies of one image that get different strata."""

_ROOT = 3  # its powers modulo 17 are 1 to 16
_STRATIFIED = 4  # values of an operation that have strata; an operation's further ones have none
_MANY = 4  # operations in a list from which on a copy gets at least two


def draw_apart(operations: Sequence[Operation], seed: int, sample_id: str, copy_index: int) -> str:
    """Draw the operations of one copy apart from those of its siblings.

    An operation is applied where its first value is below its probability, and that value decides
    its strength as well: an operation of probability 0.5 is in every other copy, with strengths
    that are spread over the whole range. A copy with too few operations gets those that came
    closest to being drawn: one with a strength, and a second one where the list has at least four.

    Args:
        operations: The operations to draw from, in the order of application.
        seed: Seed of the build.
        sample_id: The image that is copied.
        copy_index: The number of the copy, from 1.

    Returns:
        The row's `operations`: compact JSON.

    Raises:
        OptionError: There are no operations to draw from.
    """
    _require_some(operations)
    first, *others = _strata(len(operations), seed, sample_id, copy_index).tolist()
    chosen = {k for k, each in enumerate(operations) if first[k] < each.probability}
    places = [_place(first[k], each.probability) for k, each in enumerate(operations)]
    spare = sorted(set(range(len(operations))) - chosen, key=places.__getitem__)
    if not any(operations[k].varies for k in chosen):
        chosen.update([k for k in spare if operations[k].varies][:1])
    least = 2 if len(operations) >= _MANY else 1
    chosen.update([k for k in spare if k not in chosen][: max(least - len(chosen), 0)])
    own = generator(seed, sample_id, copy_index, "operations").bit_generator
    return _to_json(
        (operations[k], _Given(own, (places[k], *(values[k] for values in others))))
        for k in sorted(chosen)
    )


def draw_independently(
    operations: Sequence[Operation], seed: int, sample_id: str, copy_index: int
) -> str:
    """Draw the operations of one copy by itself.

    Each operation is applied with its probability. If no operation is drawn, or only operations
    that are on or off, such as a flip, an operation with a strength is added; otherwise two copies
    of one image could be equal.

    Args, returned value and errors are those of `draw_apart`.
    """
    _require_some(operations)
    own = generator(seed, sample_id, copy_index, "operations")
    chosen = [own.random() < operation.probability for operation in operations]
    strengths = [index for index, operation in enumerate(operations) if operation.varies]
    forced = strengths or list(range(len(operations)))
    if not any(chosen[index] for index in forced):
        chosen[forced[int(own.random() * len(forced))]] = True
    return _to_json(
        (operation, own) for operation, wanted in zip(operations, chosen, strict=True) if wanted
    )


DRAW_BY: Mapping[Draws, Callable[[Sequence[Operation], int, str, int], str]] = {
    "apart": draw_apart,
    "independent": draw_independently,
}
"""How the operations of a copy are drawn, by the name of the option `draws`."""


class _Given(np.random.Generator):
    """A generator whose first uniform numbers are given, and the others drawn."""

    def __init__(self, bit_generator: np.random.BitGenerator, values: Iterable[float]) -> None:
        super().__init__(bit_generator)
        self._values = iter(values)

    def random(self, size: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return the next given number, or what `numpy.random.Generator` draws."""
        if size is None and (value := next(self._values, None)) is not None:
            return value
        return super().random(size, *args, **kwargs)


def _strata(operations: int, seed: int, sample_id: str, copy_index: int) -> npt.NDArray[np.float64]:
    """Return the values of a copy's operations, in 0–1, shape (4, operations)."""
    cycle, turn = divmod(copy_index - 1, CYCLE)
    shift = generator(seed, sample_id, cycle, "strata").random((_STRATIFIED, operations))
    return np.asarray((_steps(operations) * turn % CYCLE / CYCLE + shift) % 1.0)


@cache
def _steps(operations: int) -> npt.NDArray[np.int64]:
    """Return by how many strata each value moves from copy to copy, shape (4, operations)."""
    powers = [pow(_ROOT, index, CYCLE) for index in range(_STRATIFIED * operations)]
    return np.array(powers).reshape(_STRATIFIED, operations)


def _place(value: float, probability: float) -> float:
    """Return where in 0–1 a value is among those that draw an operation, or that don't draw it."""
    if value < probability:
        return value / probability
    return (value - probability) / (1 - probability)


def _require_some(operations: Sequence[Operation]) -> None:
    if not operations:
        raise OptionError("no operations to augment with; an augmented copy needs at least one")


def _to_json(drawn: Iterable[tuple[Operation, np.random.Generator]]) -> str:
    entries = [{"op": operation.name, **operation.draw(source)} for operation, source in drawn]
    return json.dumps(entries, separators=(",", ":"))
