"""The files beside the weights of a model that transformers and timm open from a folder.

transformers has a wrapper for models of timm, which makes them by their name in timm. Its
configuration is the one that timm's own `local-dir:` and `hf-hub:` read.
"""

from __future__ import annotations

from typing import Any

import timm

from ferdata.core.errors import ModelFileError
from ferdata.models.classifier import Classifier
from ferdata.models.registry import MODELS, PAPER_MODELS

REGISTRATION = "ferdata.models.timm_entries"
"""The module that registers the papers' models in timm."""


def timm_name(classifier: Classifier) -> str:
    """Return the name by which timm makes a model.

    Raises:
        ModelFileError: timm can't make it, or it takes more than an image.
    """
    spec = classifier.spec
    instead = "export it with --to onnx, or the weights with --to safetensors"
    if spec.landmark_scheme is not None:
        raise ModelFileError(
            f"{spec.model} takes landmarks beside the image, which transformers' models don't; "
            f"{instead}"
        )
    if spec.model in PAPER_MODELS:
        return f"fer_{spec.model}"
    architecture = spec.model.partition(".")[0]
    if spec.model in MODELS or not timm.is_model(architecture):
        raise ModelFileError(
            f"{spec.model} is a plugin's model, which neither timm nor transformers can make by "
            f"its name; {instead}"
        )
    return architecture


def model_config(classifier: Classifier, architecture: str) -> dict[str, Any]:
    """Return `config.json`.

    Args:
        classifier: The model and its spec.
        architecture: Its name in timm.
    """
    spec = classifier.spec
    options = {**spec.model_options, "in_chans": spec.channels}
    return {
        "architectures": ["TimmWrapperForImageClassification"],
        "model_type": "timm_wrapper",
        "architecture": architecture,
        "num_classes": len(spec.labels),
        "label_names": list(spec.labels),
        "model_args": options,
        "pretrained_cfg": image_config(classifier),
    }


def processor_config(classifier: Classifier, architecture: str) -> dict[str, Any]:
    """Return `preprocessor_config.json`, which names the class that reads `config.json`."""
    return {
        "image_processor_type": "TimmWrapperImageProcessor",
        "architecture": architecture,
        "pretrained_cfg": image_config(classifier),
    }


def image_config(classifier: Classifier) -> dict[str, Any]:
    """Return size and normalization of the images, as timm keeps them.

    Both sides are resized (`squash`) without a border cut off, as ferdata does.
    """
    spec = classifier.spec
    known = getattr(classifier.model, "pretrained_cfg", {})
    return {
        "input_size": [spec.channels, *spec.input_size],
        "fixed_input_size": bool(known.get("fixed_input_size", False)),
        "interpolation": "bilinear",
        "crop_pct": 1.0,
        "crop_mode": "squash",
        "mean": list(spec.mean),
        "std": list(spec.std),
        "num_classes": len(spec.labels),
        "first_conv": known.get("first_conv"),
        "classifier": known.get("classifier"),
    }
