"""The eight canonical expression names, and label spaces over them.

A label is a *name* everywhere in ferdata. Indices exist only inside a `LabelSpace`, which travels
with every manifest, shard and checkpoint, so that label orders can't be mixed up: the seven
datasets number their classes in seven different ways.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ferdata.core.errors import LabelError, UnknownNameError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CANONICAL: tuple[str, ...] = (
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
)
"""The eight expression names, always in this (alphabetical) order."""

_ALIASES: dict[str, str] = {
    "afraid": "fear",
    "angry": "anger",
    "calm": "neutral",
    "contemptuous": "contempt",
    "disgusted": "disgust",
    "fearful": "fear",
    "happy": "happiness",
    "joy": "happiness",
    "joyful": "happiness",
    "normal": "neutral",
    "sad": "sadness",
    "scared": "fear",
    "suprise": "surprise",  # sic, in several copies
    "surprised": "surprise",
}


def canonical_name(word: str) -> str:
    """Return the canonical expression name for a word met in a dataset.

    Args:
        word: A class or folder name in any letter case, for instance `"Happy"` or `"afraid"`.

    Raises:
        LabelError: The word names none of the eight expressions.
    """
    name = word.strip().lower()
    name = _ALIASES.get(name, name)
    if name not in CANONICAL:
        raise LabelError(
            f"{word!r} is not an expression; expected one of {', '.join(CANONICAL)} "
            f"or an alias ({', '.join(sorted(_ALIASES))})."
        )
    return name


def class_weights(counts: npt.ArrayLike, *, normalize: bool = False) -> npt.NDArray[np.float64]:
    """Return the weight of each class in a loss, w_c = N / n_c with N the sum of all n_c.

    A class of half the size weighs twice as much. The loss of torch with mean reduction does not
    depend on the scale of its weights; others do, hence `normalize`.

    Args:
        counts: Rows of each class, shape (K,).
        normalize: Divide by the sum, so that the weights sum to 1.

    Returns:
        float64, shape (K,); 0 for a class without rows, since no row can ask for its weight.
    """
    import numpy as np  # noqa: PLC0415 - options and recipes need names only

    rows = np.asarray(counts, dtype=np.float64)
    weights = np.zeros_like(rows)
    np.divide(rows.sum(), rows, out=weights, where=rows > 0)
    return weights / weights.sum() if normalize and weights.any() else weights


@dataclass(frozen=True)
class LabelSpace:
    """An ordered set of class names; the only place where a label has an index.

    Attributes:
        name: A short name for messages and files, for instance `"basic7"`.
        names: The class names; a class's index is its position.
    """

    name: str
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) != len(self.names):
            raise LabelError(
                f"label space {self.name!r} needs at least one class and no class twice; "
                f"got {list(self.names)}."
            )

    @classmethod
    def from_json(cls, text: str) -> LabelSpace:
        """Read what `to_json` wrote.

        Raises:
            LabelError: It is not a label space.
        """
        try:
            value = json.loads(text)
            name, names = str(value["name"]), tuple(map(str, value["names"]))
        except (ValueError, KeyError, TypeError) as error:
            raise LabelError(f"{text[:80]!r} is not a label space: {error!r}") from error
        return cls(name, names)

    def to_json(self) -> str:
        """Return the form in which files carry a label space."""
        return json.dumps({"name": self.name, "names": self.names})

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, label: object) -> bool:
        return label in self.names

    def index(self, label: str) -> int:
        """Return the index of a class name.

        Raises:
            UnknownNameError: The name is not in this label space.
        """
        try:
            return self.names.index(label)
        except ValueError:
            raise UnknownNameError(f"label in {self.name!r}", label, self.names) from None

    def encode(self, labels: Iterable[str]) -> npt.NDArray[np.int64]:
        """Turn class names into indices, int64, shape (N,).

        Raises:
            UnknownNameError: A name is not in this label space.
        """
        import numpy as np  # noqa: PLC0415 - options and recipes need names only

        index = {name: position for position, name in enumerate(self.names)}
        try:
            return np.fromiter((index[label] for label in labels), dtype=np.int64)
        except KeyError as error:
            raise UnknownNameError(
                f"label in {self.name!r}", str(error.args[0]), self.names
            ) from None

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Turn indices into class names.

        Raises:
            LabelError: An index is outside the label space.
        """
        names = []
        for index in indices:
            if not 0 <= index < len(self.names):
                raise LabelError(
                    f"label index {index} is outside {self.name!r}, which has indices "
                    f"0–{len(self.names) - 1}."
                )
            names.append(self.names[index])
        return names

    def remap_from(self, other: LabelSpace) -> npt.NDArray[np.int64]:
        """Return the table that turns indices of `other` into indices of this space, by name.

        Returns:
            int64, shape (len(other),); −1 where this space lacks the class.
        """
        mine = {name: position for position, name in enumerate(self.names)}
        import numpy as np  # noqa: PLC0415 - options and recipes need names only

        return np.array([mine.get(name, -1) for name in other.names], dtype=np.int64)

    def project(self, soft_label: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Carry soft labels over the eight canonical names into this space.

        Args:
            soft_label: Shape (..., 8), in the order of `CANONICAL`.

        Returns:
            float32, shape (..., len(self)), each row summing to 1; a row whose whole mass lies on
            classes that this space lacks becomes zeros.
        """
        import numpy as np  # noqa: PLC0415 - options and recipes need names only

        soft = np.zeros((*soft_label.shape[:-1], len(self.names)), dtype=np.float32)
        for position, name in enumerate(self.names):
            if name in CANONICAL:
                soft[..., position] = soft_label[..., CANONICAL.index(name)]
        total = soft.sum(axis=-1, keepdims=True)
        shares: npt.NDArray[np.float32] = np.zeros_like(soft)
        np.divide(soft, total, out=shares, where=total > 0)
        return shares


BASIC8 = LabelSpace("basic8", CANONICAL)
"""All eight canonical expressions."""

BASIC7 = LabelSpace("basic7", tuple(name for name in CANONICAL if name != "contempt"))
"""The seven expressions of RAF-DB, FER2013, KDEF and JAFFE: the canonical ones without contempt."""
