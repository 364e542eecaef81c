"""Pretrained weights without a download."""

import pytest
import timm
from torch import nn


@pytest.fixture
def pretrained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Make every pretrained weight of timm 0.5; return which models are asked for, and whether."""
    real, asked = timm.create_model, []

    def create(name: str, *, pretrained: bool, **options: object) -> nn.Module:
        asked.append((name, pretrained))
        made = real(name, **options)
        for parameter in made.parameters():
            nn.init.constant_(parameter, 0.5)
        return made

    monkeypatch.setattr("timm.create_model", create)
    return asked
