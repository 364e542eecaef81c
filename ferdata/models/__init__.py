"""Models by name: ferdata's own, from five papers, those of plugins, and everything in timm.

    model = create_model("lmfer", 7, layout="full")
    model = create_model("resnet18.a1_in1k", 7, pretrained=True)

Names are loaded on first use, so that reading a model's spec loads neither torch nor timm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names

if TYPE_CHECKING:
    from ferdata.models.base import ExpressionModel
    from ferdata.models.create import create_model, takes_image_size
    from ferdata.models.registry import MODELS, model_options

__all__ = ["MODELS", "ExpressionModel", "create_model", "model_options", "takes_image_size"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "MODELS": "registry",
        "ExpressionModel": "base",
        "create_model": "create",
        "model_options": "registry",
        "takes_image_size": "create",
    },
)
