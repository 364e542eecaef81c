"""The structure of the project: rooms and arrows, sizes, names, and that every test runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from support.collection import COLLECTED

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ferdata"

ROOMS = (
    "core",
    "synth",
    "recipes",
    "ingesters",
    "faces",
    "curation",
    "augmentation",
    "formats",
    "shards",
    "data",
    "exports",
    "models",
    "runs",
    "evaluation",
    "label_errors",
    "training",
    "deployment",
    "audits",
    "reports",
    "viewer",
    "api",
    "cli",
)
"""The rooms in the order of the data: each may import those before it."""

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
MOST_ARGUMENTS = 8


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module of the package, parsed, by its full name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def room_of(module: str) -> str:
    """Return the room of a module; the front door itself is above all rooms."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything of ours that a module imports, lazily or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def test_every_room_has_its_place() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= set(ROOMS)


def test_no_arrow_points_up() -> None:
    rank = {room: position for position, room in enumerate(ROOMS)}
    up = [
        f"{name}:{line} imports {target}"
        for name, tree in modules().items()
        for line, target in imports(tree)
        if target.startswith("ferdata.")
        and room_of(name) in rank
        and rank.get(room_of(target), -1) > rank[room_of(name)]
    ]
    assert up == []


def test_no_circle_of_imports() -> None:
    names = set(modules())
    edges = {
        name: {target for _, target in imports(tree) if target in names and target != name}
        for name, tree in modules().items()
    }
    state: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        state[name] = 1
        for target in sorted(edges[name]):
            assert state.get(target) != 1, f"circle: {' -> '.join((*path, name, target))}"
            if target not in state:
                visit(target, (*path, name))
        state[name] = 2

    for name in sorted(names):
        if name not in state:
            visit(name, ())


def test_nothing_hides_a_module_of_its_name() -> None:
    hiding = []
    for name, tree in modules().items():
        below = {
            other.rpartition(".")[2] for other in modules() if other.rpartition(".")[0] == name
        }
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound = {node.name}
            elif isinstance(node, ast.ImportFrom) and node.module != name:
                bound = {alias.asname or alias.name for alias in node.names}
            else:
                continue
            hiding += [f"{name}.{each}" for each in bound & below]
    assert hiding == []


def length(node: ast.FunctionDef) -> int:
    """Count a function's lines, its signature and docstring included."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield every function and method of the package with its place."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield f"{name}.{node.name}", node


def test_modules_stay_short() -> None:
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {path: count for path, count in lines.items() if count > LONGEST_MODULE} == {}


def test_functions_stay_short() -> None:
    assert [place for place, node in functions() if length(node) > LONGEST_FUNCTION] == []


def model_constructors() -> set[ast.FunctionDef]:
    """Return the constructors of models: their keywords are the model's options."""
    return {
        node
        for tree in modules().values()
        for kind in tree.body
        if isinstance(kind, ast.ClassDef)
        and {ast.unparse(base) for base in kind.bases} & {"ExpressionModel", "TimmModel"}
        for node in kind.body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    }


def test_functions_take_few_arguments() -> None:
    crowded, spared = [], model_constructors()
    for place, node in functions():
        if node in spared:
            continue
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        number = len([each for each in given if each.arg not in ("self", "cls")])
        # the verbs' options stand where users read them: the front door and the command line
        if number > MOST_ARGUMENTS and not place.startswith(("ferdata.api.", "ferdata.cli.")):
            crowded.append(f"{place}: {number}")
    assert crowded == []


@pytest.mark.slow
def collected_files(pytestconfig: pytest.Config) -> set[str]:
    """Return the files of tests of a whole run: those of this one, or what pytest would collect."""
    if pytestconfig.args_source is pytest.Config.ArgsSource.TESTPATHS:
        return pytestconfig.stash[COLLECTED]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return {line.partition(":")[0] for line in done.stdout.splitlines() if ".py: " in line}


def test_every_test_file_is_collected(pytestconfig: pytest.Config) -> None:
    """A file that pytest passes over stays green for ever; 217 tests once did."""
    collected = collected_files(pytestconfig)
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert there - collected == set()


def test_tables_are_read_in_one_place() -> None:
    """Only `core.delimited` reads csv-like files; the csv module is for writing."""
    writers = {"ferdata.core.files", "ferdata.deployment.output"}
    reading = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("csv.reader", "csv.DictReader", "pd.read_csv", "np.genfromtxt")
    ]
    assert reading == []
    using = {name for name, tree in modules().items() if "csv" in {to for _, to in imports(tree)}}
    assert using <= writers


def test_what_parsers_throw_is_caught_in_one_place() -> None:
    """`core.parsing` turns all that json and yaml raise over damaged data into one error."""
    allowed = {"ferdata.core.parsing", "ferdata.augmentation.operations.any_albumentations"}
    found = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        if name not in allowed
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("json.load", "json.loads", "yaml.load", "yaml.safe_load")
    ]
    assert found == []
