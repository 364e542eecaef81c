"""What a classifier predicts for every image of a split."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from ferdata.core.errors import BuildError, ModelFileError
from ferdata.core.progress import progress_bar
from ferdata.data import Build, ShardLoader
from ferdata.models.classifier import Classifier

EVALUATION_BATCH = 128
"""Images per forward pass."""


@dataclass(frozen=True)
class Predictions:
    """A classifier's predictions for the images of a split that have one of its classes.

    Attributes:
        names: The K class names of the classifier.
        index: Row of each image in the split, int64, shape (N,).
        label: Its true class as a position in `names`, int64, shape (N,).
        logits: float32, shape (N, K).
        excluded: Number of images of each class that the classifier does not know.
    """

    names: tuple[str, ...]
    index: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float32]
    excluded: dict[str, int]

    def __len__(self) -> int:
        return len(self.label)

    @cached_property
    def log_probabilities(self) -> npt.NDArray[np.float64]:
        """Logarithm of the softmax of the logits, shape (N, K); finite even where softmax is 0."""
        shifted = self.logits.astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return shifted

    @cached_property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Softmax of the logits, shape (N, K)."""
        return np.exp(self.log_probabilities)

    @cached_property
    def predicted(self) -> npt.NDArray[np.int64]:
        """The most probable class of each image, int64, shape (N,); of equals, the first."""
        return np.asarray(self.logits.argmax(axis=1))

    @cached_property
    def confidence(self) -> npt.NDArray[np.float64]:
        """Probability of the predicted class, shape (N,)."""
        return np.take_along_axis(self.probabilities, self.predicted[:, None], axis=1)[:, 0]

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """Whether each predicted class is the true one, shape (N,)."""
        return np.asarray(self.predicted == self.label)

    def confusion(
        self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.int64]:
        """Count true classes (rows) against predicted classes (columns), int64, shape (K, K).

        Args:
            rows: Mask or positions of the images to count; default: all.
        """
        label, predicted = self.label, self.predicted
        if rows is not None:
            label, predicted = label[rows], predicted[rows]
        counts = np.zeros((len(self.names), len(self.names)), dtype=np.int64)
        np.add.at(counts, (label, predicted), 1)
        return counts


@torch.inference_mode()
def predict_split(
    classifier: Classifier, build: Build, split: str, device: torch.device, *, quiet: bool = False
) -> Predictions:
    """Classify a split; only the logits stay in memory.

    Args:
        classifier: The classifier; it is moved to the device and put in evaluation mode.
        build: A build that shares classes with it.
        split: Name of the split.
        device: Where to compute.
        quiet: Show no progress.

    Raises:
        BuildError: No image of the split has a class that the classifier knows, or a shard can't
            be read.
        ModelFileError: A logit is NaN or infinite.
    """
    space = classifier.spec.space()
    to_model = space.remap_from(build.label_space)
    fields = ["image", "label", *(["landmarks"] if classifier.takes_landmarks else [])]
    classifier.eval().to(device)
    loader = ShardLoader(
        build,
        split,
        batch_size=EVALUATION_BATCH,
        shuffle=False,
        fields=fields,
        pin_memory=device.type == "cuda",
    )
    index, label, logits = [], [], []
    unknown: Counter[int] = Counter()
    with progress_bar(f"evaluating {split}", build.split(split).rows, quiet=quiet) as bar:
        for batch in loader:
            true = batch["label"].numpy()
            known = to_model[true] >= 0
            unknown.update(true[~known].tolist())
            index.append(batch["index"].numpy()[known])
            label.append(to_model[true[known]])
            there = batch.to(device)
            logits.append(classifier(there["image"], there.get("landmarks")).float().cpu()[known])
            bar.update(len(true))
    predictions = Predictions(
        names=space.names,
        index=np.concatenate(index),
        label=np.concatenate(label),
        logits=torch.cat(logits).numpy(),
        excluded={build.label_space.names[k]: n for k, n in sorted(unknown.items())},
    )
    if not len(predictions):
        raise BuildError(
            f"{build.root}: no image of split {split!r} has a class that the model knows "
            f"({', '.join(space.names)}); evaluate another split or build."
        )
    require_finite(predictions.logits, classifier, f" on {build.root}")
    return predictions


def require_finite(
    logits: npt.NDArray[np.float32], classifier: Classifier, where: str = ""
) -> None:
    """Check that logits are finite.

    Args:
        logits: Any shape.
        classifier: The classifier that they come from.
        where: What was classified, for the message: empty, or `" on out/rafdb"`.

    Raises:
        ModelFileError: One is NaN or infinite.
    """
    if not np.isfinite(logits).all():
        raise ModelFileError(
            f"{classifier.spec.model}: logits{where} are NaN or infinite; training has diverged. "
            "Use the run's other checkpoint, or train again with a lower --lr."
        )
