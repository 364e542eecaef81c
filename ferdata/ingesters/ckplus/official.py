"""CK+ as its authors ship it: four trees of images, emotions, landmarks and action units."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ferdata.core.delimited import read_lines
from ferdata.core.errors import AnnotationError, LabelError, LayoutError
from ferdata.core.image_formats import is_image
from ferdata.core.rejects import Reject
from ferdata.ingesters.ckplus.names import FRAME, SPACE, frames_wanted
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.label_list import is_other_dataset
from ferdata.ingesters.lookup import dataset_info
from ferdata.ingesters.sample import Sample
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

_ANNOTATION = re.compile(r"(?P<key>S\d{3,4}_\d{3}_\d{8})_(?P<kind>emotion|landmarks|facs)\.txt")
_POINTS = 68

_NO_EMOTIONS = (
    "no emotion files; extract Emotion_labels.zip into the same folder (and Landmarks.zip and "
    "FACS_labels.zip)"
)

_Sequence = tuple[str, str]
"""Subject and number of a sequence, `("S010", "004")`."""


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find frames in folders by subject and sequence, with emotion files beside them."""
    frames = [path for path in tree.files if _is_frame(path)]
    if not frames:
        return
    annotation = [path for path in tree.files if _ANNOTATION.fullmatch(file_name(path))]
    emotions = sum(path.endswith("_emotion.txt") for path in annotation)
    yield Layout.below(
        tree,
        common_folder({_tree_of(path) for path in (*frames, *annotation)}),
        "ckplus",
        "official",
        Evidence(Sign.NAMES, f"{len(frames):,} files named like S010/004/S010_004_00000017.png"),
        Evidence(Sign.ANNOTATION, f"{emotions:,} emotion files"),
        missing="" if emotions else _NO_EMOTIONS,
    )


def read(layout: Layout, choice: str) -> Iterator[Sample | Reject]:
    """Read the chosen frames of every labeled sequence, sorted by name.

    Args:
        layout: What `detect` returned.
        choice: A value of `--frames`.

    Raises:
        LayoutError: There are no emotion files, or a folder can't be listed.
        LabelError: Too many emotion files have no code of CK+.
    """
    layout.tree.require_readable()
    copy = _Copy.of(layout)
    if not copy.labels:
        raise LayoutError(f"{layout.root}: contains CK+'s images but {_NO_EMOTIONS}.")
    reader = _Reader(layout, copy, choice)
    for sequence in sorted(copy.frames):
        yield from reader.read(sequence)
    reader.check()
    for sequence, paths in sorted(copy.labels.items()):
        if sequence not in copy.frames:
            reason = f"missing image: no frames of {'/'.join(sequence)}"
            yield layout.reject("_".join(sequence), paths[0], reason)
    for path in copy.strays:
        reason = "file name: not like S010/004/S010_004_00000017.png"
        yield layout.reject(path.rpartition(".")[0], path, reason)


@dataclass(frozen=True)
class _Frame:
    """One frame of a sequence.

    Attributes:
        number: As in its file name.
        key: `S010_004_00000017`.
        path: Where it lies.
        repeats: Further files of the same name.
    """

    number: int
    key: str
    path: str
    repeats: tuple[str, ...]


