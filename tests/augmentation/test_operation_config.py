"""Operations as users configure them: read from YAML, described for the plan, and read again."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ferdata.augmentation.operation_config import list_names, load_operations
from ferdata.augmentation.operations import (
    KINDS,
    Albumentations,
    Brightness,
    Contrast,
    Crop,
    GaussianBlur,
    GaussianNoise,
    HistogramEqualization,
    HorizontalFlip,
    Rotation,
    Scale,
    Translation,
    VerticalFlip,
)
from ferdata.core.errors import OptionError, UnknownNameError
from ferdata.core.options import flag
from ferdata.core.yaml_files import read_model
from ferdata.shards.options import BuildOptions

TEXT = """
operations:
  - {op: rotation, degrees: [0, 20], probability: 1.0}
  - {op: crop, share: [0, 0.2]}
  - {op: scale, factor: [0.8, 1.2]}
  - {op: translation, share: [0, 0.1], both_ways: false}
  - {op: vertical_flip, probability: 0.25}
  - {op: horizontal_flip}
  - {op: brightness, change: [0.1, 0.2]}
  - {op: contrast, change: [0.05, 0.3]}
  - {op: histogram_equalization}
  - {op: gaussian_blur, sigma: [0.5, 1]}
  - {op: gaussian_noise, sigma: [2, 5], color: false}
  - op: albumentations
    transform: CLAHE
    probability: 0.5
    parameters: {clip_limit: [1, 4]}
