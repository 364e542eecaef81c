"""The recipes that ship: options that exist, tables that add up, counts that are the datasets'."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter

from ferdata.augmentation.operation_config import load_operations
from ferdata.augmentation.target import parse_target
from ferdata.core.labels import BASIC7, class_weights
from ferdata.core.split_rules import OfficialRule, StratifiedRule, parse_rule, parse_rules
from ferdata.curation.group_selection import quotas
from ferdata.ingesters import dataset_info
from ferdata.recipes import Claim, Expected, Recipe, load_recipe, recipe_names
from ferdata.recipes.mix import is_mix, load_mix
from ferdata.shards.options import BuildOptions

RECIPES = {name: load_recipe(name) for name in recipe_names()}
USES = [(name, dataset) for name, recipe in RECIPES.items() for dataset in recipe.datasets]
EXPECTED = [
    pytest.param(dataset, each, id=f"{name}, {dataset}, {each.where}")
    for name, recipe in RECIPES.items()
    for dataset, use in recipe.datasets.items()
    for each in use.expected
]


def split_counts(dataset: str, split: str) -> dict[str, int]:
    """Return what the dataset's own facts say: images by class, of one split or of all."""
    found: Counter[str] = Counter()
    for name, counts in dataset_info(dataset).counts.items():
        if split in ("", name):
            found.update(counts)
    return {name: rows for name, rows in found.items() if rows}


def expected(name: str, dataset: str, where: str) -> Expected:
    return next(each for each in RECIPES[name].protocol(dataset).expected if each.where == where)


def test_there_is_a_recipe_for_each_of_the_five_papers() -> None:
    assert set(RECIPES) == {"a_mobilenet", "ctan", "efficientvit_m5", "i_mobilenetv2", "lmfer"}
    assert all(name == recipe.name for name, recipe in RECIPES.items())


@pytest.mark.parametrize(("name", "dataset"), USES)
def test_build_parts_are_valid_build_options(name: str, dataset: str) -> None:
    printed = BuildOptions(recipe=name, **RECIPES[name].build_options(dataset))
    leak_free = BuildOptions(
        recipe=name, leak_free=True, **RECIPES[name].build_options(dataset, leak_free=True)
    )
    assert not leak_free.augment_before_split
    assert not leak_free.allow_group_leak
    assert leak_free.duplicates == "drop"
    datasets = load_mix(dataset).sources if is_mix(dataset) else [dataset]
    known = {choice for each in datasets for choice in dataset_info(each).choices}
    for options in (printed, leak_free):
        parse_rules(options.split).require_datasets(datasets)
        assert set(options.choices) <= known
        for choice, value in options.choices.items():
            assert any(value in dataset_info(each).choices.get(choice, ()) for each in datasets)


@pytest.mark.parametrize(("name", "dataset"), USES)
def test_train_parts_are_valid_train_options(name: str, dataset: str) -> None:
    from ferdata.models.registry import model_options
    from ferdata.runs.options import TrainOptions

    values = RECIPES[name].train_options(dataset)
    options = TrainOptions.checked(values)
    assert options.model == name
    known = model_options(options.model)
    assert set(options.model_options) <= set(known)
    for option, value in options.model_options.items():
        TypeAdapter(known[option]).validate_python(value, strict=True)
    if options.augment:
        load_operations(options.augment)
    # The defaults of ferdata are not the papers': what matters is written out.
    spoken = {"epochs", "batch_size", "optimizer", "lr", "weight_decay", "schedule", "warmup"}
    assert spoken | {"label_smoothing", "gradient_clip", "select", "mean", "std"} <= set(values)
    assert not any(isinstance(each, str) and is_number(each) for each in values.values())


