"""Options of a build: those that determine its bytes, and those that only affect how it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from ferdata.augmentation.target import parse_target
from ferdata.core.options import Listed, Metavar, Options, parsed_by, read_by, split_words
from ferdata.core.split_rules import parse_rules
from ferdata.formats.names import DEFAULT_FORMATS
from ferdata.formats.registry import FORMATS

_UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}


def parse_bytes(text: str | int) -> int:
    """Parse a size such as `256MB` or `1GiB`.

    Raises:
        ValueError: It is not a number with a known unit.
    """
    if isinstance(text, int):
        return text
    match = re.fullmatch(r"\s*(\d+)\s*([A-Za-z]*)\s*", text)
    if not match or match[2].upper() not in _UNITS:
        raise ValueError("expected a size, for instance 256MB or 1GiB")
    return int(match[1]) * _UNITS[match[2].upper()]


def _target_text(target: Any) -> Any:
    """Return a target that is a number or a mapping as command-line text."""
    if isinstance(target, Mapping):
        return ",".join(f"{name}={number}" for name, number in target.items())
    return str(target) if type(target) is int else target


def _check_landmarks(source: str) -> None:
    if source not in ("auto", "dataset", "none"):
        from ferdata.faces.options import check_landmarks  # noqa: PLC0415 - loads numpy

        check_landmarks(source)


def _full_operations(entries: Any) -> tuple[dict[str, Any], ...] | None:
    """Check a list of operations, and fill in the default ranges of each."""
    if entries is None:
        return None
    from ferdata.augmentation.operation_config import load_operations  # noqa: PLC0415 - loads cv2

    return tuple(operation.describe() for operation in load_operations(entries))


class BuildOptions(Options):
    """Options that determine the bytes of a build; all of them are part of the plan's hash."""

    sections: ClassVar[Mapping[str, str]] = {
        "recipe": "Recipe",
        "source": "Data",
        "split": "Split",
        "augment": "Augmentation",
        "landmarks": "Faces",
        "align": "Images",
        "formats": "Output",
    }

    without_flag: ClassVar[frozenset[str]] = frozenset({"choices", "augment_before_split"})

    recipe: Annotated[str | None, Metavar("NAME|FILE"), Listed("ferdata.recipes:recipe_names")] = (
        None
    )
    """Follow a paper's recipe: its name or a YAML file. Other options override it; see `ferdata
    recipes`."""

    leak_free: bool = False
    """Follow the recipe without its leaks: split before augmentation, keep groups in one split."""

    source: str | None = None
    """Which images to read of a dataset that ships several sets: aligned, original, …"""

    choices: dict[str, str] = {}
    """Which part or labels of a dataset to read, for instance `{poses: half}`; on the command line
    `--poses half`. `ferdata datasets NAME` lists the choices."""

    labels: Annotated[str | None, Metavar("PATCH")] = None
    """Correct labels by a patch, see `ferdata labels diff`."""

    duplicates: Literal["drop", "keep"] = "drop"
    """`drop` or `keep` train images that are also in validation or test."""

    near_duplicates: int | None = Field(None, ge=0, le=15)
    """Also treat images as duplicates if their 256-bit perceptual hashes differ in at most this
    many bits. [default: off; 12 in the mixes]"""

    blank: Literal["reject", "keep"] = "reject"
    """`reject` images of one gray level, or `keep` them; no other look excludes an image."""

    max_reject_rate: float = Field(0.05, ge=0, le=1)
    """Stop if more than this fraction of the rows is rejected."""

    seed: int = Field(0, ge=0, lt=2**63)
    """Random seed."""

    split: Annotated[
        str,
        parsed_by(parse_rules),
        Metavar("RULE"),
        Listed("ferdata.core.split_rules:rule_examples"),
    ] = "auto"
    """Split rule: `auto` (the official split, else the copy's own, else subject-independent),
    `official`, `native`, `file:FILE` (of `ferdata split export`, a table, lists or index arrays),
    `subject:8:1:1`, `subject-kfold:10:FOLD`, `loso:SUBJECT`, `stratified:8:1:1` (`@2`: the second
    draw), or NAME=RULE,… for a mix."""

    validation: float = Field(0.1, ge=0, lt=1)
    """Fraction of train to hold out for validation if the dataset ships none."""

    allow_group_leak: bool = False
    """Let a `stratified` split ignore subjects, sequences and duplicates. This leaks."""

    augment: Literal["none", "balance"] = "none"
    """`balance` adds augmented copies to the small classes of train."""

    balance_to: Annotated[
        str,
        BeforeValidator(_target_text),
        parsed_by(parse_target),
        Metavar("max|median|N|CLASS=N"),
    ] = "max"
    """Images per class: `max` or `median` of the classes, a number, or a number for each class,
    such as `fear=1000,anger=800`."""

    max_copies: int | None = Field(None, ge=1)
    """Maximum number of augmented copies per image. [default: no limit]"""

    operations: Annotated[
        tuple[dict[str, Any], ...] | None,
        read_by(_full_operations),
        Metavar("NAME|FILE"),
        Listed("ferdata.augmentation.operation_config:list_names"),
    ] = None
    """Augmentation operations: `default` (flip, brightness, blur, noise), `standard` (also small
    rotation, scale and shift), or a YAML file with a list. [default: default]"""

    draws: Literal["apart", "independent"] = "apart"
    """How copies of one image are drawn: `apart` from each other, or each by itself."""

    augment_before_split: bool = False
    """Augment all images, then split originals and copies alike. This leaks; it exists to
    reproduce papers that did so."""

    landmarks: Annotated[
        str,
        parsed_by(_check_landmarks),
        Metavar("auto|dataset|none|DETECTOR"),
        Listed("ferdata.faces.options:landmark_sources"),
    ] = "auto"
    """Source of landmarks; `auto` uses the dataset's own if they fit the images, else the default
    detector."""

    require_face: bool = False
    """Reject images in which no face is found."""

    blendshapes: bool = False
    """Store the detector's blendshape scores in the manifest."""

    align: Literal["auto", "none", "five"] = "auto"
    """`five` aligns faces by five points, `auto` does so for photographs and keeps face crops
    [default: auto; five in mixes, so that all sets' faces have one scale]."""

    size: int = Field(112, ge=16, le=1024)
    """Side of the square output images in pixels."""

    margin: float | None = Field(None, ge=-0.25, le=1)
    """Margin around an aligned face, as a fraction of the template's side; negative shows less
    [default: the largest up to 0 with which crops fill 95% of an average image]."""

    border: Literal["replicate", "reflect", "constant", "mean"] = "replicate"
    """What fills the output outside the source image: its edge repeated (`replicate`) or mirrored
    (`reflect`), black (`constant`), or its `mean` color."""

    equalize: bool = False
    """Equalize each image's luminance histogram, after alignment and before augmentation."""

    color: Literal["rgb", "gray"] = "rgb"
    """Color space of the output images."""

    formats: Annotated[
        tuple[Annotated[str, parsed_by(FORMATS.require)], ...],
        BeforeValidator(split_words),
        Metavar("FORMAT,…"),
        Listed("ferdata.formats.registry:FORMATS"),
    ] = Field(DEFAULT_FORMATS, min_length=1)
    """Formats to write: HDF5 shards (`hdf5`), a Hugging Face dataset (`hf`), or a plugin's."""

    encoding: Literal["raw", "jpeg", "png"] = "raw"
    """Encoding of the images in HDF5 shards; `raw` loads fastest."""

    shard_bytes: Annotated[int, BeforeValidator(parse_bytes), Metavar("SIZE")] = Field(
        256 * 10**6, ge=1
    )
    """Image bytes per shard, before compression. [default: 256MB]"""

    @model_validator(mode="after")
    def _consistent(self) -> BuildOptions:
        if self.leak_free and self.recipe is None:
            raise ValueError("--leak-free needs --recipe NAME; without a recipe, leave it out")
        leaks = {
            "--allow-group-leak": self.allow_group_leak,
            "--augment-before-split": self.augment_before_split,
        }
        for leak, asked in leaks.items():
            if self.leak_free and asked:
                raise ValueError(f"--leak-free and {leak} contradict each other; leave one out")
        if self.augments_first and self.duplicates == "drop":
            raise ValueError(
                "--duplicates drop has no effect if images are augmented before the split; use "
                "--duplicates keep, or --leak-free with a recipe"
            )
        return self

    @property
    def augments_first(self) -> bool:
        """Whether the rows are augmented before they are split."""
        return self.augment_before_split and self.augment != "none"

    @property
    def channels(self) -> int:
        """Channels of the output images."""
        return 1 if self.color == "gray" else 3

    @property
    def image_bytes(self) -> int:
        """Bytes of one output image, uncompressed."""
        return self.size * self.size * self.channels


class Execution(Options):
    """How a build runs; none of these options changes the result."""

    sections: ClassVar[Mapping[str, str]] = {"workers": "Execution"}

    workers: int = Field(1, ge=1)
    """Number of processes. [default: one per core; 1 in Python]"""

    executor: Literal["serial", "processes", "dask"] = "processes"
    """Where to run: in this process, in several processes, or on a local Dask cluster."""

    quiet: bool = False
    """Print only warnings: no progress, no summary."""

    overwrite: bool = False
    """Replace a build with other options in OUT."""

    report: bool = True
    """Write `report.html`, a page that shows the build, into OUT. [default: written]"""
