"""Pages read without a browser: their elements, their text, their JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from ferdata.core.labels import LabelSpace

HOSTILE = '"><script>alert(1)</script>'

_EMPTY = {"meta", "link", "img", "input", "br", "rect", "line", "path", "circle", "polyline"}
_UNSEEN = {"script", "style", "title", "desc"}


def hostile_classes() -> LabelSpace:
    """Return a label space whose names are markup."""
    return LabelSpace("hostile", (HOSTILE, "]]></script>", "<!-- & ' \u2028"))


class ParsedPage(HTMLParser):
    """A page as a list of elements, its visible text, and the block of numbers.

    Attributes:
        elements: Name and attributes of every element.
        scripts: Attributes and text of every script.
        words: The texts that are seen, but ticks of axes.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.words: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.unclosed: list[str] = []
        self.feed(html)
        self.close()
        self.unclosed += [name for name, _ in self._open]

    @property
    def data(self) -> Any:
        """The numbers of the page."""
        (text,) = [text for attributes, text in self.scripts if attributes.get("id") == "data"]
        return json.loads(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag not in _EMPTY:
            self._open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        name, _ = self._open.pop()
        if name != tag:
            self.unclosed.append(f"{name}, closed by {tag}")

    def handle_data(self, data: str) -> None:
        tags = {name for name, _ in self._open}
        if self._open and self._open[-1][0] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        ticks = any("tick" in (each.get("class") or "") for _, each in self._open)
        if not tags & _UNSEEN and not ticks and data.strip():
            self.words.append(data.strip())

    def all_of(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a name."""
        return [attributes for tag, attributes in self.elements if tag == name]


def numbers(value: Any) -> Iterator[str]:
    """Yield the numbers of JSON, in every form in which a page shows them."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        forms = ("{:,}", "{}", "{:.4g}", "{:.5g}", "{:.3f}", "{:.0%}", "{:.1%}", "{:.2%}")
        yield from (number for form in forms for number in tokens(form.format(value)))
    elif isinstance(value, str):
        yield from tokens(value)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from tokens(name)
            yield from numbers(each)
    else:
        yield from numbers(len(value))
        for each in value:
            yield from numbers(each)


def tokens(text: str) -> list[str]:
    """Return the numbers in a text as written, but those inside words and hashes."""
    return re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?%?(?!\w)", text)
