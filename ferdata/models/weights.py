"""Files of weights: Lightning's checkpoints and safetensors; tensors and plain types, no pickle.

A safetensors file of ferdata has the model's tensors by their names in its `state_dict`, so that
timm takes it as `checkpoint_path`, and as metadata, under `ferdata`, the model's spec as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from pydantic import ValidationError
from safetensors import safe_open
from torch import Tensor

from ferdata.core.errors import ModelFileError, ParseError
from ferdata.core.parsing import parse_json, parsing
from ferdata.models.spec import ModelSpec

SUFFIX = ".safetensors"
METADATA_KEY = "ferdata"
_MODEL_PREFIX = "classifier.model."  # of the model in Lightning's checkpoints


def read_weights(path: Path) -> tuple[ModelSpec, dict[str, Tensor]]:
    """Read a model's spec and weights onto the CPU.

    Args:
        path: A checkpoint (`.ckpt`) or a safetensors file that ferdata wrote.

    Returns:
        The spec of the model, and its `state_dict`.

    Raises:
        ModelFileError: The file is missing, is damaged, or was not written by ferdata.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: no such checkpoint; `ferdata train` writes it.")
    try:
        with parsing("a checkpoint"):
            spec, weights = (_read_safetensors if path.suffix == SUFFIX else _read_checkpoint)(path)
    except ParseError as error:
        raise ModelFileError(
            f"{path}: not readable as a checkpoint: {error}; the file is damaged or not a "
            "checkpoint. Use the run's other checkpoint, or train again."
        ) from error
    try:
        return ModelSpec.model_validate(spec), weights
    except ValidationError as error:
        raise ModelFileError(
            f"{path}: readable, but not a checkpoint of ferdata (it has no readable model spec); "
            "give the folder of a run that `ferdata train` made."
        ) from error


def pack_weights(weights: Mapping[str, Tensor], spec: ModelSpec, notes: Mapping[str, Any]) -> bytes:
    """Return a model's weights as the bytes of a safetensors file; equal weights give equal bytes.

    Args:
        weights: The model's `state_dict`.
        spec: Its spec.
        notes: More to say in the metadata, as JSON types.
    """
    # safetensors writes several keys of metadata in random order, hence one
    said = json.dumps({**notes, **spec.model_dump(mode="json")}, sort_keys=True, ensure_ascii=False)
    return pack_tensors(weights, {METADATA_KEY: said})


def pack_tensors(weights: Mapping[str, Tensor], metadata: dict[str, str]) -> bytes:
    """Return tensors as the bytes of a safetensors file, each contiguous and on its own."""
    packed = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    content: bytes = safetensors.torch.save(packed, metadata=metadata)
    return content


def _read_safetensors(path: Path) -> tuple[Any, dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    said = metadata.get(METADATA_KEY)
    return None if said is None else parse_json(said), weights


def _read_checkpoint(path: Path) -> tuple[Any, dict[str, Tensor]]:
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(checkpoint, dict):
        return None, {}
    weights = {
        name.removeprefix(_MODEL_PREFIX): tensor
        for name, tensor in checkpoint.get("state_dict", {}).items()
        if name.startswith(_MODEL_PREFIX)
    }
    return checkpoint.get("ferdata"), weights
