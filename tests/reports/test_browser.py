"""Pages in a browser: no error, no request, nothing cut on a phone, nothing wrong for a reader."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from support.chromium import Chromium

from ferdata.reports.options import ReportOptions
from ferdata.reports.write import write_report

VIEWS = [(360, False), (360, True), (1280, False), (1280, True)]


@pytest.fixture(scope="module")
def pages(
    hostile_build: Path, evaluated_run: Path, hostile_audit: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:  # fmt: skip
    folder, everything = tmp_path_factory.mktemp("pages"), [hostile_build, evaluated_run]
    everything.append(hostile_audit)
    return {
        "all": write_report(everything, folder / "all.html"),
        "nameless": write_report(everything, folder / "n.html", ReportOptions(faces=False)),
    }


@pytest.mark.parametrize(("width", "dark"), VIEWS)
@pytest.mark.parametrize("name", ["all", "nameless"])
def test_page(
    browser: Chromium, pages: dict[str, Path], name: str, width: int, *, dark: bool
) -> None:
    browser.open(pages[name], width=width, dark=dark)
    assert browser.errors() == []
    assert browser.requests() == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    browser.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = json.loads(browser.evaluate("axe.run().then((found) => JSON.stringify(found))"))
    worst = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"]) for each in worst] == []
    assert len(found["passes"]) > 15


def test_nothing_of_the_data_is_executed(browser: Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["all"])
    dialogs = [each for each in browser.events if each["method"] == "Page.javascriptDialogOpening"]
    assert dialogs == []
    assert browser.evaluate("document.scripts.length") == 2


def test_a_reader_filters_and_enlarges(browser: Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["all"])
    seen = "[...document.querySelectorAll('#build-1-samples ~ .faces-of-classes figure')]"
    shown = f"{seen}.filter((each) => each.offsetParent).map((each) => each.dataset.split)"
    assert {"train", "test"} <= set(browser.evaluate(shown))
    browser.evaluate(
        "for (const each of document.querySelectorAll('.filter select'))"
        " if ([...each.options].some((option) => option.value === 'test'))"
        " { each.value = 'test'; each.dispatchEvent(new Event('change')); }"
    )
    assert set(browser.evaluate(shown)) == {"test"}
    browser.evaluate(f"{seen}.find((each) => each.offsetParent).querySelector('button').click()")
    assert browser.evaluate("document.querySelector('dialog').open")
    assert "spots/test_" in browser.evaluate("document.querySelector('dialog p').textContent")


def test_a_page_is_complete_without_script(browser: Chromium, pages: dict[str, Path]) -> None:
    texts = []
    for script in (True, False):
        browser.open(pages["all"], script=script)
        snapshot = browser.call("DOMSnapshot.captureSnapshot", computedStyles=[])
        strings = snapshot["strings"]
        layout = snapshot["documents"][0]["layout"]
        texts.append({strings[k] for k in layout["text"] if k >= 0})
    only_with_script = texts[0] - texts[1]
    assert {each.strip() for each in only_with_script} <= {"", "class", "split", "dataset",
                                                           "severity", "rule", "all"}  # fmt: skip


def test_landmarks_are_hidden_without_script(browser: Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["all"])
    display = "getComputedStyle(document.querySelector('.sheet .points')).display"
    assert browser.evaluate(display) != "none"
    browser.evaluate("document.querySelector('.toggle-points').checked = false")
    assert browser.evaluate(display) == "none"