def is_number(text: str) -> bool:
    """Tell whether a text is a number: YAML reads 1e-4 as a text, and only 1.0e-4 as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("name", "dataset"), USES)
def test_best_is_chosen_only_where_there_is_validation(name: str, dataset: str) -> None:
    select = RECIPES[name].train_options(dataset)["select"]
    for leak_free in (False, True):
        options = BuildOptions(**RECIPES[name].build_options(dataset, leak_free=leak_free))
        rules = parse_rules(options.split)
        datasets = list(load_mix(dataset).sources) if is_mix(dataset) else [dataset]
        for rule in map(rules.of, datasets):
            if isinstance(rule, StratifiedRule):
                assert (select == "best") == bool(rule.validation)
            elif isinstance(rule, OfficialRule):
                own = "validation" in dataset_info(datasets[0]).counts
                assert (select == "best") == (own or options.validation > 0)


@pytest.mark.parametrize(("name", "dataset"), USES)
def test_layouts_are_layouts_of_the_dataset(name: str, dataset: str) -> None:
    layouts = RECIPES[name].protocol(dataset).layouts
    if is_mix(dataset):
        assert not layouts
    else:
        assert layouts
        assert set(layouts) <= {layout.name for layout in dataset_info(dataset).layouts}


@pytest.mark.parametrize(("dataset", "each"), EXPECTED)
def test_rows_of_tables_sum_to_their_totals(dataset: str, each: Expected) -> None:
    assert each.counts or each.original or each.splits or each.total
    if each.total is not None and each.counts:
        assert sum(each.counts.values()) == each.total
    if each.total is not None and each.splits:
        assert sum(each.splits.values()) == each.total


@pytest.mark.parametrize(("dataset", "each"), EXPECTED)
def test_what_can_be_had_is_what_the_dataset_has(dataset: str, each: Expected) -> None:
    if each.original:
        assert each.original == split_counts(dataset, each.split)
    if each.counts and not each.original and each.attainable:
        scale = 3 if dataset == "ckplus" else 1  # its facts count films, three frames of each
        assert each.counts == {
            name: scale * rows for name, rows in split_counts(dataset, "").items()
        }
    if each.splits and each.attainable and dataset != "ckplus":
        for split, rows in each.splits.items():
            assert sum(split_counts(dataset, split).values()) == rows


def test_numbers_that_contradict_each_other_are_not_called_attainable() -> None:
    table, text = RECIPES["lmfer"].protocol("rafdb").expected
    assert (table.total, table.attainable) == (23_709, True)
    assert (text.total, text.attainable) == (20_699, False)
    assert "23,709" in text.why
    slip = RECIPES["a_mobilenet"].protocol("ferplus").expected[-1]
    assert sum(slip.splits.values()) == 31_411
    assert not slip.attainable
    every = [
        each
        for recipe in RECIPES.values()
        for use in recipe.datasets.values()
        for each in use.expected
    ]
    totals = {each.total for each in every if not each.attainable}
    assert {35_886, 15_539, 4_900, 769, 35_269} <= totals


def test_lmfer_is_balanced_to_table_1_before_the_split() -> None:
    recipe = RECIPES["lmfer"]
    printed = recipe.build_options("rafdb")
    table = recipe.protocol("rafdb").expected[0]
    assert parse_target(printed["balance_to"]) == table.counts
    assert printed["augment_before_split"]
    assert parse_rule(printed["split"]) == parse_rule("stratified:70:20:10")
    assert [entry["op"] for entry in printed["operations"]] == [
        "horizontal_flip",
        "brightness",
        "gaussian_noise",
    ]


def test_lmfer_sound_has_the_same_numbers_of_train() -> None:
    recipe = RECIPES["lmfer"]
    leak_free = recipe.build_options("rafdb", leak_free=True)
    rule = parse_rule(leak_free["split"])
    assert isinstance(rule, StratifiedRule)
    table = recipe.protocol("rafdb").expected[0]
    shares = quotas({("rafdb", name): rows for name, rows in table.counts.items()}, rule.train)
    assert parse_target(leak_free["balance_to"]) == {name: n for (_, name), n in shares.items()}


def test_a_mobilenet_augments_as_printed() -> None:
    recipe = RECIPES["a_mobilenet"]
    for dataset in recipe.datasets:
        options = BuildOptions(**recipe.build_options(dataset))
        assert (options.augment, options.balance_to) == ("balance", "max")
        assert not options.augment_before_split
        assert options.operations is not None
        drawn = {entry["op"]: entry for entry in options.operations}
        assert list(drawn) == ["rotation", "crop", "scale", "translation"]  # and no flip
        assert drawn["rotation"]["degrees"] == [0, 20]
        assert drawn["crop"]["share"] == [0, 0.2]
        assert not recipe.train_options(dataset)["augment"]


def test_ctan_weights_come_out_as_printed() -> None:
    recipe = RECIPES["ctan"]
    assert recipe.train["class_weights"] == "balanced"
    tables = [each for use in recipe.datasets.values() for each in use.expected if each.weights]
    assert len(tables) == 6  # Tables 2 to 6, Table 2 also as printed
    for table in tables:
        names = list(table.counts)
        plain = dict(zip(names, class_weights(list(table.counts.values())), strict=True))
        shares = class_weights(list(table.counts.values()), normalize=True)
        normalized = dict(zip(names, shares, strict=True))
        for name, printed in table.weights.items():
            # Printed to four decimals, some of them cut off.
            assert plain[name] == pytest.approx(printed, abs=1e-4), (table.where, name)
            assert normalized[name] == pytest.approx(table.normalized_weights[name], abs=1e-4)


@pytest.mark.parametrize(
    ("dataset", "where", "rows"),
    [
        ("fer2013", "Table 2, with the three names corrected", 1),
        ("ckplus", "Table 3", 3),
        ("jaffe", "Table 5", 1),
    ],
)
def test_ctan_weights_are_those_of_the_real_datasets(dataset: str, where: str, rows: int) -> None:
    table = expected("ctan", dataset, where)
    counts = {name: rows * number for name, number in split_counts(dataset, "").items()}
    weights = dict(zip(counts, class_weights(list(counts.values())), strict=True))
    assert weights == pytest.approx(table.weights, abs=1e-4)


def test_ctan_table_2_has_three_names_rotated() -> None:
    printed = expected("ctan", "fer2013", "Table 2, as printed").counts
    real = split_counts("fer2013", "")
    assert sorted(printed.values()) == sorted(real.values())
    moved = {name for name in real if real[name] != printed[name]}
    assert moved == {"neutral", "sadness", "surprise"}


def test_ctan_table_6_is_complete_with_4226_of_surprise() -> None:
    printed = expected("ctan", "FER_CK+_KDEF", "Table 6, as printed")
    whole = expected(
        "ctan", "FER_CK+_KDEF", "Table 6, with surprise computed from the printed weights"
    )
    for name, weight in whole.weights.items():
        assert round(weight * printed.counts[name]) == pytest.approx(32_853, abs=1)
    assert whole.counts == {**printed.counts, "surprise": 32_853 - sum(printed.counts.values())}
    share = 1 - sum(whole.normalized_weights.values())
    assert share == pytest.approx(0.0232, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "dataset", "counts", "test"),
    [
        ("i_mobilenetv2", "ckplus", {n: 3 * r for n, r in split_counts("ckplus", "").items()}, 99),
        ("efficientvit_m5", "affectnet", {"all": 26_171}, 5_238),
        ("efficientvit_m5", "FERPLUS-7", {"all": 35_269}, 7_048),
    ],
)
def test_random_splits_have_the_printed_sizes(
    name: str, dataset: str, counts: dict[str, int], test: int
) -> None:
    rule = parse_rule(RECIPES[name].build_options(dataset)["split"])
    assert isinstance(rule, StratifiedRule)
    drawn = quotas({(dataset, label): rows for label, rows in counts.items()}, rule.test)
    assert sum(drawn.values()) == test
    assert Fraction(test, sum(counts.values())) == rule.test


def test_ferplus_7_leaves_contempt_out() -> None:
    mix = load_mix("FERPLUS-7")
    assert mix.space == BASIC7
    assert mix.sources["ferplus"].labels == {"contempt": "drop"}


@pytest.mark.parametrize("name", RECIPES)
def test_every_accuracy_has_its_problem_beside_it(name: str) -> None:
    recipe = RECIPES[name]
    claims = [claim for claim in recipe.claims if claim.accuracy is not None]
    assert claims
    assert recipe.flaws
    for claim in claims:
        assert claim.problem
        assert claim.dataset in recipe.datasets
        assert claim.images
        assert claim.split


def test_headlines_that_are_train_accuracy_say_so() -> None:
    claims = RECIPES["efficientvit_m5"].claims
    by_split = {(claim.dataset, claim.split): claim.accuracy for claim in claims}
    assert by_split == {
        ("affectnet", "train"): 94.69,
        ("affectnet", "test"): 67.22,
        ("FERPLUS-7", "train"): 94.28,
        ("FERPLUS-7", "test"): 70.71,
        ("rafdb", "train"): 97.76,
        ("rafdb", "test"): 77.83,
    }


def test_the_only_claim_that_no_number_of_right_answers_gives_is_lmfers() -> None:
    impossible = [
        (name, claim.accuracy)
        for name, recipe in RECIPES.items()
        for claim in recipe.claims
        if claim.accuracy is not None and claim.correct is None
    ]
    assert impossible == [("lmfer", 95.08)]


@pytest.mark.parametrize(
    ("accuracy", "images", "correct"),
    [
        (68.62, 3589, 2463),  # 68.626…: cut
        (95.96, 99, 95),  # 95.9595…: rounded
        (88.11, 3153, 2778),
        (88.11, 3152, None),
        (100.0, 7, 7),
        (0.0, 7, 0),
        (98.99, 98, None),
    ],
)
def test_an_accuracy_is_a_whole_number_of_right_answers(
    accuracy: float, images: int, correct: int | None
) -> None:
    claim = Claim(dataset="x", accuracy=accuracy, images=images, where="Table 1")
    assert claim.correct == correct


def test_silence_of_the_paper_is_marked() -> None:
    silent = {
        "lmfer": ["train.weight_decay", "train.lookahead_steps", "train.label_smoothing"],
        "i_mobilenetv2": ["train.schedule", "train.mean"],
        "efficientvit_m5": ["train.lr", "train.batch_size"],
        "ctan": ["train.ema_decay", "train.model_options.window"],
        "a_mobilenet": ["train.center_loss", "train.center_rate"],
    }
    for name, places in silent.items():
        assert set(places) <= set(RECIPES[name].assumed)


def lists_of_operations(recipe: Recipe) -> list[tuple[str, list[dict[str, Any]]]]:
    places = [("build.operations", recipe.build.get("operations", []))]
    return [*places, ("train.augment", recipe.train.get("augment", []))]


@pytest.mark.parametrize("name", RECIPES)
def test_every_strength_is_printed_or_assumed(name: str) -> None:
    printed = {
        ("a_mobilenet", "build.operations.rotation.degrees"),
    }
    recipe = RECIPES[name]
    for place, entries in lists_of_operations(recipe):
        for entry in entries:
            for field in set(entry) - {"op"}:
                here = f"{place}.{entry['op']}.{field}"
                assert (
                    here in recipe.assumed or place in recipe.assumed or (name, here) in printed
                ), here