"""

ALL = (
    Rotation(1.0, degrees=(0, 20)),
    Crop(share=(0, 0.2)),
    Scale(factor=(0.8, 1.2)),
    Translation(share=(0, 0.1), both_ways=False),
    VerticalFlip(0.25),
    HorizontalFlip(),
    Brightness(change=(0.1, 0.2)),
    Contrast(change=(0.05, 0.3)),
    HistogramEqualization(),
    GaussianBlur(sigma=(0.5, 1)),
    GaussianNoise(sigma=(2, 5), color=False),
    Albumentations(0.5, transform="CLAHE", parameters={"clip_limit": [1, 4]}),
)


def test_a_file_a_mapping_and_a_list_are_read_alike(tmp_path):
    path = tmp_path / "operations.yaml"
    path.write_text(TEXT, encoding="utf-8")
    data = yaml.safe_load(TEXT)
    assert load_operations(path) == load_operations(str(path)) == ALL
    assert load_operations(data) == load_operations(data["operations"]) == ALL


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"albumentations"}))
def test_every_kind_has_defaults_and_is_read_back(kind):
    (operation,) = load_operations([{"op": kind}])
    assert load_operations([operation.describe()]) == (operation,)


def test_described_operations_are_read_back_equal():
    for operations in (ALL, *map(load_operations, list_names())):
        described = json.loads(json.dumps([operation.describe() for operation in operations]))
        again = load_operations(described)
        assert again == operations
        assert hash(again) == hash(operations)
        assert [operation.describe() for operation in again] == described


@given(
    degrees=st.tuples(st.floats(0, 90), st.floats(90, 180)),
    both_ways=st.booleans(),
    probability=st.floats(0, 1),
)
def test_any_rotation_survives_yaml(degrees, both_ways, probability):
    operation = Rotation(probability, degrees=degrees, both_ways=both_ways)
    text = yaml.safe_dump([operation.describe()])
    assert load_operations(yaml.safe_load(text)) == (operation,)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (
            "- {op: rotaton}",
            UnknownNameError,
            "operations.yaml, entry 1: unknown operation 'rotaton'.*mean 'rotation'",
        ),
        (
            "- {op: crop}\n- {op: flip}",
            UnknownNameError,
            "operations.yaml, entry 2: unknown operation 'flip'",
        ),
        (
            "- {op: rotation, degree: [0, 20]}",
            UnknownNameError,
            "entry 1: unknown option of rotation 'degree'.*Did you mean 'degrees'",
        ),
        ("- {op: rotation, degrees: [20, 0]}", OptionError, "entry 1: rotation: degrees 20–0"),
        ("- {op: rotation, degrees: 20}", OptionError, "entry 1: rotation: degrees is a range"),
        ("- {op: rotation, degrees: [0, 10, 20]}", OptionError, "two numbers"),
        ("- {op: rotation, degrees: ['0', '20']}", OptionError, "two numbers"),
        ("- {op: rotation, probability: often}", OptionError, "probability 'often' is not within"),
        ("- {op: vertical_flip, probability: .nan}", OptionError, "entry 1.*probability nan"),
        (
            "- {op: albumentations, transform: RandomGama}",
            UnknownNameError,
            "entry 1: unknown albumentations transform 'RandomGama'.*mean 'RandomGamma'",
        ),
        ("- {op: albumentations}", OptionError, "entry 1: albumentations: transform is the name"),
        (
            "- {op: albumentations, transform: CLAHE, parameters: {clip_limit: 2026-01-01}}",
            OptionError,
            "entry 1: .*plain values",
        ),
        (
            "- rotation",
            OptionError,
            "entry 1: expected a mapping with the name of an operation under 'op'",
        ),
        ("- {degrees: [0, 20]}", OptionError, "under 'op'"),
        ("", OptionError, "operations.yaml: expected a list of operations"),
        ("[]", OptionError, "expected a list of operations"),
        ("operations: crop", OptionError, "expected a list of operations"),
        ("op: crop", OptionError, "expected only a list under 'operations'; got op"),
        ("[{op: crop", OptionError, "operations.yaml: not valid YAML"),
        ("- !!python/object:os.system {}", OptionError, "operations.yaml: not valid YAML"),
    ],
)
def test_errors_name_their_place(tmp_path, text, error, says):
    path = tmp_path / "operations.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=says):
        load_operations(path)


def test_lists_have_names():
    assert list_names() == ("default", "standard")
    default, standard = map(load_operations, list_names())
    assert [operation.name for operation in default] == [
        "horizontal_flip",
        "brightness",
        "gaussian_blur",
        "gaussian_noise",
    ]
    added = {operation.name for operation in standard} - {operation.name for operation in default}
    assert added == {"rotation", "scale", "translation"}
    assert set(default) < set(standard)
    help_text = BuildOptions.model_fields["operations"].description
    assert all(f"`{name}`" in help_text for name in list_names())


def test_an_unknown_list_is_named_with_the_one_that_was_meant(tmp_path, monkeypatch):
    with pytest.raises(
        UnknownNameError, match=r"unknown list of operations 'standart'.*Did you mean 'standard'"
    ):
        load_operations("standart")
    with pytest.raises(OptionError, match=r"--operations standart: .*Did you mean 'standard'"):
        BuildOptions.checked({"operations": "standart"}, spelled=flag)
    described = BuildOptions.checked({"operations": "standard"}).operations
    assert load_operations(described) == load_operations("standard")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text(TEXT, encoding="utf-8")
    assert load_operations("mine") == ALL


def test_a_recipe_names_a_list_or_a_file_beside_it(tmp_path):
    class Part(BaseModel):
        build: dict[str, str]

    (tmp_path / "recipe.yaml").write_text("build: {operations: standard}", encoding="utf-8")
    part = read_model(tmp_path / "recipe.yaml", "part", Part)
    assert load_operations(part.build["operations"]) == load_operations("standard")
    (tmp_path / "recipe.yaml").write_text("build: {operations: mine.yaml}", encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(TEXT, encoding="utf-8")
    assert (
        load_operations(read_model(tmp_path / "recipe.yaml", "part", Part).build["operations"])
        == ALL
    )


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OptionError, match=r"none.yaml: can't read the list of operations"):
        load_operations(tmp_path / "none.yaml")


def test_checking_a_list_loads_albumentations_only_where_it_is_named():
    code = (
        "import sys; from ferdata.augmentation.operation_config import load_operations\n"
        "load_operations([{'op': 'rotation'}, {'op': 'gaussian_noise'}])\n"
        "assert 'albumentations' not in sys.modules\n"
        "load_operations([{'op': 'albumentations', 'transform': 'CLAHE'}])\n"
        "assert 'albumentations' in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
