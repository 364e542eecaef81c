"""The page in a browser: nothing executed, nothing asked elsewhere, keys, marks, many rows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

pytest.importorskip("starlette")

from support.builds import write_build
from support.chromium import Chromium
from support.pages import HOSTILE
from support.viewer import served, shown_of

from ferdata.curation.label_patches import load_patch
from ferdata.viewer.shown import Shown

VIEWS = [(360, False), (360, True), (1280, False), (1280, True)]

MANY = 3000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a page about many images."""
    folder = tmp_path_factory.mktemp("many")
    rows = {"train": [k % 7 for k in range(MANY)]}
    people = {"train": [{"split": "train"}] * MANY}
    build = write_build(folder / "build", rows, people=people, size=16, channels=1)
    with served(shown_of(build, folder / "marks.json")) as address:
        yield address


def until(browser: Chromium, condition: str) -> None:
    """Wait until a condition holds, at most twenty seconds."""
    end = time.monotonic() + 20
    while not holds(browser, condition):
        assert time.monotonic() < end, condition
        time.sleep(0.02)


def holds(browser: Chromium, condition: str) -> bool:
    """Say whether a condition holds now; not while another page is loaded."""
    try:
        return bool(browser.evaluate(condition))
    except RuntimeError as error:
        if "navigated" in str(error):
            return False
        raise


LOADED = "document.querySelectorAll('#grid img').length && document.title !== 'ferdata view'"
IDS = "[...document.querySelectorAll('.cell')].map((each) => each.title).join()"


def open_page(browser: Chromium, address: str, **view: Any) -> None:
    browser.open(address, **view)
    until(browser, LOADED)


def press(browser: Chromium, key: str, text: str = "", code: int = 0) -> None:
    values = {"key": key, "windowsVirtualKeyCode": code}
    browser.call("Input.dispatchKeyEvent", type="keyDown", text=text, **values)
    browser.call("Input.dispatchKeyEvent", type="keyUp", **values)


def serious(browser: Chromium) -> list[tuple[str, str]]:
    """Return what axe finds, as far as it is serious."""
    browser.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = json.loads(browser.evaluate("axe.run().then((found) => JSON.stringify(found))"))
    assert len(found["passes"]) > 15
    worst = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    return [(each["id"], each["nodes"][0]["html"]) for each in worst]


@pytest.mark.parametrize(("width", "dark"), VIEWS)
def test_page(shown: Shown, browser: Chromium, width: int, *, dark: bool) -> None:
    with served(shown) as address:
        open_page(browser, address, width=width, dark=dark)
        browser.evaluate("document.querySelector('#panel').open = true")
        assert serious(browser) == []
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        browser.evaluate("document.querySelectorAll('.cell')[1].click()")
        until(browser, "document.querySelector('#detail').open")
        assert serious(browser) == []
        assert browser.evaluate("document.querySelector('#detail').scrollWidth") <= width
        assert browser.errors() == []
        host = address.partition("?")[0]
        assert browser.requests(ignored=("data:", host)) == []
        assert len(browser.requests()) > 5


def test_hostile_names_are_text(shown: Shown, browser: Chromium) -> None:
    with served(shown) as address:
        open_page(browser, address)
        assert HOSTILE in browser.evaluate("document.querySelector('h1').textContent")
        assert browser.evaluate("document.querySelector('.cell b').textContent") == HOSTILE
        assert f"{HOSTILE} (7)" in browser.evaluate(
            "[...document.querySelector('[name=label]').options].map((each) => each.text)"
        )
        browser.evaluate("document.querySelectorAll('.cell')[0].click()")
        until(browser, "document.querySelector('#detail').open")
        assert f"{HOSTILE}/0.png" in browser.evaluate(
            "[...document.querySelectorAll('#facts dd')].map((each) => each.textContent)"
        )
        assert browser.evaluate("document.scripts.length") == 1
        assert not [each for each in browser.events if "javascriptDialog" in each["method"]]


def test_the_token_leaves_the_address(shown: Shown, browser: Chromium) -> None:
    with served(shown) as address:
        open_page(browser, address)
        assert "token" not in browser.evaluate("location.href")


def test_a_reader_filters_and_comes_back(shown: Shown, browser: Chromium) -> None:
    with served(shown) as address:
        open_page(browser, address)
        browser.evaluate(
            "(() => { const field = document.querySelector('[name=split]'); field.value = 'test';"
            " field.dispatchEvent(new Event('input', { bubbles: true })); })()"
        )
        until(browser, f"{IDS} === 'spots/test_0,spots/test_1,spots/test_2'")
        until(browser, "document.querySelector('#count').textContent === '3 of 14 images'")
        assert not browser.evaluate("document.querySelector('#empty').checkVisibility()")
        browser.call("Page.reload")
        until(browser, f"{LOADED} && {IDS} === 'spots/test_0,spots/test_1,spots/test_2'")
        browser.evaluate("document.querySelector('[type=reset]').click()")
        until(browser, "document.querySelectorAll('.cell').length === 14")


