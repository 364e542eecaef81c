"""What a recipe adds to a build's options, and what is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ferdata.core.errors import ManifestError, OptionError, UnknownNameError
from ferdata.recipes import recipe_names
from ferdata.recipes.mix import load_mix
from ferdata.shards.options import BuildOptions
from ferdata.shards.pipeline import resolve_options
from ferdata.shards.recipe_options import apply_recipe, scale_target
from ferdata.shards.sources import find_source

WriteRecipe = Callable[..., str]


@pytest.fixture
def write_recipe(tmp_path: Path) -> WriteRecipe:
    """Return a function that writes a recipe for RAF-DB and gives its path."""

    def write(**values: Any) -> str:
        recipe: dict[str, Any] = {
            "name": "mine",
            "title": "a test",
            "summary": "A test.",
            "paper": {"title": "None", "authors": "Nobody", "year": 2000},
            "datasets": {"rafdb": {"data": "RAF-DB"}},
        }
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(recipe | values))
        return str(path)

    return write


def rafdb(**use: Any) -> dict[str, Any]:
    return {"rafdb": {"data": "RAF-DB", **use}}


def test_what_is_given_comes_before_the_recipe(write_recipe: WriteRecipe) -> None:
    path = write_recipe(
        build={"size": 64, "seed": 3, "color": "gray"}, datasets=rafdb(build={"seed": 4})
    )
    options, recipe = apply_recipe(BuildOptions(recipe=path, color="rgb"), "rafdb")
    assert (options.size, options.seed, options.color) == (64, 4, "rgb")
    assert recipe is not None
    assert options.recipe == recipe.name == "mine"  # no path in what is recorded


def test_an_option_given_as_its_default_comes_before_the_recipe(write_recipe: WriteRecipe) -> None:
    path = write_recipe(build={"size": 64})
    options, _ = apply_recipe(BuildOptions(recipe=path, size=BuildOptions().size), "rafdb")
    assert options.size == BuildOptions().size


def test_a_recipe_comes_before_the_mix(write_recipe: WriteRecipe) -> None:
    name = "FER_CK+_KDEF"
    mix = load_mix(name)
    path = write_recipe(
        build={"near_duplicates": None, "split": "stratified:8:1:1"},
        datasets={name: {"data": "all three"}},
    )
    options, _ = resolve_options(find_source(name), BuildOptions(recipe=path, size=48))
    assert options.near_duplicates is None
    assert mix.build["near_duplicates"] is not None
    assert options.split == "stratified:8:1:1"
    assert options.color == mix.build["color"] == "gray"
    assert options.size == 48


def test_choices_of_both_are_taken_together(write_recipe: WriteRecipe) -> None:
    path = write_recipe(
        datasets={
            "affectnet": {
                "data": "x",
                "build": {"choices": {"classes": "7", "label_source": "csv"}},
            }
        }
    )
    options, _ = apply_recipe(BuildOptions(recipe=path, choices={"classes": "8"}), "affectnet")
    assert options.choices == {"classes": "8", "label_source": "csv"}


def test_sound_takes_the_sound_part_and_leaves_no_leak(write_recipe: WriteRecipe) -> None:
    path = write_recipe(
        build={
            "augment": "balance",
            "augment_before_split": True,
            "duplicates": "keep",
            "split": "stratified:7:2:1",
            "balance_to": 100,
        },
        datasets=rafdb(leak_free={"balance_to": {"anger": 50, "fear": 70}}),
    )
    paper, _ = apply_recipe(BuildOptions(recipe=path), "rafdb")
    assert (paper.augments_first, paper.duplicates, paper.balance_to) == (True, "keep", "100")
    leak_free, _ = apply_recipe(BuildOptions(recipe=path, leak_free=True), "rafdb")
    assert (leak_free.augments_first, leak_free.duplicates) == (False, "drop")
    assert leak_free.balance_to == "anger=50,fear=70"
    assert leak_free.split == "stratified:7:2:1"
    assert leak_free.leak_free


@pytest.mark.parametrize("place", ["build", "leak_free", "dataset build", "dataset leak_free"])
def test_an_option_that_there_is_not_is_named_with_its_place(
    write_recipe: WriteRecipe, place: str
) -> None:
    wrong = {place.removeprefix("dataset "): {"colors": "rgb"}}
    path = write_recipe(**({"datasets": rafdb(**wrong)} if "dataset" in place else wrong))
    where = place.replace("dataset ", r"datasets\.rafdb\.")
    with pytest.raises(OptionError, match=rf"recipe mine: {where}: .*colors; did you mean color"):
        apply_recipe(BuildOptions(recipe=path, leak_free=True), "rafdb")


def test_a_value_that_an_option_can_not_have_is_named(write_recipe: WriteRecipe) -> None:
    path = write_recipe(build={"size": 5000})
    with pytest.raises(OptionError, match=r"recipe mine: build: size 5000: .*1024"):
        apply_recipe(BuildOptions(recipe=path), "rafdb")
    path = write_recipe(build={"operations": [{"op": "brightnes"}]})
    with pytest.raises(OptionError, match=r"recipe mine: build: operations .*brightness"):
        apply_recipe(BuildOptions(recipe=path), "rafdb")


def test_a_recipe_for_other_data_is_refused(write_recipe: WriteRecipe) -> None:
    with pytest.raises(OptionError, match=r"'mine' is not for 'jaffe'; its paper uses rafdb"):
        apply_recipe(BuildOptions(recipe=write_recipe()), "jaffe")


def test_a_recipe_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'lmfer'"):
        apply_recipe(BuildOptions(recipe="lmfr"), "rafdb")
    with pytest.raises(ManifestError, match="can't be read"):
        apply_recipe(BuildOptions(recipe=str(tmp_path / "none.yaml")), "rafdb")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ManifestError, match="not a YAML file"):
        apply_recipe(BuildOptions(recipe=str(tmp_path / "broken.yaml")), "rafdb")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"leak_free": True}, "--leak-free needs --recipe NAME"),
        (
            {"recipe": "lmfer", "leak_free": True, "allow_group_leak": True},
            "--allow-group-leak",
        ),
        (
            {"recipe": "lmfer", "leak_free": True, "augment_before_split": True},
            "augment-before",
        ),
        ({"augment": "balance", "augment_before_split": True}, "--duplicates keep"),
    ],
)
def test_options_that_do_not_go_together(values: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        BuildOptions.checked(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"operations": [{"op": "rotation"}]}, "--operations .*--augment balance"),
        ({"max_copies": 4}, "--max-copies"),
        ({"balance_to": "2000"}, "--balance-to"),
    ],
)
def test_what_is_about_copies_is_refused_where_none_are_made(
    write_recipe: WriteRecipe, values: dict[str, Any], message: str
) -> None:
    source = find_source("rafdb")
    with pytest.raises(OptionError, match=message):
        resolve_options(source, BuildOptions(**values))
    augmenting = write_recipe(build={"augment": "balance"})
    for given in ({"augment": "balance"}, {"recipe": augmenting}):
        resolve_options(source, BuildOptions(**values, **given))
    # A recipe's own are left unused where the build is told to make no copies.
    idle = write_recipe(build={"augment": "balance", **values})
    resolve_options(source, BuildOptions(recipe=idle, augment="none"))


@pytest.mark.parametrize("option", [{"leak_free": True}, {"leak_free": False}, {"recipe": "lmfer"}])
@pytest.mark.parametrize("place", ["build", "leak_free", "dataset build", "dataset leak_free"])
def test_no_recipe_says_how_it_is_chosen(
    write_recipe: WriteRecipe, option: dict[str, Any], place: str
) -> None:
    values = {place.removeprefix("dataset "): option}
    path = write_recipe(**({"datasets": rafdb(**values)} if "dataset" in place else values))
    where = place.replace("dataset ", r"datasets\.rafdb\.")
    with pytest.raises(OptionError, match=rf"recipe mine: {where}\.{next(iter(option))}: "):
        apply_recipe(BuildOptions(recipe=path, leak_free=True), "rafdb")


@pytest.mark.parametrize("place", ["build", "leak_free", "dataset build", "dataset leak_free"])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_list_of_operations_is_looked_for_beside_the_recipe(
    write_recipe: WriteRecipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    absolute: bool,
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ops.yaml").write_text("- {op: gaussian_noise, sigma: [1, 2]}\n")
    name = str(tmp_path / "ops.yaml") if absolute else "ops.yaml"
    values = {place.removeprefix("dataset "): {"augment": "balance", "operations": name}}
    write_recipe(**({"datasets": rafdb(**values)} if "dataset" in place else values))
    monkeypatch.chdir(tmp_path / "elsewhere")
    options, _ = apply_recipe(BuildOptions(recipe="../mine.yaml", leak_free=True), "rafdb")
    assert options.operations is not None
    assert [each["op"] for each in options.operations] == ["gaussian_noise"]


def test_a_list_of_operations_is_looked_for_beside_a_mix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ops.yaml").write_text("- {op: gaussian_noise, sigma: [1, 2]}\n")
    (tmp_path / "mine.yaml").write_text(
        "{name: mine, title: Mine, label_space: basic7, sources: {rafdb: {}},"
        " build: {augment: balance, operations: ops.yaml}}\n"
    )
    monkeypatch.chdir(tmp_path / "elsewhere")
    options, _ = resolve_options(find_source("../mine.yaml"), BuildOptions())
    assert options.operations is not None
    assert [each["op"] for each in options.operations] == ["gaussian_noise"]


@pytest.mark.parametrize("name", recipe_names())
@pytest.mark.parametrize("leak_free", [False, True])
def test_every_recipe_that_ships_has_options_for_all_its_data(name: str, leak_free: bool) -> None:
    from ferdata.recipes import load_recipe

    for dataset in load_recipe(name).datasets:
        options, _ = resolve_options(
            find_source(dataset), BuildOptions(recipe=name, leak_free=leak_free)
        )
        assert options.recipe == name
        if leak_free:
            assert not (options.augments_first or options.allow_group_leak)
            assert options.duplicates == "drop"


def test_numbers_of_a_recipe_are_scaled_to_a_synthetic_copy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    numbers = BuildOptions(balance_to="fear=1548,anger=12,disgust=0")
    assert scale_target(numbers, 0.02).balance_to == "fear=31,anger=1,disgust=0"
    assert "fear=31" in caplog.text
    assert scale_target(BuildOptions(balance_to="2000"), 0.5).balance_to == "1000"
    assert scale_target(BuildOptions(balance_to="max"), 0.5).balance_to == "max"
    assert scale_target(numbers, 1) == numbers


def test_operations_are_written_out_with_their_ranges(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("operations:\n  - {op: gaussian_noise, sigma: [1, 2]}\n")
    from_file = BuildOptions(operations=own)
    from_list = BuildOptions(operations=[{"op": "gaussian_noise", "sigma": [1, 2]}])
    assert from_file == from_list
    assert from_file.operations is not None
    assert from_file.operations[0]["probability"] == 0.5
    assert BuildOptions.model_validate(from_file.model_dump(mode="json")) == from_file
    with pytest.raises(OptionError, match=r"operations .*expected a list"):
        BuildOptions.checked({"operations": []})
