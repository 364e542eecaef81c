"""timm's models, told without importing timm."""

import subprocess
import sys

import timm
from timm.models import _registry

from ferdata.models.timm_names import timm_names


def test_the_names_are_those_of_timm() -> None:
    declared, old = timm_names()
    ours = {name for name in timm.list_models() if name.startswith("fer_")}
    assert declared == set(timm.list_models()) - ours
    assert declared | old | ours >= set(_registry._model_entrypoints)


def test_a_name_is_checked_without_torch() -> None:
    code = """
import sys
from ferdata.core.errors import UnknownNameError
from ferdata.models.timm_names import require_model
for name in ("ctan", "fer_ctan", "resnet18", "resnet18.a1_in1k", "tv_resnext50_32x4d"):
    require_model(name)
try:
    require_model("resnet81")
except UnknownNameError as error:
    print(error)
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "unknown model 'resnet81'" in done.stdout
    assert "resnet18" in done.stdout
