"""HTML for notebooks: tables and images, with all text escaped.

Only for what a notebook shows of an open object. Pages are written by `ferdata.reports`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

_IMAGE_SIDE = 72  # CSS pixels of a sample image

_NUMBERS = re.compile(r"[\d.,]+ ?%?(–[\d.,]+ ?%?)?")
"""A number as text, or an interval."""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "") -> str:
    """Return an HTML table, with text aligned left and numbers right."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def definitions(values: Mapping[str, object]) -> str:
    """Return an HTML table of names and values."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(str(value))}</td></tr>"
        for name, value in values.items()
    )
    return f"<table><tbody>{rows}</tbody></table>"


def warnings(texts: Iterable[str]) -> str:
    """Return paragraphs in bold."""
    return "".join(f"<p><b>{escape(text)}</b></p>" for text in texts)


def images(pixels: Iterable[tuple[npt.NDArray[np.uint8], str]]) -> str:
    """Return images side by side, each with a caption.

    Args:
        pixels: uint8 images, shape (H, W, C) with C 1 or 3, RGB, and their captions.
    """
    figures = "".join(
        "<figure style='display:inline-block;margin:2px;text-align:center'>"
        f"<img width='{_IMAGE_SIDE}' alt='{escape(caption)}' "
        f"src='data:image/png;base64,{_png(image)}'>"
        f"<figcaption><small>{escape(caption)}</small></figcaption></figure>"
        for image, caption in pixels
    )
    return f"<div>{figures}</div>"


def _cell(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
        return f"<td style='text-align:right'>{text}</td>"
    text = str(value)
    side = "right" if _NUMBERS.fullmatch(text) else "left"
    return f"<td style='text-align:{side}'>{escape(text)}</td>"


def _png(image: npt.NDArray[np.uint8]) -> str:
    import cv2  # noqa: PLC0415 - only images need it

    bgr = image[..., ::-1] if image.shape[-1] == 3 else image
    _, data = cv2.imencode(".png", np.ascontiguousarray(bgr))
    return base64.b64encode(data.tobytes()).decode()
