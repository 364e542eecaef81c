"""What a checkpoint records about its model, so that it can be used without its run."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from ferdata.core.errors import LabelError
from ferdata.core.labels import LabelSpace
from ferdata.core.version import __version__


class ModelSpec(BaseModel):
    """A model's name, its classes and the images it expects; plain types only.

    Attributes:
        model: Name for `create_model`.
        model_options: Options for `create_model`.
        label_space: Name of the label space.
        labels: Class names; the index of a logit is the position of its name.
        channels: 3 for RGB, 1 for gray.
        input_size: `(height, width)` of the model's input; images of other sizes are resized.
        mean: Mean per channel to subtract, for values in 0–1.
        std: Standard deviation per channel to divide by.
        landmark_scheme: Scheme of the landmarks that the model takes beside the image, if any.
        ferdata_version: Version of ferdata that wrote the checkpoint.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())

    model: str
    model_options: dict[str, Any] = {}
    label_space: str
    labels: tuple[str, ...]
    channels: int
    input_size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    landmark_scheme: str | None = None
    ferdata_version: str = __version__

    def space(self) -> LabelSpace:
        """Return the classes as a label space."""
        return LabelSpace(self.label_space, self.labels)

    def require_labels(self, other: LabelSpace, where: str) -> None:
        """Check that another label space has the same names in the same order.

        Args:
            other: Label space of the data.
            where: Name of the data, for the message.

        Raises:
            LabelError: The label spaces differ.
        """
        if self.labels == other.names:
            return
        lacking = sorted(set(other.names) - set(self.labels))
        surplus = sorted(set(self.labels) - set(other.names))
        difference = "; ".join(
            part
            for part in (
                f"only the data has {', '.join(lacking)}" if lacking else "",
                f"only the model has {', '.join(surplus)}" if surplus else "",
                "" if lacking or surplus else "the order differs",
            )
            if part
        )
        raise LabelError(
            f"{where} has the label space {other.name!r} ({', '.join(other.names)}), the model was "
            f"trained on {self.label_space!r} ({', '.join(self.labels)}): {difference}. "
            "Use a build with the model's classes, or train on this one."
        )
