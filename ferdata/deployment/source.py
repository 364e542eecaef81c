"""What an export is made from: a run's model, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ferdata.core.files import sha256_file
from ferdata.core.version import __version__
from ferdata.deployment.options import ExportOptions
from ferdata.deployment.parity import Comparison
from ferdata.deployment.preparation import Preparation
from ferdata.models.checkpoint import load_classifier
from ferdata.models.classifier import Classifier
from ferdata.runs.folder import RunFolder
from ferdata.runs.record import RunRecord


@dataclass(frozen=True)
class ExportSource:
    """A run's model.

    Attributes:
        folder: The run.
        record: Its record.
        checkpoint: `"best"` or `"last"`.
        classifier: The model, in evaluation mode, on the CPU.
    """

    folder: RunFolder
    record: RunRecord
    checkpoint: str
    classifier: Classifier

    @classmethod
    def load(cls, folder: RunFolder, record: RunRecord, options: ExportOptions) -> Self:
        """Load the checkpoint that the options name, or else the one that the run selected.

        Raises:
            ModelFileError: The checkpoint is missing or damaged.
        """
        which = options.checkpoint or record.options.select
        return cls(folder, record, which, load_classifier(folder.model_file(which)))

    @property
    def size(self) -> int:
        """Side of the images that the run's build stores, pixels."""
        return Preparation.from_build(self.record.build).size

    def target(self, suffix: str) -> Path:
        """Return the path of an export that nobody named."""
        return self.folder.path / "export" / f"{self.checkpoint}{suffix}"

    def facts(self) -> dict[str, Any]:
        """Return what a user of the exported model needs to know, as JSON types."""
        spec, build = self.classifier.spec, self.record.build
        preparation = Preparation.from_build(build)
        return {
            "labels": spec.labels,
            "label_space": spec.label_space,
            "ferdata_version": __version__,
            "model": spec.model,
            "model_options": spec.model_options,
            "image": {
                "height": preparation.size,
                "width": preparation.size,
                "channels": spec.channels,
                "order": "height, width, channels",
                "color": "RGB" if spec.channels == 3 else "gray",
                "type": "uint8, 0 to 255",
            },
            "input_size": spec.input_size,
            "mean": spec.mean,
            "std": spec.std,
            "landmark_scheme": spec.landmark_scheme,
            "build": {"name": build.name, "plan_sha256": build.plan_sha256},
            "preparation": preparation.to_json(),
            "preparation_note": preparation.note(),
            "checkpoint": self.checkpoint,
            "checkpoint_sha256": sha256_file(self.folder.model_file(self.checkpoint)),
        }

    def report_fields(self, target: Path, size: int, comparison: Comparison) -> dict[str, Any]:
        """Return the fields that the reports of all formats share.

        Args:
            target: The file or folder that was written.
            size: Its size, bytes.
            comparison: How far its outputs are from the classifier's.
        """
        spec = self.classifier.spec
        return {
            "file": str(target),
            "bytes": size,
            "model": spec.model,
            "checkpoint": self.checkpoint,
            "labels": spec.labels,
            "channels": spec.channels,
            "largest_difference": comparison.difference,
            "largest_logit": comparison.largest_logit,
            "tolerance": comparison.tolerance,
            "images": comparison.images,
        }
