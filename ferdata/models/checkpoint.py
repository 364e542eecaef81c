"""From a checkpoint to the classifier that it holds."""

from __future__ import annotations

from pathlib import Path

from ferdata.core.errors import ModelFileError
from ferdata.models.classifier import Classifier
from ferdata.models.create import create_model
from ferdata.models.weights import read_weights


def load_classifier(path: Path) -> Classifier:
    """Rebuild the classifier of a checkpoint, in evaluation mode, on the CPU.

    Args:
        path: See `read_weights`.

    Raises:
        ModelFileError: The file can't be used, or its weights don't fit the model it names.
    """
    spec, weights = read_weights(path)
    model = create_model(spec.model, len(spec.labels), in_chans=spec.channels, **spec.model_options)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelFileError(
            f"{path}: the weights don't fit {spec.model!r} as the installed timm builds it "
            f"({str(error).splitlines()[0]}); the checkpoint was written by ferdata "
            f"{spec.ferdata_version}, possibly with another version of timm."
        ) from error
    classifier: Classifier = Classifier(model, spec).eval()
    return classifier
