"""What each expression does to a face, as movements of brows, lids, nose, cheeks and lips.

The movements follow the action-unit prototypes of the Facial Action Coding System (Ekman, Friesen
and Hager, 2002), named beside each entry. The amounts are ferdata's, chosen so that all eight look
distinct at 100 pixels; lengths are in units of the eye distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from ferdata.core.errors import UnknownNameError


@dataclass(frozen=True)
class Expression:
    """Deviation of a face from rest; all zeros is a face at rest.

    "Left" and "right" are the image's. Lengths are in eye distances; the others run from 0 (rest)
    to 1 (the most that faces do).

    Attributes:
        brow_inner: Raise of the brows' inner ends (AU 1; negative: lowered, AU 4).
        brow_outer: Raise of the brows' outer ends (AU 2).
        brow_gap: Amount by which the brows are drawn together (AU 4).
        brow_uneven: Extra raise of the right brow, taken from the left one.
        eye_open: Relative change of the eye's opening (AU 5; negative: narrowed, AU 7).
        lower_lid: Raise of the lower lid, 0–1 (AU 6, 7).
        lid_slant: Inner part of the upper lid pressed down (positive) or its outer part drooping.
        cheek: Raise of the cheeks, 0–1 (AU 6).
        nose_wrinkle: Wrinkling of the nose, 0–1 (AU 9).
        fold_left: Depth of the fold from nose to mouth corner, 0–1 (AU 10, 12).
        fold_right: The same on the other side.
        forehead_lines: Lines across the forehead, 0–1.
        frown_lines: Upright lines between the brows, 0–1.
        mouth_width: Relative change of the mouth's width.
        corner_left: Raise of the mouth corner (AU 12; negative: lowered, AU 15).
        corner_right: The same on the other side.
        mouth_open: Gap between the lips at the middle (AU 25–27).
        upper_lip: Raise of the upper lip (AU 10).
        lip_press: Lips pressed thin, 0–1 (AU 24).
        pout: Lower lip pushed up and out, 0–1 (AU 17).
        teeth: Fraction of the gap that the upper teeth fill, 0–1.
    """

    brow_inner: float = 0.0
    brow_outer: float = 0.0
    brow_gap: float = 0.0
    brow_uneven: float = 0.0
    eye_open: float = 0.0
    lower_lid: float = 0.0
    lid_slant: float = 0.0
    cheek: float = 0.0
    nose_wrinkle: float = 0.0
    fold_left: float = 0.0
    fold_right: float = 0.0
    forehead_lines: float = 0.0
    frown_lines: float = 0.0
    mouth_width: float = 0.0
    corner_left: float = 0.0
    corner_right: float = 0.0
    mouth_open: float = 0.0
    upper_lip: float = 0.0
    lip_press: float = 0.0
    pout: float = 0.0
    teeth: float = 0.0

    def mirrored(self) -> Expression:
        """Return the expression with left and right exchanged."""
        return replace(
            self,
            brow_uneven=-self.brow_uneven,
            fold_left=self.fold_right,
            fold_right=self.fold_left,
            corner_left=self.corner_right,
            corner_right=self.corner_left,
        )


PROTOTYPES: Mapping[str, tuple[Expression, ...]] = {
    # AU 4, 5, 7, 24: pressed lips; or 4, 5, 7, 25: teeth bared.
    "anger": (
        Expression(brow_inner=-0.17, brow_outer=0.07, brow_gap=0.10, eye_open=-0.05, lower_lid=0.3,
                   lid_slant=0.75, frown_lines=1.0, mouth_width=-0.10, corner_left=-0.06,
                   corner_right=-0.06, lip_press=1.0),
        Expression(brow_inner=-0.18, brow_outer=0.07, brow_gap=0.11, eye_open=0.0, lower_lid=0.3,
                   lid_slant=0.8, frown_lines=1.0, mouth_width=0.0, corner_left=-0.09,
                   corner_right=-0.09, mouth_open=0.16, lip_press=0.5, teeth=1.0, fold_left=0.3,
                   fold_right=0.3),
    ),
    # AU 12 and 14 of one side.
    "contempt": (
        Expression(brow_uneven=0.06, eye_open=-0.18, lower_lid=0.15, fold_right=0.9,
                   mouth_width=0.04, corner_left=-0.02, corner_right=0.19, lip_press=0.35),
    ),
    # AU 9, 10, 17.
    "disgust": (
        Expression(brow_inner=-0.12, brow_outer=-0.05, brow_gap=0.05, eye_open=-0.42,
                   lower_lid=0.75, nose_wrinkle=1.0, cheek=0.5, fold_left=1.0, fold_right=1.0,
                   frown_lines=0.4, corner_left=-0.11, corner_right=-0.11, mouth_open=0.06,
                   upper_lip=0.11, pout=0.4, mouth_width=-0.04, teeth=0.6),
    ),
    # AU 1, 2, 4, 5, 20, 25.
    "fear": (
        Expression(brow_inner=0.20, brow_outer=0.02, brow_gap=0.08, eye_open=0.55,
                   forehead_lines=0.6, frown_lines=0.35, mouth_width=0.20, corner_left=-0.10,
                   corner_right=-0.10, mouth_open=0.14, lip_press=0.25, teeth=0.75),
    ),
    # AU 6, 12, and 25 with the teeth; or a closed smile.
    "happiness": (
        Expression(brow_outer=0.02, eye_open=-0.18, lower_lid=0.7, cheek=1.0, fold_left=0.8,
                   fold_right=0.8, mouth_width=0.26, corner_left=0.17, corner_right=0.17,
                   mouth_open=0.20, teeth=1.0),
        Expression(brow_outer=0.02, eye_open=-0.22, lower_lid=0.8, cheek=1.0, fold_left=0.9,
                   fold_right=0.9, mouth_width=0.30, corner_left=0.19, corner_right=0.19,
                   mouth_open=0.30, teeth=0.75),
        Expression(eye_open=-0.15, lower_lid=0.6, cheek=0.9, fold_left=0.8, fold_right=0.8,
                   mouth_width=0.24, corner_left=0.18, corner_right=0.18, lip_press=0.1),
    ),
    "neutral": (Expression(),),
    # AU 1, 4, 15, 17.
    "sadness": (
        Expression(brow_inner=0.15, brow_outer=-0.11, brow_gap=0.05, eye_open=-0.28,
                   lid_slant=-0.7, forehead_lines=0.25, frown_lines=0.25, mouth_width=-0.08,
                   corner_left=-0.15, corner_right=-0.15, pout=0.8),
    ),
    # AU 1, 2, 5, 26, 27.
    "surprise": (
        Expression(brow_inner=0.20, brow_outer=0.20, eye_open=0.60, forehead_lines=0.8,
                   mouth_width=-0.28, corner_left=-0.01, corner_right=-0.01, mouth_open=0.42,
                   teeth=0.2),
    ),
}  # fmt: skip
"""The movements of each canonical expression at full strength; some have two forms."""

_NAMES = tuple(field.name for field in fields(Expression))
# Standard deviations of these movements among faces at rest.
_AT_REST = {
    "brow_inner": 0.022,
    "brow_outer": 0.018,
    "brow_uneven": 0.010,
    "eye_open": 0.07,
    "corner_left": 0.014,
    "corner_right": 0.014,
    "mouth_width": 0.02,
}


def draw_expression(
    name: str, generator: np.random.Generator, *, intensity: tuple[float, float] = (0.35, 1.0)
) -> Expression:
    """Draw a version of an expression: form, side, strength and small deviations.

    Args:
        name: A canonical expression name.
        generator: Source of all random numbers.
        intensity: Lowest and highest strength; 1 is the prototype.

    Raises:
        UnknownNameError: The name is not a canonical expression.
    """
    forms = PROTOTYPES.get(name)
    if forms is None:
        raise UnknownNameError("expression", name, PROTOTYPES)
    form = forms[int(generator.integers(len(forms)))]
    if generator.random() < 0.5:
        form = form.mirrored()
    return _vary(form, float(generator.uniform(*intensity)), generator)


def blend_expressions(
    first: str, second: str, generator: np.random.Generator, *, weight: float = 0.5
) -> Expression:
    """Draw a compound expression: the weighted movements of two.

    Args:
        first: The expression that colors the other ("happily" in happily surprised).
        second: The expression that is colored.
        generator: Source of all random numbers.
        weight: Weight of the first, 0–1.

    Raises:
        UnknownNameError: A name is not a canonical expression.
    """
    one = draw_expression(first, generator, intensity=(0.85, 1.1))
    two = draw_expression(second, generator, intensity=(0.85, 1.1))
    mixed = {
        name: weight * getattr(one, name) + (1.0 - weight) * getattr(two, name) for name in _NAMES
    }
    return Expression(**mixed)


def _vary(form: Expression, strength: float, generator: np.random.Generator) -> Expression:
    """Scale a form, each of its movements a little stronger or weaker."""
    factors = strength * (1.0 + 0.18 * generator.standard_normal(len(_NAMES)).clip(-2, 2))
    moved = {
        name: getattr(form, name) * float(factor)
        for name, factor in zip(_NAMES, factors, strict=True)
    }
    offsets = generator.standard_normal(len(_AT_REST)).clip(-2, 2).tolist()
    for (name, spread), offset in zip(_AT_REST.items(), offsets, strict=True):
        moved[name] += spread * offset
    return Expression(**moved)
