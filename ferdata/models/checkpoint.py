"""Reading checkpoints, which are tensors and plain types only, never pickled code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from ferdata.core.errors import ModelFileError
from ferdata.models.classifier import Classifier
from ferdata.models.create import create_model
from ferdata.models.spec import ModelSpec

_MODEL_PREFIX = "classifier.model."


def read_checkpoint(path: Path) -> tuple[ModelSpec, dict[str, Any]]:
    """Read a checkpoint onto the CPU.

    Args:
        path: A file that a run of ferdata wrote.

    Returns:
        The spec of the model, and the whole checkpoint.

    Raises:
        ModelFileError: The file is missing, is damaged, or is not a checkpoint of ferdata.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: no such checkpoint; `ferdata train` writes it.")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ModelFileError(
            f"{path}: not readable as a checkpoint ({first_line}); the file is damaged or not a "
            "checkpoint. Use the run's other checkpoint, or train again."
        ) from error
    try:
        return ModelSpec.model_validate(checkpoint["ferdata"]), checkpoint
    except (KeyError, TypeError, IndexError, ValidationError) as error:
        raise ModelFileError(
            f"{path}: a torch file, but not a checkpoint of ferdata (it has no readable model "
            "spec); give the folder of a run that `ferdata train` made."
        ) from error


def load_classifier(path: Path) -> Classifier:
    """Rebuild the classifier of a checkpoint, in evaluation mode, on the CPU.

    Raises:
        ModelFileError: The file can't be used, or its weights don't fit the model it names.
    """
    spec, checkpoint = read_checkpoint(path)
    model = create_model(spec.model, len(spec.labels), in_chans=spec.channels, **spec.model_options)
    weights = {
        name.removeprefix(_MODEL_PREFIX): tensor
        for name, tensor in checkpoint.get("state_dict", {}).items()
        if name.startswith(_MODEL_PREFIX)
    }
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
