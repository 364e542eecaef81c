"""`ferdata recipes`: claims stand beside their problems, values beside what was assumed."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from ferdata.cli.recipes import recipes
from ferdata.core.errors import UnknownNameError
from ferdata.recipes import load_recipe, recipe_names

app = typer.Typer()
app.command()(recipes)


def said(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_list_has_every_recipe_with_its_datasets_and_headline() -> None:
    text = said()
    for recipe in map(load_recipe, recipe_names()):
        assert recipe.name in text
        for dataset in recipe.datasets:
            assert dataset in text
    for headline in ("95.08 %", "68.62 %", "98.99 %", "88.11 %"):
        assert headline in text
    assert re.search(r"97\.76 % +train", text)
    assert "77.83" not in text  # the headline only


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_is_shown_whole(name: str) -> None:
    recipe = load_recipe(name)
    shown = said(name)
    assert max(map(len, shown.splitlines())) <= 96
    flat = " ".join(shown.split())
    for reason in [*recipe.assumed.values(), *recipe.departures.values()]:
        assert " ".join(reason.split()) in flat
    for claim in recipe.claims:
        assert " ".join(claim.problem.split()) in flat
        if claim.accuracy is not None:
            assert f"{claim.accuracy:.2f} %" in flat
    for flaw in recipe.flaws:
        assert f"- {flaw}" in flat
    for dataset, use in recipe.datasets.items():
        assert " ".join(use.data.split()) in flat
        build = f"ferdata build {dataset} --data DIR --recipe {name} --out out/"
        assert build in flat.replace("\\ ", "")
        for each in use.expected:
            assert " ".join(each.why.split()) in flat
    assert "{" not in shown


def test_an_assumed_value_stands_above_its_reason() -> None:
    lines = said("lmfer").splitlines()
    place = next(i for i, line in enumerate(lines) if line.split() == ["weight_decay", "0.01"])
    assert lines[place + 1].strip().startswith("assumed: ")
    place = next(i for i, line in enumerate(lines) if line.split() == ["epochs", "80"])
    assert "assumed" not in lines[place + 1]


def test_a_claim_that_cannot_be_is_marked() -> None:
    assert "No number of correct predictions out of 2,371 gives this accuracy." in said("lmfer")
    assert "That is 95 of 99 correct." in said("i_mobilenetv2")


def test_json_is_the_recipe_and_reads_back() -> None:
    values = json.loads(said("ctan", "--json"))
    assert values == load_recipe("ctan").model_dump(mode="json")
    assert [each["name"] for each in json.loads(said("--json"))] == list(recipe_names())


def test_an_unknown_recipe_is_refused_with_the_closest_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ctan'") as caught:
        CliRunner().invoke(app, ["ctann"], catch_exceptions=False)
    assert caught.value.exit_code == 2


def test_showing_a_recipe_loads_nothing_heavy() -> None:
    code = (
        "import sys; from ferdata.cli.recipes import recipes; recipes('lmfer', False);"
        "heavy = {'torch', 'mediapipe', 'datasets', 'albumentations', 'matplotlib', 'cv2'};"
        "sys.exit(repr(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
