"""KDEF: 70 people, seven expressions, five angles, two sessions; 4,900 photographs.

Layouts, codes and counts: manifests/datasets/kdef.yaml.
Source: Lundqvist, Flykt and Öhman, Karolinska Institutet 1998.

AF in a file name is "afraid", which is fear; AN is anger. AF01 and BF01 are one woman in
two sessions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ferdata.errors import LabelError
from ferdata.images import IMAGE_SUFFIXES
from ferdata.ingest.base import Choices, Ingester, Layout, register, reject
from ferdata.ingest.class_folders import class_of, foreign_folder
from ferdata.ingest.facts import UNSPLIT, Counts
from ferdata.ingest.findings import Findings
from ferdata.ingest.sample import Sample
from ferdata.ingest.tree import FileTree, file_name, folder_name
from ferdata.manifest import Reject

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

SELECTED = {"straight": ("S",), "half": ("HL", "S", "HR"), "all": tuple(POSES)}
"""The angles of each value of `--poses`."""

IRREGULAR = {"AF31V": "AF31SAHL", "AM31H": "AM31SUHR"}
"""Two files of the distribution have names that break its rule; what they are is agreed on."""

_NAME = re.compile(
    r"(?P<session>[AB])(?P<gender>[FM])(?P<number>\d\d)"
    r"(?P<expression>AF|AN|DI|HA|NE|SA|SU)(?P<pose>FL|HL|S|HR|FR)"
)
_GROUPED = re.compile(r"(?P<group>\d+)_(?P<image>[^/]+)\.[a-z]+", re.IGNORECASE)
_FOLDER = re.compile(r"[AB][FM]\d\d")
_GENDERS = {"F": "female", "M": "male"}
_AVERAGES = "AKDEF"


@register("kdef")
class Kdef(Ingester):
    """The official tree, and re-made copies in class folders."""

    def detect(self, tree: FileTree) -> list[Layout]:
        """Find images by KDEF's file names, or class folders with names like `17_3.jpg`."""
        images = [path for path in tree.files if _is_image(path)]
        named = [path for path in images if _parse(path) and not _is_average(path)]
        layouts = []
        if named:
            in_classes = sum(class_of(path) is not None for path in named) > len(named) / 2
            name = "class-folders" if in_classes else "official"
            evidence = f"{len(named):,} files named like AF01AFS.JPG"
            layouts.append(self._layout(tree, name, named, 0.95, evidence))
        grouped = [path for path in images if _is_grouped(path)]
        if grouped and not named:
            evidence = f"{len(grouped):,} files named like 17_3.jpg in folders named after classes"
            classes = {class_of(path) for path in grouped}
            sure = 0.6 if len(classes) == len(EXPRESSIONS) else 0.3
            layouts.append(self._layout(tree, "kaggle", grouped, sure, evidence))
        return layouts

    def read(self, layout: Layout, choices: Choices) -> Iterator[Sample | Reject]:
        """Read the files sorted by name; poses that were not chosen are only counted."""
        layout.tree.require_readable()
        findings = Findings(self.name)
        if layout.name == "kaggle":
            yield from self._read_grouped(layout.tree, choices, findings)
        else:
            yield from self._read_named(layout, choices, findings)
        findings.log()

    def expected_counts(self, layout: Layout, choices: Choices) -> Mapping[str, Counts]:
        """Return 140 images of each class for each angle that is chosen."""
        if layout.name != "official":
            return super().expected_counts(layout, choices)
        angles = len(SELECTED[choices["poses"]])
        return {UNSPLIT: dict.fromkeys(EXPRESSIONS.values(), 140 * angles)}

    def _layout(
        self, tree: FileTree, name: str, paths: list[str], confidence: float, evidence: str
    ) -> Layout:
        inside = tree.below(_base(paths))
        return Layout(self.name, name, "images", inside, (), confidence, (evidence,))

    def _read_named(
        self, layout: Layout, choices: Choices, findings: Findings
    ) -> Iterator[Sample | Reject]:
        poses = SELECTED[choices["poses"]]
        seen: dict[str, str] = {}
        for path in sorted(filter(_is_image, layout.tree.files), key=lambda p: (file_name(p), p)):
            if _is_average(path):
                findings.add("averaged faces of AKDEF are left out: they show everybody", path)
                continue
            name = _parse(path)
            if name is None:
                yield reject(self.name, "", path, f"file name: {file_name(path)} is not KDEF's")
                continue
            if name.mended:
                findings.add("files have an irregular name, read as what they are", path)
            folder = class_of(path) if layout.name == "class-folders" else None
            if name.key in seen:
                yield reject(self.name, name.key, path, f"duplicate id: also {seen[name.key]}")
            elif folder not in (None, name.label):
                reason = f"folder and name disagree: folder {folder}, name {name.label}"
                yield reject(self.name, name.key, path, reason)
            elif layout.name == "class-folders" and folder is None:
                reason = foreign_folder(path, "one of the seven classes")
                yield reject(self.name, name.key, path, reason)
            elif name.angle not in poses:
                findings.add(f"images in other poses than --poses {choices['poses']}", path)
            else:
                yield name.sample(path)
            seen.setdefault(name.key, path)

    def _read_grouped(
        self, tree: FileTree, choices: Choices, findings: Findings
    ) -> Iterator[Sample | Reject]:
        images = sorted(path for path in tree.files if _is_image(path))
        unknown = [path for path in images if class_of(path) is None]
        if len(unknown) > max(1, len(images) // 20):
            raise LabelError(
                f"kdef: {unknown[0]} is in no class folder, and so are {len(unknown)} of "
                f"{len(images)} images; expected {', '.join(EXPRESSIONS.values())}."
            )
        for path in images:
            match, label = _GROUPED.fullmatch(file_name(path)), class_of(path)
            key = path.rpartition(".")[0]
            if label is None or label == "contempt":
                reason = foreign_folder(path, "one of the seven classes")
                yield reject(self.name, key, path, reason)
            elif match is None:
                yield reject(self.name, key, path, "file name: not like 17_3.jpg")
            else:
                findings.add(
                    "images without subject and pose (this copy lost them): people can't be held "
                    f"apart, and --poses {choices['poses']} chooses nothing",
                    path,
                )
                native = folder_name(path).rpartition("/")[2]
                yield Sample(key, path, label, native, session=match["group"])


@dataclass(frozen=True, slots=True)
class _Name:
    """What a file name says."""

    key: str
    subject: str
    session: str
    gender: str
    code: str
    angle: str
    mended: bool

    @property
    def label(self) -> str:
        return EXPRESSIONS[self.code]

    def sample(self, path: str) -> Sample:
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


def _parse(path: str) -> _Name | None:
    """Read a file name, irregular ones as what they are; None for a name that is not KDEF's."""
    stem = file_name(path).rpartition(".")[0].upper()
    match = _NAME.fullmatch(IRREGULAR.get(stem, stem))
    if match is None:
        return None
    return _Name(
        key=match[0],
        subject=match["gender"] + match["number"],
        session=match["session"],
        gender=_GENDERS[match["gender"]],
        code=match["expression"],
        angle=match["pose"],
        mended=stem in IRREGULAR,
    )


def _is_image(path: str) -> bool:
    return f".{path.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES


def _is_average(path: str) -> bool:
    """Say whether a file is one of AKDEF, which are averages over all people."""
    return _AVERAGES in folder_name(path).upper().split("/")


def _is_grouped(path: str) -> bool:
    return class_of(path) is not None and _GROUPED.fullmatch(file_name(path)) is not None


def _base(paths: list[str]) -> str:
    """Return the folder above those of the sessions or classes, as most of the images have it."""
    bases = Counter(
        folder_name(folder) if _FOLDER.fullmatch(file_name(folder)) or class_of(path) else folder
        for path, folder in ((path, folder_name(path)) for path in paths)
    )
    return min(bases, key=lambda base: (-bases[base], base))
