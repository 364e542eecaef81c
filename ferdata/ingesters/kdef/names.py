"""KDEF's file names: `AF01ANHL.JPG` is session A, female, number 01, angry, half left."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ferdata.ingesters.class_folders import class_folder, class_of
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import file_stem, folder_name

EXPRESSIONS = {
    "AF": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}

POSES = {
    "FL": "full left",
    "HL": "half left",
    "S": "straight",
    "HR": "half right",
    "FR": "full right",
}

IRREGULAR = {"AF31V": "AF31SAHL", "AM31H": "AM31SUHR"}
"""Two files of the distribution have irregular names; sources agree on what they are."""

AVERAGES = "AKDEF"
"""The folder of the averaged faces, such as FANHL.JPG."""

_NAME = re.compile(
    r"(?P<session>[AB])(?P<gender>[FM])(?P<number>0[1-9]|[12]\d|3[0-5])"
    r"(?P<expression>AF|AN|DI|HA|NE|SA|SU)(?P<pose>FL|HL|S|HR|FR)"
)
_AVERAGE = re.compile(r"[FM](AF|AN|DI|HA|NE|SA|SU)(FL|HL|S|HR|FR)|FAHR")  # FAHR is FAFHR
_SESSION = re.compile(r"[AB][FM]\d\d", re.IGNORECASE)
_GENDERS = {"F": "female", "M": "male"}


@dataclass(frozen=True, slots=True)
class Name:
    """What a file name says.

    Attributes:
        key: The name itself in capitals, without its ending; of irregular ones the regular name.
        subject: Gender and number, `F01`; the same in both sessions.
        session: A or B.
        gender: `female` or `male`.
        code: Two letters of `EXPRESSIONS`.
        angle: Letters of `POSES`.
        is_irregular: Whether the file's own name is one of `IRREGULAR`.
    """

    key: str
    subject: str
    session: str
    gender: str
    code: str
    angle: str
    is_irregular: bool

    @property
    def label(self) -> str:
        """The expression's canonical name."""
        return EXPRESSIONS[self.code]

    @property
    def session_subject(self) -> str:
        """Session and subject, `AF01`: the name of the folder in the official tree."""
        return self.session + self.subject

    def sample(self, path: str) -> Sample:
        """Return the row of the file with this name."""
        return Sample(
            key=self.key,
            uri=path,
            label=self.label,
            label_native=self.code,
            subject=self.subject,
            session=self.session,
            pose=POSES[self.angle],
            gender=self.gender,
        )


def parse(path: str) -> Name | None:
    """Read a file name, irregular ones as what they are; None for a name that is not KDEF's."""
    stem = file_stem(path).upper()
    match = _NAME.fullmatch(IRREGULAR.get(stem, stem))
    if match is None:
        return None
    return Name(
        key=match[0],
        subject=match["gender"] + match["number"],
        session=match["session"],
        gender=_GENDERS[match["gender"]],
        code=match["expression"],
        angle=match["pose"],
        is_irregular=stem in IRREGULAR,
    )


def is_average(path: str) -> bool:
    """Say whether a file is one of AKDEF, which are averages over all subjects."""
    inside = AVERAGES in folder_name(path).upper().split("/")
    return inside or bool(_AVERAGE.fullmatch(file_stem(path).upper()))


def home(path: str) -> str:
    """Return the folder above those of the sessions or classes."""
    inner = bool(_SESSION.fullmatch(class_folder(path))) or class_of(path) is not None
    return folder_name(folder_name(path)) if inner else folder_name(path)


def session_folder(path: str, default: str) -> str:
    """Return the session and subject that a file's folder is named after, or a default."""
    folder = class_folder(path).upper()
    return folder if _SESSION.fullmatch(folder) else default
