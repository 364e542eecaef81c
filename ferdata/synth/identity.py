"""A random person: face shape, skin, hair, eyes, age, glasses.

Gender, race and age group use the codes of RAF-DB's manual annotation, so that a synthetic copy
can be annotated with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np

Color = tuple[float, float, float]
"""Red, green, blue, 0–255."""

Choice = TypeVar("Choice")


class Gender(IntEnum):
    """RAF-DB's gender codes; unsure (2) is not used."""

    MALE = 0
    FEMALE = 1


class Race(IntEnum):
    """RAF-DB's race codes; here they only select a range of skin tones."""

    CAUCASIAN = 0
    AFRICAN_AMERICAN = 1
    ASIAN = 2


class AgeGroup(IntEnum):
    """RAF-DB's age codes: 0–3, 4–19, 20–39, 40–69 and 70 or more years."""

    INFANT = 0
    YOUTH = 1
    YOUNG_ADULT = 2
    ADULT = 3
    OLD = 4


# Approximate fractions of RAF-DB's images: Li, Deng and Du, CVPR 2017, section 3.
_RACE_FRACTIONS = (0.77, 0.08, 0.15)
_AGE_FRACTIONS = (0.06, 0.18, 0.50, 0.21, 0.05)

# Lightest and darkest tone of each race; a face lies somewhere between them.
_SKIN: dict[Race, tuple[Color, Color]] = {
    Race.CAUCASIAN: ((246, 212, 190), (214, 164, 130)),
    Race.AFRICAN_AMERICAN: ((166, 116, 84), (98, 64, 46)),
    Race.ASIAN: ((242, 208, 172), (206, 160, 118)),
}
_HAIR_DARK: tuple[Color, ...] = ((24, 20, 20), (38, 28, 24), (52, 36, 28))
_HAIR_LIGHT: tuple[Color, ...] = (
    (40, 28, 22), (78, 52, 34), (112, 76, 46), (164, 122, 70), (206, 172, 112), (140, 66, 34),
)  # fmt: skip
_HAIR_GRAY: tuple[Color, ...] = ((150, 148, 146), (196, 194, 190))
_IRIS_DARK: tuple[Color, ...] = ((58, 36, 24), (78, 50, 30))
_IRIS_LIGHT: tuple[Color, ...] = ((84, 124, 158), (92, 126, 92), (98, 70, 42), (70, 46, 30))

HAIR_STYLES: dict[Gender, tuple[str, ...]] = {
    Gender.MALE: ("short", "short", "side", "curly", "fringe", "bald"),
    Gender.FEMALE: ("long", "long", "side_long", "fringe_long", "bun", "curly"),
}


@dataclass(frozen=True)
class Identity:
    """One drawn person. Lengths in eye distances, relative measures around 1.

    Attributes:
        gender: Drawn as in `Gender`.
        race: Drawn as in `Race`.
        age_group: Drawn as in `AgeGroup`.
        skin: Skin tone in full light.
        hair: Hair color.
        iris: Color of the iris.
        lips: Color of the lips.
        hair_style: One of `HAIR_STYLES`.
        hair_volume: Thickness of the hair over the skull.
        face_width: Half width of the face at the cheekbones.
        chin: Distance of the chin below the eye line.
        jaw: Squareness of the jaw; below 1 pointed, above 1 square.
        skull: Height of the skull above the eye line.
        eye_size: Size of the eyes.
        eye_tilt: Raise of the outer eye corner.
        brow_height: Distance of the brows above the eye line.
        brow_weight: Thickness of the brows.
        nose_length: Distance of the nose's tip below the eye line.
        nose_width: Half distance of the nose's wings.
        mouth_width: Half width of the mouth at rest.
        mouth_drop: Distance of the mouth below the eye line.
        lip_fullness: Thickness of the lips.
        wrinkles: Depth of lines of age, 0–1.
        beard: `""`, `"stubble"` or `"beard"`, which includes a moustache.
        glasses: `""`, `"round"` or `"square"`.
    """

    gender: Gender
    race: Race
    age_group: AgeGroup
    skin: Color
    hair: Color
    iris: Color
    lips: Color
    hair_style: str
    hair_volume: float
    face_width: float
    chin: float
    jaw: float
    skull: float
    eye_size: float
    eye_tilt: float
    brow_height: float
    brow_weight: float
    nose_length: float
    nose_width: float
    mouth_width: float
    mouth_drop: float
    lip_fullness: float
    wrinkles: float
    beard: str
    glasses: str


