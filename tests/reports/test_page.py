"""The page as HTML: nothing of the data is markup, every number is in its JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.pages import HOSTILE, ParsedPage, hostile_classes, numbers, tokens

from ferdata.reports.options import ReportOptions
from ferdata.reports.write import write_report


@pytest.fixture(scope="module")
def page(
    hostile_build: Path,
    evaluated_run: Path,
    hostile_audit: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    out = tmp_path_factory.mktemp("page") / "report.html"
    assert write_report([hostile_build, evaluated_run, hostile_audit], out) == out
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(page: str) -> ParsedPage:
    return ParsedPage(page)


def test_text_of_a_dataset_is_no_markup(page: str, parsed: ParsedPage) -> None:
    assert [attributes.get("id") for attributes, _ in parsed.scripts] == ["data", None]
    assert "alert" not in parsed.scripts[1][1]
    assert not re.search(r"<script>alert|</script><script", page)
    assert parsed.unclosed == []
    for name, attributes in parsed.elements:
        assert not [each for each in attributes if each.startswith("on")], (name, attributes)
    assert any(HOSTILE in text for text in parsed.words)


def test_hostile_names_come_back_from_the_numbers(parsed: ParsedPage) -> None:
    build = parsed.data["builds"][0]
    assert tuple(build["record"]["label_space"]["names"]) == hostile_classes().names
    assert build["record"]["leaks"] == [HOSTILE]
    assert build["rejected"][0]["uri"] == f"{HOSTILE}/1.png"


def test_nothing_is_asked_of_the_network(parsed: ParsedPage) -> None:
    for name, attributes in parsed.elements:
        for each in ("src", "href", "action", "poster", "srcset"):
            address = attributes.get(each)
            assert address is None or address.startswith(("data:", "#")), (name, address)
    policy = next(each["content"] for each in parsed.all_of("meta") if "http-equiv" in each)
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_every_number_of_the_page_is_in_its_json(parsed: ParsedPage) -> None:
    known = set(numbers(parsed.data))
    shown = [number for text in parsed.words for number in tokens(text)]
    assert len(shown) > 60
    known |= {"95"}  # of "95 % interval"
    assert {number for number in shown if number not in known} == set()


def test_images_have_texts_and_charts_have_titles(page: str, parsed: ParsedPage) -> None:
    images = parsed.all_of("img")
    assert len(images) > 10
    assert all(each.get("alt") for each in images)
    charts = re.findall(r'<svg role="img".*?</svg>', page, flags=re.DOTALL)
    assert charts
    assert all("<title>" in each and "<desc>" in each for each in charts)


def test_without_faces_no_image_and_no_name_is_shown(hostile_build: Path, tmp_path: Path) -> None:
    out = write_report([hostile_build], tmp_path / "r.html", ReportOptions(faces=False))
    page = out.read_text(encoding="utf-8")
    assert "data:image" not in page
    assert "<img" not in page
    assert "spots/" not in page
    assert "1.png" not in page
    assert "--no-faces" in page


def test_the_same_build_gives_the_same_bytes(
    hostile_build: Path, make_build: Callable[..., Path], tmp_path: Path
) -> None:
    first = write_report([hostile_build], tmp_path / "1.html")
    second = write_report([hostile_build], tmp_path / "2.html")
    other = write_report([make_build()], tmp_path / "3.html")
    assert first.read_bytes() == second.read_bytes()
    assert other.read_bytes() != first.read_bytes()
