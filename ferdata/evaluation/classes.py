"""A model's classes and a build's classes, matched by name."""

from __future__ import annotations

from pydantic import BaseModel

from ferdata.core.errors import LabelError
from ferdata.core.labels import LabelSpace

_FEWEST_SHARED = 2  # with one class there is nothing to tell apart


class ClassMatch(BaseModel):
    """Which classes a model and a build share, and what becomes of the others.

    Images of a class that the model does not know are left out of every score, since no answer
    could be right; they are counted here. A class that the build lacks can still be answered, and
    is wrong then: the model is not told what can't occur.

    Attributes:
        model_space: Name of the model's label space.
        build_space: Name of the build's label space.
        shared: Classes of both, in the model's order.
        only_model: Classes that the build lacks.
        left_out: Images of each class that the model lacks.
    """

    model_space: str
    build_space: str
    shared: list[str]
    only_model: list[str]
    left_out: dict[str, int]

    @property
    def same(self) -> bool:
        """Whether model and build have the same classes, in whatever order."""
        return not self.only_model and not self.left_out

    def words(self, split: str) -> str:
        """Tell how the classes were matched; empty where they are the same.

        Args:
            split: Name of the split; it stands beside the counts.
        """
        if self.same:
            return ""
        parts = [
            f"classes matched by name: the model's {self.model_space!r} and the build's "
            f"{self.build_space!r} share {len(self.shared)} ({', '.join(self.shared)})."
        ]
        if any(self.left_out.values()):
            listed = ", ".join(f"{count} of {name}" for name, count in self.left_out.items())
            parts.append(
                f"Left out of every score, since the model does not know them: {listed} "
                f"({split} images)."
            )
        if self.only_model:
            parts.append(
                f"The build has no {' and no '.join(self.only_model)}; such an answer is wrong."
            )
        parts.append(f"All numbers are of the {split} images of the shared classes only.")
        return " ".join(parts)


def match_classes(model: LabelSpace, data: LabelSpace, where: str) -> ClassMatch:
    """Match classes by name; no image is counted yet.

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
        left_out={name: 0 for name in data.names if name not in model},
    )
