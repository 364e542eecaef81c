"""Cards as huggingface_hub reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml

from ferdata.core.errors import BuildError


def require_valid_card(path: Path, kind: Literal["dataset", "model"]) -> None:
    """Read a card with `DatasetCard` or `ModelCard` of huggingface_hub, without the network.

    Raises:
        BuildError: Its metadata are not accepted, or change when they are written again.
    """
    from huggingface_hub import DatasetCard, ModelCard  # noqa: PLC0415 - heavy

    try:
        card = {"dataset": DatasetCard, "model": ModelCard}[kind].load(path)
        again = type(card)(f"---\n{card.data.to_yaml()}\n---\n{card.text}")
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise BuildError(f"{path}: huggingface_hub does not accept this card: {error}") from error
    if again.data.to_dict() != card.data.to_dict() or not card.text.strip():
        raise BuildError(f"{path}: huggingface_hub loses metadata or text of this card")
