"""An operation from another package: configured by its name, drawn, rendered, and on the device."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch

from ferdata.augmentation.copies import apply_operations
from ferdata.augmentation.drawing import draw_independently
from ferdata.augmentation.operation_config import load_operations
from ferdata.augmentation.operations import KINDS, Affine
from ferdata.augmentation.operations.base import uniform
from ferdata.core import registry
from ferdata.core.errors import PluginError
from ferdata.models.inputs.augment import DeviceAugment


@dataclass(frozen=True)
class Shear(Affine):
    """Shift rows by their distance from the center."""

    slope: tuple[float, float] = (0.1, 0.2)

    name: ClassVar = "shear"
    limits: ClassVar = {"slope": (0.0, 1.0)}
    drawn: ClassVar = ("slope",)

    def draw(self, generator):
        return {"slope": uniform(generator, self.slope)}

    def draw_batch(self, draw):
        return {"slope": draw(self.slope)}

    @staticmethod
    def map_about_center(values, width, height):  # noqa: ARG004
        return (1.0, values["slope"], 0.0), (0.0, 1.0, 0.0)


@pytest.fixture
def plugin(monkeypatch):
    """Install a package with two operations, one of them under another name than its own."""
    entries = [
        EntryPoint(f"operation.{name}", "my_package:Shear", registry.GROUP)
        for name in ("shear", "tilt")
    ]
    monkeypatch.setitem(sys.modules, "my_package", SimpleNamespace(Shear=Shear))
    monkeypatch.setattr(registry, "entry_points", lambda **_: entries)
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


def test_an_installed_operation_is_one_class(plugin, image):
    entry = {"op": "shear", "slope": [0.3, 0.3], "probability": 1.0}
    text = draw_independently(load_operations([entry]), 0, "a", 1)
    assert json.loads(text) == [{"op": "shear", "slope": 0.3}]
    height, width = image.shape[:2]
    five = np.array([[(width - 1) / 2, (height - 1) / 2], *[[20.0, (height - 1) / 2 + 10]] * 4])
    stored = apply_operations(image, text, five_points=five)
    assert np.allclose(stored.five_points - five, [[0, 0], *[[3, 0]] * 4])
    assert not np.array_equal(stored.pixels, image)
    batch, points = torch.zeros(1, 3, height, width), torch.from_numpy(five).float()[None]
    _, moved = DeviceAugment([entry], "five")(batch, points)
    assert np.allclose(moved[0].numpy(), stored.five_points)


def test_an_operation_must_have_the_name_that_it_is_installed_as(plugin):
    assert "tilt" in KINDS
    with pytest.raises(PluginError, match=r"operation 'tilt': .*Shear"):
        load_operations([{"op": "tilt"}])