@dataclass
class _Copy:
    """The files of a copy.

    Attributes:
        frames: Each sequence's frames, sorted by number.
        labels: Each sequence's emotion files; more than one only in a muddled copy.
        annotation: Landmark and FACS files by kind and key of the frame.
        strays: Images among the sequences that are not a frame of one.
    """

    frames: dict[_Sequence, list[_Frame]] = field(default_factory=dict)
    labels: dict[_Sequence, list[str]] = field(default_factory=lambda: defaultdict(list))
    annotation: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    strays: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, layout: Layout) -> _Copy:
        """Sort the files of a layout."""
        copy = cls()
        paths: dict[_Sequence, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        strays = []
        for path in layout.tree.files:
            if match := _ANNOTATION.fullmatch(file_name(path)):
                copy._annotate(match, path)
            elif (frame := FRAME.fullmatch(file_name(path))) and _is_frame(path):
                paths[frame["subject"], frame["sequence"]][frame["key"]].append(path)
            elif is_image(path):
                strays.append(path)
        for sequence, keys in paths.items():
            copy.frames[sequence] = [
                _Frame(int(key.rpartition("_")[2]), key, first, tuple(others))
                for key, (first, *others) in sorted(keys.items())
            ]
            for repeats in (each.repeats for each in copy.frames[sequence] if each.repeats):
                kind = "frames occur more than once; the first path is used"
                layout.notices.add(kind, repeats[0])
        inside = {_tree_of(frames[0].path) for frames in copy.frames.values()}
        for path in strays:
            if any(f"/{path}".startswith(f"/{each}/" if each else "/") for each in inside):
                copy.strays.append(path)
            else:
                layout.ignored[path] = "images outside the tree of the sequences"
        return copy

    def _annotate(self, match: re.Match[str], path: str) -> None:
        if match["kind"] == "emotion":
            subject, sequence, _ = match["key"].split("_")
            self.labels[subject, sequence].append(path)
        else:
            self.annotation[match["kind"]].setdefault(match["key"], path)


@dataclass
class _Reader:
    """Turns sequences into rows."""

    layout: Layout
    copy: _Copy
    choice: str
    wrong: list[str] = field(default_factory=list)

    def read(self, sequence: _Sequence) -> Iterator[Sample | Reject]:
        """Yield the rows of a sequence, or the rejects of all of them."""
        frames, label_files = self.copy.frames[sequence], self.copy.labels.get(sequence)
        notices = self.layout.notices
        if label_files is None:
            self._leave_out(frames, "frames of sequences without a label")
            return
        wanted = frames_wanted(self.choice)
        if len(frames) < wanted.peaks + wanted.neutral:
            kind = f"sequences have too few frames for --frames {self.choice}"
            notices.add(kind, label_files[0])
        first = frames[:1] if wanted.neutral and len(frames) > 1 else []
        lost = _lost_peak(frames, label_files)
        if lost is not None:
            key, path = lost
            reason = f"missing image: the last frame, which {path} names"
            yield self.layout.reject(key, path, reason)
        peaks = frames[max(len(first), len(frames) - wanted.peaks + (lost is not None)) :]
        others = [frame for frame in frames if frame not in first and frame not in peaks]
        self._leave_out(others, f"frames other than --frames {self.choice}")
        code = self._code(label_files)
        for frame in (*first, *peaks):
            for path in frame.repeats:
                yield self.layout.reject(frame.key, path, f"duplicate id: also {frame.path}")
            if isinstance(code, str):
                yield self.layout.reject(frame.key, frame.path, code)
            elif frame in first:
                yield self._sample(sequence, frame, "neutral", "first frame")
            else:
                is_peak = lost is None and frame is frames[-1]
                units = self._action_units(frame.key) if is_peak else None
                label = dataset_info("ckplus").codes[code]
                yield self._sample(sequence, frame, label, str(code), units)

    def _leave_out(self, frames: Iterable[_Frame], rule: str) -> None:
        """Count frames as left out on purpose."""
        for frame in frames:
            self.layout.ignored.update(dict.fromkeys((frame.path, *frame.repeats), rule))

    def check(self) -> None:
        """Refuse a copy whose emotion files are another dataset's; one stray file never is."""
        labeled = sum(sequence in self.copy.frames for sequence in self.copy.labels)
        if is_other_dataset(len(self.wrong), labeled):
            raise LabelError(
                f"ckplus: {self.wrong[0]} ({len(self.wrong)} of {labeled} labeled sequences have "
                f"no code 1–7: {', '.join(SPACE.names)}).\nThese are another dataset's labels, or "
                "were made by someone else; extract Emotion_labels.zip again."
            )

    def _sample(
        self,
        sequence: _Sequence,
        frame: _Frame,
        label: str,
        native: str,
        units: list[str] | None = None,
    ) -> Sample:
        points = self._landmarks(frame.key)
        return Sample(
            frame.key,
            frame.path,
            label,
            native,
            action_units=units,
            subject=sequence[0],
            sequence=sequence[1],
            frame=frame.number,
            landmarks=points,
            landmark_scheme=None if points is None else "ibug68",
            landmark_source=None if points is None else "dataset",
        )

    def _code(self, paths: list[str]) -> int | str:
        """Return a sequence's label code, or the reason why it has none."""
        found = [self._numbers(path) for path in paths]
        if any(each is None or each.size != 1 or not _are_whole(each) for each in found):
            reason = f"malformed label: expected one number in {' and '.join(paths)}"
        else:
            codes = [int(each.item()) for each in found if each is not None]
            if len(set(codes)) > 1:
                said = " and ".join(f"{k} in {path}" for k, path in zip(codes, paths, strict=True))
                return f"contradictory labels: {said}"
            if len(codes) > 1:
                self.layout.notices.add("sequences have the same label twice", paths[1])
            if dataset_info("ckplus").codes.get(codes[0], "neutral") != "neutral":
                return codes[0]
            reason = f"label code {codes[0]}: expected 1–7 in {paths[0]}"
        self.wrong.append(reason)
        return reason

    def _landmarks(self, key: str) -> npt.NDArray[np.float32] | None:
        path = self.copy.annotation["landmarks"].get(key)
        if path is None:
            kind = "frames have no landmark file (is Landmarks.zip extracted?)"
            self.layout.notices.add(kind, key)
            return None
        values = self._numbers(path)
        if values is None or values.shape != (_POINTS, 2):
            self.layout.notices.add("landmark files are malformed and ignored", path)
            return None
        return values.astype(np.float32)

    def _action_units(self, key: str) -> list[str] | None:
        """Read `unit intensity` lines; intensity 0 means that none is given [readme]."""
        path = self.copy.annotation["facs"].get(key)
        if path is None:
            kind = "peak frames have no FACS file (is FACS_labels.zip extracted?)"
            self.layout.notices.add(kind, key)
            return None
        values = self._numbers(path)
        if values is None or values.shape[1] != 2 or not _are_whole(values):
            self.layout.notices.add("FACS files are malformed and ignored", path)
            return None
        return [f"AU{int(unit)}:{int(k)}" if k else f"AU{int(unit)}" for unit, k in values]

    def _numbers(self, path: str) -> npt.NDArray[np.float64] | None:
        """Read a file of finite numbers, one row a line; None if it contains anything else."""
        try:
            lines = [line.split() for line in read_lines(self.layout.use(path)) if line.strip()]
            values = np.array([[float(word) for word in words] for words in lines])
        except (AnnotationError, ValueError):
            return None
        return values if np.isfinite(values).all() else None


def _lost_peak(frames: list[_Frame], label_files: list[str]) -> tuple[str, str] | None:
    """Return key and emotion file of a sequence's last frame if its image is missing.

    An emotion file is named after the last frame [readme], so the last image of a sequence that
    was cut short is not its peak.
    """
    path = max(label_files, key=file_name)
    key = file_name(path).removesuffix("_emotion.txt")
    return (key, path) if key > frames[-1].key else None


def _are_whole(values: npt.NDArray[np.float64]) -> bool:
    return bool((values == np.rint(values)).all())


def _tree_of(path: str) -> str:
    """Return the folder above subject and sequence: `Emotion/S005/001/x.txt` → `Emotion`."""
    return folder_name(folder_name(folder_name(path)))


def _is_frame(path: str) -> bool:
    """Say whether an image lies in the folder of its sequence: `S010/004/S010_004_….png`."""
    match = FRAME.fullmatch(file_name(path))
    if match is None:
        return False
    return f"/{path}".endswith(f"/{match['subject']}/{match['sequence']}/{file_name(path)}")
