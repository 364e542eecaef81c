"""Registries: built-in, registered and installed things by name, imported when asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from ferdata.core import registry as registry_module
from ferdata.core.errors import PluginError, UnknownNameError
from ferdata.core.registry import GROUP, Registry


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Return a function that makes entry points be there, as installed packages do."""

    def put(**values: str) -> None:
        entries = [
            EntryPoint(name.replace("__", "."), value, GROUP) for name, value in values.items()
        ]
        monkeypatch.setattr(registry_module, "entry_points", lambda **_: entries)
        registry_module._plugins.cache_clear()

    yield put
    registry_module._plugins.cache_clear()


def test_built_in_things_are_imported_when_they_are_asked_for() -> None:
    sys.modules.pop("this", None)
    known = Registry("model", {"colors": "colorsys:rgb_to_hsv", "zen": "this:s"})
    assert known.names() == ("colors", "zen")
    assert "zen" in known
    assert list(known) == ["colors", "zen"]
    assert "this" not in sys.modules
    assert known.get("colors")(0, 0, 0) == (0.0, 0.0, 0)


def test_registered_things_come_by_name_and_go() -> None:
    known: Registry[int] = Registry("detector", {})
    known.register("two")(2)
    assert known.get("two") == 2
    with pytest.raises(PluginError, match="already a detector named 'two'"):
        known.register("two")
    known.unregister("two")
    with pytest.raises(UnknownNameError, match="unknown detector 'two'"):
        known.get("two")


def test_installed_packages_add_to_the_registry_of_their_kind(install) -> None:
    install(detector__five="math:pi", label_rule__floor="math:floor")
    assert Registry("detector", {}).get("five") == pytest.approx(3.14159, abs=1e-4)
    assert Registry("label_rule", {"mode": "statistics:mode"}).names() == ("floor", "mode")


def test_two_of_one_name_are_refused_when_the_name_is_used(install) -> None:
    install(model__sqrt="math:sqrt")
    known = Registry("model", {"sqrt": "math:sqrt", "sin": "math:sin"})
    assert known.get("sin")(0) == 0
    with pytest.raises(PluginError, match="model 'sqrt' comes from ferdata and from an unknown"):
        known.get("sqrt")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model__broken", "no_such_module:x", "model 'broken' can't be loaded .*ModuleNotFound"),
        ("model__broken", "math:nothing", "model 'broken' can't be loaded .*AttributeError"),
    ],
)
def test_plugins_that_cant_be_used_are_named(install, name: str, value: str, message: str) -> None:
    install(**{name: value})
    with pytest.raises(PluginError, match=message):
        Registry("model", {}).get("broken")


@pytest.mark.parametrize("name", ["exporter__x", "model"])
def test_kinds_of_other_versions_are_passed_over_and_said(
    install, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    install(**{name: "math:pi"})
    assert Registry("model", {}).names() == ()
    assert f"entry point {name.replace('__', '.')!r}" in caplog.text


def test_kinds_are_checked() -> None:
    with pytest.raises(PluginError, match="not a kind of plugin"):
        Registry("modell", {})