def test_nothing_found_is_said(shown: Shown, browser: Chromium) -> None:
    with served(shown) as address:
        browser.open(f"{address}#search=nothing-of-this-name")
        until(browser, "document.querySelector('#empty')?.checkVisibility()")
        assert browser.evaluate("document.querySelector('#count').textContent") == "0 of 14 images"
        assert browser.evaluate("document.querySelectorAll('.cell').length") == 0
        assert serious(browser) == []


def test_an_ended_server_is_named(shown: Shown, browser: Chromium) -> None:
    with served(shown) as address:
        open_page(browser, address)
    browser.evaluate("document.querySelector('[type=reset]').click()")
    until(
        browser, "document.querySelector('#count').textContent.startsWith('The server has ended')"
    )


def test_keys_move_mark_and_open(shown: Shown, browser: Chromium) -> None:
    with served(shown) as address:
        open_page(browser, address)
        browser.evaluate("document.querySelector('.cell').focus()")
        focused = "document.activeElement.title === '{}'"
        press(browser, "ArrowRight")
        until(browser, focused.format("spots/train_1"))
        press(browser, " ", " ")
        until(browser, "document.querySelectorAll('.flag').length === 1")
        press(browser, "End")
        until(browser, focused.format("spots/test_2"))
        press(browser, "Enter", "\r")
        until(browser, "document.querySelector('#detail').open")
        press(browser, "ArrowLeft")
        title = "document.querySelector('#detail-title').textContent"
        until(browser, f"{title} === 'spots/test_1'")
        press(browser, "Escape", code=27)
        until(
            browser, f"!document.querySelector('#detail').open && {focused.format('spots/test_1')}"
        )


def test_marks_are_saved(shown: Shown, browser: Chromium) -> None:
    with served(shown) as address:
        open_page(browser, address)
        browser.evaluate(
            "document.querySelector('#painting').checked = true;"
            "document.querySelector('#brush').selectedIndex = 2;"
            "document.querySelectorAll('.cell')[6].click()"
        )
        until(browser, "document.querySelectorAll('.flag').length === 3")  # a copy, its source, …
        browser.evaluate("document.querySelector('#save').click()")
        until(browser, "document.querySelector('#marks').textContent.startsWith('Saved ')")
    (change,) = load_patch(shown.marks.path).changes
    assert (change.sample_id, change.new) == ("spots/train_0", shown.rows.classes[1])


def test_landmarks_are_drawn_if_asked_for(shown: Shown, browser: Chromium) -> None:
    with served(shown) as address:
        open_page(browser, address)
        assert browser.evaluate("document.querySelectorAll('#grid .points').length") == 0
        browser.evaluate("document.querySelector('#landmarks').click()")
        until(browser, "document.querySelectorAll('#grid .points').length === 14")


def test_only_rows_in_sight_are_in_the_page(browser: Chromium, many: str) -> None:
    for width in (360, 1280):
        open_page(browser, many, width=width)
        cells = "document.querySelectorAll('.cell').length"
        assert 6 < browser.evaluate(cells) < 80
        browser.evaluate("document.querySelector('#grid').scrollTop = 1e9")
        until(browser, f"{IDS}.includes('spots/train_{MANY - 1}')")
        assert browser.evaluate(cells) < 80
        sight = "document.querySelector('#grid').getBoundingClientRect().bottom"
        last = "[...document.querySelectorAll('.cell')].pop().getBoundingClientRect().bottom"
        assert 0 <= browser.evaluate(f"{sight} - {last}") < 20


def test_a_taller_grid_than_a_browser_can_show(browser: Chromium, many: str) -> None:
    open_page(browser, many)
    browser.evaluate(
        "import('/grid.js').then(({ Grid }) => { const place = document.querySelector('#grid');"
        " const about = { images: false, size: null };"
        " const grid = new Grid(place, about, () => {}, () => {}); grid.clear();"
        " grid.page = async (number) => ({ total: 3e6, rows: [...Array(60).keys()].map((k) => ({"
        " row: 60 * number + k, id: `n${60 * number + k}`, label: 'x', split: '', copy: false,"
        " predicted: null, confidence: null, mark: null, points: '', image: '' })) });"
        " window.tall = grid; return grid.show({}); })"
    )
    assert browser.evaluate("document.querySelector('#space').offsetHeight") == 12_000_000
    browser.evaluate("document.querySelector('#grid').scrollTop = 1e9")
    until(browser, f"{IDS}.includes('n2999999')")
    browser.evaluate("window.tall.focus(1500000)")
    until(browser, "document.activeElement.title === 'n1500000'")