def draw_identity(generator: np.random.Generator) -> Identity:
    """Draw a person with the random numbers of a generator."""
    gender = Gender(int(generator.random() < 0.52))
    race = Race(int(generator.choice(len(_RACE_FRACTIONS), p=_RACE_FRACTIONS)))
    age = AgeGroup(int(generator.choice(len(_AGE_FRACTIONS), p=_AGE_FRACTIONS)))
    skin = _between(*_SKIN[race], float(generator.random()))
    child = {AgeGroup.INFANT: 1.0, AgeGroup.YOUTH: 0.35}.get(age, 0.0)
    male = float(gender is Gender.MALE) * (1.0 - child)
    shape = generator.standard_normal(12).clip(-1.8, 1.8)
    return Identity(
        gender=gender,
        race=race,
        age_group=age,
        skin=skin,
        hair=_draw_hair_color(race, age, generator),
        iris=_pick(_IRIS_LIGHT if race is Race.CAUCASIAN else _IRIS_DARK, generator),
        lips=_lip_color(skin, gender, child, float(generator.random())),
        hair_style=_draw_hair_style(gender, age, generator),
        hair_volume=float(generator.uniform(0.10, 0.24)),
        face_width=1.06 + 0.045 * shape[0] + 0.06 * child,
        chin=1.64 + 0.06 * shape[1] + 0.06 * male - 0.14 * child,
        jaw=1.0 + 0.10 * shape[2] + 0.12 * male,
        skull=1.58 + 0.05 * shape[3],
        eye_size=1.0 + 0.07 * shape[4] + 0.12 * child - 0.05 * male,
        eye_tilt=0.012 + 0.014 * shape[5] + 0.02 * float(race is Race.ASIAN),
        brow_height=0.36 + 0.022 * shape[6] - 0.02 * male,
        brow_weight=1.0 + 0.16 * shape[7] + 0.30 * male - 0.25 * child,
        nose_length=0.58 + 0.025 * shape[8] - 0.03 * child,
        nose_width=0.225 + 0.018 * shape[9] + 0.03 * float(race is Race.AFRICAN_AMERICAN),
        mouth_width=0.37 + 0.022 * shape[10] - 0.02 * child,
        mouth_drop=1.06 + 0.025 * shape[11] - 0.04 * child,
        lip_fullness=float(generator.uniform(0.85, 1.15)) * (0.9 if male else 1.08)
        + 0.25 * float(race is Race.AFRICAN_AMERICAN),
        wrinkles={AgeGroup.ADULT: 0.35, AgeGroup.OLD: 0.9}.get(age, 0.0),
        beard=_draw_beard(gender, age, generator),
        glasses=_draw_glasses(age, generator),
    )


def _draw_hair_color(race: Race, age: AgeGroup, generator: np.random.Generator) -> Color:
    if age is AgeGroup.OLD or (age is AgeGroup.ADULT and generator.random() < 0.3):
        return _pick(_HAIR_GRAY, generator)
    return _pick(_HAIR_LIGHT if race is Race.CAUCASIAN else _HAIR_DARK, generator)


def _draw_hair_style(gender: Gender, age: AgeGroup, generator: np.random.Generator) -> str:
    if age is AgeGroup.INFANT:
        return "short"
    return _pick(HAIR_STYLES[gender], generator)


def _draw_beard(gender: Gender, age: AgeGroup, generator: np.random.Generator) -> str:
    roll = float(generator.random())
    if gender is Gender.FEMALE or age <= AgeGroup.YOUTH or roll > 0.42:
        return ""
    return "stubble" if roll < 0.25 else "beard"


def _draw_glasses(age: AgeGroup, generator: np.random.Generator) -> str:
    roll = float(generator.random())
    if age is AgeGroup.INFANT or roll > 0.12:
        return ""
    return "round" if roll < 0.06 else "square"


def _lip_color(skin: Color, gender: Gender, child: float, strength: float) -> Color:
    """Return the skin color with more red; for women sometimes much more."""
    weight = 0.32 + (0.33 * strength * (1.0 - child) if gender is Gender.FEMALE else 0.0)
    return _between(skin, (168.0, 52.0, 58.0), weight)


def _between(one: Color, two: Color, weight: float) -> Color:
    red, green, blue = (a + (b - a) * weight for a, b in zip(one, two, strict=True))
    return red, green, blue


def _pick(choices: tuple[Choice, ...], generator: np.random.Generator) -> Choice:
    return choices[int(generator.integers(len(choices)))]
