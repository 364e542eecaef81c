"""The classes of a model and of a build, matched by name."""

from __future__ import annotations

from pydantic import BaseModel

from ferdata.core.errors import LabelError
from ferdata.core.labels import LabelSpace

_FEWEST_SHARED = 2  # with one class there is nothing to distinguish


class ClassMatch(BaseModel):
    """Which classes a model and a build share, and what happens to the others.

    Images of a class that the model does not know are excluded from every score, since no
    prediction could be correct; they are counted here. A class that the build lacks can still be
    predicted, and is then an error: the model is not told which classes can't occur.

    Attributes:
        model_space: Name of the model's label space.
        build_space: Name of the build's label space.
        shared: Classes of both, in the model's order.
        only_model: Classes that the build lacks.
        excluded: Number of images of each class that the model lacks.
    """

    model_space: str
    build_space: str
    shared: list[str]
    only_model: list[str]
    excluded: dict[str, int]

    @property
    def same(self) -> bool:
        """Whether model and build have the same classes, in any order."""
        return not self.only_model and not self.excluded

    def description(self, split: str) -> str:
        """Describe how the classes were matched; empty if they are the same.

        Args:
            split: Name of the split.
        """
        if self.same:
            return ""
        parts = [
            f"Classes are matched by name: the model's {self.model_space!r} and the build's "
            f"{self.build_space!r} share {len(self.shared)} ({', '.join(self.shared)})."
        ]
        if any(self.excluded.values()):
            listed = ", ".join(f"{count} of {name}" for name, count in self.excluded.items())
            parts.append(
                f"Excluded from every score, since the model does not know these classes: {listed} "
                f"({split} images)."
            )
        if self.only_model:
            parts.append(
                f"The build has no {' and no '.join(self.only_model)}; predicting these classes is "
                "an error."
            )
        parts.append(f"All numbers are for the {split} images of the shared classes only.")
        return " ".join(parts)


def match_classes(model: LabelSpace, data: LabelSpace, where: str) -> ClassMatch:
    """Match classes by name; `excluded` counts no images yet.

    Args:
        model: The model's classes.
        data: The build's classes.
        where: The build, for the message.

    Raises:
        LabelError: They share fewer than two classes.
    """
    shared = [name for name in model.names if name in data]
    if len(shared) < _FEWEST_SHARED:
        common = f"only {shared[0]!r}" if shared else "no class"
        raise LabelError(
            f"{where} has the label space {data.name!r} ({', '.join(data.names)}) and shares "
            f"{common} with the model's {model.name!r} ({', '.join(model.names)}); at least "
            f"{_FEWEST_SHARED} are needed. Evaluate on a build with the model's classes, or train "
            "on this one."
        )
    return ClassMatch(
        model_space=model.name,
        build_space=data.name,
        shared=shared,
        only_model=[name for name in model.names if name not in data],
        excluded={name: 0 for name in data.names if name not in model},
    )
