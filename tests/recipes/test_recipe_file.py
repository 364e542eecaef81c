"""Recipes of users: what is wrong with a file is said in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.recipes import load_recipe
from ferdata.recipes.text import describe

RECIPE: dict[str, Any] = {
    "name": "mine",
    "title": "Mine: a test",
    "summary": "A recipe.",
    "paper": {"title": "T", "authors": "A", "year": 2020},
    "build": {"size": 48, "operations": [{"op": "rotation", "degrees": [0, 9]}]},
    "leak_free": {"duplicates": "drop"},
    "train": {"model": "lmfer", "lr": 0.1, "model_options": {"maps": 7}},
    "datasets": {
        "rafdb": {"data": "RAF-DB.", "build": {"size": 100}, "train": {"lr": 0.2}},
        "ferplus": {"data": "FER+.", "leak_free": {"split": "official"}},
    },
}


def write(folder: Path, **values: Any) -> str:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, **values}, sort_keys=False), encoding="utf-8")
    return str(path)


def test_options_of_a_dataset_come_before_those_of_all(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path))
    assert recipe.build_options("rafdb")["size"] == 100
    assert recipe.build_options("ferplus")["size"] == 48
    assert "duplicates" not in recipe.build_options("ferplus")
    assert recipe.build_options("ferplus", leak_free=True)["split"] == "official"
    assert recipe.build_options("rafdb", leak_free=True)["duplicates"] == "drop"
    assert recipe.train_options("rafdb")["lr"] == 0.2
    assert recipe.train_options("ferplus")["lr"] == 0.1


TWICE = [
    {"op": "rotation", "degrees": [0, 9]},
    {"op": "rotation", "share": 0.25},
    {"op": "horizontal_flip"},
]


def test_operations_of_one_name_are_all_shown_and_may_have_reasons(tmp_path: Path) -> None:
    places = ["build.operations.rotation.degrees", "build.operations.rotation.share"]
    assumed = {place: f"Reason for {place}." for place in places}
    path = write(tmp_path, build={"operations": TWICE}, assumed=assumed)
    recipe = load_recipe(path)
    assert not recipe.has("build.operations.rotation.angle")
    lines = [" ".join(line.split()) for line in describe(recipe, path).splitlines()]
    start = lines.index("operations")
    assert lines[start : start + 8] == [
        "operations",
        "rotation",
        "degrees 0 to 9",
        f"assumed: Reason for {places[0]}.",
        "rotation",
        "share 0.25",
        f"assumed: Reason for {places[1]}.",
        "horizontal_flip",
    ]


@pytest.mark.parametrize(
    "operations",
    [
        [{"degrees": [0, 9]}],
        [{"op": "horizontal_flip"}, "rotation"],
        [{"op": ["rotation"]}],
        [{"op": {"rotation": 1}}],
        ["rotation"],
        {"rotation": 1},
        7,
    ],
)
def test_operations_that_are_none_are_shown_as_they_stand(tmp_path: Path, operations: Any) -> None:
    path = write(tmp_path, build={"operations": operations})
    assert "operations" in describe(load_recipe(path), path)
    with pytest.raises(ManifestError, match=r"there is no build\.operations\.crop in this recipe"):
        load_recipe(write(tmp_path, build={"operations": operations}, assumed={
            "build.operations.crop": "R."}))  # fmt: skip


def test_model_options_that_are_no_mapping_are_shown_as_they_stand(tmp_path: Path) -> None:
    path = write(tmp_path, train={"model_options": [1, 2, 3]})
    assert "1, 2, 3" in describe(load_recipe(path), path)


def test_a_dataset_that_the_paper_does_not_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="rafdb, ferplus"):
        load_recipe(write(tmp_path)).build_options("kdef")


@pytest.mark.parametrize(
    "place",
    [
        "train.lr",
        "train.model_options.maps",
        "build.operations",
        "build.operations.rotation.degrees",
        "datasets.rafdb.build.size",
        "datasets.ferplus.leak_free.split",
        "leak_free.duplicates",
    ],
)
def test_a_reason_belongs_to_a_value_that_is_there(tmp_path: Path, place: str) -> None:
    assert load_recipe(write(tmp_path, assumed={place: "R."})).assumed == {place: "R."}
    assert load_recipe(write(tmp_path, departures={place: "R."})).departures == {place: "R."}


@pytest.mark.parametrize(
    "place",
    [
        "train.weight_decay",
        "lr",
        "name",
        "train.lr.value",
        "build.operations.crop",
        "datasets.kdef.build.size",
    ],
)
@pytest.mark.parametrize("part", ["assumed", "departures"])
def test_a_reason_for_nothing_is_an_error(tmp_path: Path, part: str, place: str) -> None:
    with pytest.raises(ManifestError, match=f"{part}: there is no {place} in this recipe"):
        load_recipe(write(tmp_path, **{part: {place: "R."}}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"datasets": {}}, "datasets"),
        ({"treadmill": 1}, "treadmill"),
        ({"paper": {"title": "T"}}, r"paper\.authors"),
        (
            {"claims": [{"where": "Table 1", "dataset": "kdef"}]},
            "'kdef' is not one of its datasets",
        ),
        (
            {
                "datasets": {
                    "rafdb": {"data": "D.", "expected": [{"where": "T", "attainable": False}]}
                }
            },
            "need a reason",
        ),
    ],
)
def test_a_broken_recipe_says_what_is_wrong(
    tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        load_recipe(write(tmp_path, **values))


@pytest.mark.parametrize("text", ["", "- 1\n", "name: [\n"])
def test_a_file_that_is_no_recipe_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.yml"
    path.write_text(text)
    with pytest.raises(ManifestError, match=r"other\.yml: not a"):
        load_recipe(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.yaml: can't be read"):
        load_recipe(str(tmp_path / "none.yaml"))


def test_an_unknown_name_gets_the_closest_one() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'lmfer'"):
        load_recipe("lmferr")


def test_a_recipe_without_claims_can_be_shown(tmp_path: Path) -> None:
    path = write(tmp_path)
    text = describe(load_recipe(path), path)
    assert f"ferdata train out/mine-rafdb --recipe {path}" in text
    assert "the paper" not in text
