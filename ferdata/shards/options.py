"""What a build is told: options that decide bytes, and options that only decide how it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ferdata.augmentation.operation_config import load_operations
from ferdata.augmentation.target import parse_target
from ferdata.core.errors import FerdataError, OptionError
from ferdata.core.split_rules import parse_rules

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
    """Read a size such as `256MB` or `1GiB`.

    Raises:
        ValueError: It is not a number with one of the known units.
    """
    if isinstance(text, int):
        return text
    match = re.fullmatch(r"\s*(\d+)\s*([A-Za-z]*)\s*", text)
    if not match or match[2].upper() not in _UNITS:
        raise ValueError(f"{text!r} is not a size; write for instance 256MB or 1GiB")
    return int(match[1]) * _UNITS[match[2].upper()]


def _checked_by(parse: Callable[[str], object]) -> Callable[[str], str]:
    """Check a text when the options are made, hours before the stage that reads it."""

    def check(text: str) -> str:
        try:
            parse(text)
        except FerdataError as error:
            raise ValueError(str(error)) from error
        return text

    return check


def _target_text(target: Any) -> Any:
    """Write a target that is a number or a mapping as on the command line."""
    if isinstance(target, Mapping):
        return ",".join(f"{name}={number}" for name, number in target.items())
    return str(target) if type(target) is int else target


def _described(entries: Any) -> tuple[dict[str, Any], ...] | None:
    """Check a list of operations, and write out every range of each."""
    if entries is None:
        return None
    try:
        return tuple(operation.describe() for operation in load_operations(entries))
    except FerdataError as error:
        raise ValueError(str(error)) from error


class BuildOptions(BaseModel):
    """Options that decide the bytes of a build; all of them are part of the plan's hash.

    Attributes:
        recipe: A paper's recipe, by name or as the path of a YAML file: where an option is not
            given, the recipe's counts. In a finished build's record: the recipe's name.
        leak_free: Split before augmentation and keep groups together, whatever the paper did.
        source: Which of a dataset's image sets to take, where it ships several.
        landmarks: `auto` (the dataset's own where they fit, else MediaPipe), `dataset`,
            `mediapipe` or `none`.
        require_face: Reject images in which no face was found.
        blendshapes: Store MediaPipe's 52 blendshape scores in the manifest.
        choices: What is read of a dataset that leaves a choice, for instance `{"poses": "half"}`.
        duplicates: `drop` the train copy of an image that is also in another split, or `keep` it.
        near_duplicates: Treat pictures whose perceptual hashes differ by at most this many of 256
            bits as one picture, too; None for equal pixels only.
        split: The split rule, for instance `official` or `stratified:8:1:1`, or one for each
            dataset; `auto` is the authors' where they give one, else by subject.
        allow_group_leak: Draw the rows of `stratified` rules one by one, so that images of one
            person, one sequence or one picture end up in several splits.
        validation: Share of train that becomes validation where the dataset has none.
        augment: `none`, or `balance` to raise small classes of train with augmented copies.
        balance_to: `max`, `median`, a number, or class=number pairs.
        max_copies: At most this many copies of one image.
        operations: What the copies are made with, as a list, or as the path of a YAML file with
            one; see `ferdata.augmentation.operation_config`. None for the default operations.
        augment_before_split: Augment all images, then split originals and copies alike. This
            leaks; it is here for recipes of papers that did so.
        align: `auto` (align photographs, leave face crops as they are), `none` or `five`.
        size: Side of the square output images, pixels.
        margin: Room around an aligned face, as a share of the template's side.
        equalize: Equalize the histogram of each image's luminance, after alignment and before
            augmentation.
        color: `rgb` or `gray`.
        encoding: How HDF5 shards hold images: `raw`, `jpeg` or `png`.
        formats: What to write: `hdf5`, `hf`.
        shard_bytes: Image bytes of one shard, before compression.
        max_reject_rate: Share of rows that may be rejected before the build is stopped.
        seed: Seed of every random draw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str | None = None
    leak_free: bool = False
    source: str | None = None
    choices: dict[str, str] = {}
    landmarks: Literal["auto", "dataset", "mediapipe", "none"] = "auto"
    require_face: bool = False
    blendshapes: bool = False
    duplicates: Literal["drop", "keep"] = "drop"
    near_duplicates: int | None = Field(None, ge=0, le=15)
    split: Annotated[str, AfterValidator(_checked_by(parse_rules))] = "auto"
    allow_group_leak: bool = False
    validation: float = Field(0.1, ge=0, lt=1)
    augment: Literal["none", "balance"] = "none"
    balance_to: Annotated[
        str, BeforeValidator(_target_text), AfterValidator(_checked_by(parse_target))
    ] = "max"
    max_copies: int | None = Field(None, ge=1)
    operations: Annotated[tuple[dict[str, Any], ...] | None, BeforeValidator(_described)] = None
    augment_before_split: bool = False
    align: Literal["auto", "none", "five"] = "auto"
    size: int = Field(112, ge=16, le=1024)
    margin: float = Field(0.0, ge=0, le=1)
    equalize: bool = False
    color: Literal["rgb", "gray"] = "rgb"
    encoding: Literal["raw", "jpeg", "png"] = "raw"
    formats: tuple[Literal["hdf5", "hf"], ...] = Field(("hdf5", "hf"), min_length=1)
    shard_bytes: Annotated[int, BeforeValidator(parse_bytes)] = Field(256 * 10**6, ge=1)
    max_reject_rate: float = Field(0.05, ge=0, le=1)
    seed: int = Field(0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _consistent(self) -> BuildOptions:
        if self.leak_free and self.recipe is None:
            raise ValueError(
                "--leak-free puts right what leaks in a recipe: give --recipe NAME, or leave it out"
            )
        leaks = {
            "--allow-group-leak": self.allow_group_leak,
            "augment_before_split": self.augment_before_split,  # not on the command line
        }
        for leak, asked in leaks.items():
            if self.leak_free and asked:
                raise ValueError(f"--leak-free and {leak} contradict each other; leave one out")
        if self.augments_first and self.duplicates == "drop":
            raise ValueError(
                "--duplicates drop: what is augmented before the split is in several splits "
                "anyway; use --duplicates keep, or --leak-free with a recipe"
            )
        return self

    @property
    def augments_first(self) -> bool:
        """Whether there are augmented copies when the rows are split."""
        return self.augment_before_split and self.augment != "none"

    @property
    def channels(self) -> int:
        """Channels of the output images."""
        return 1 if self.color == "gray" else 3

    @property
    def image_bytes(self) -> int:
        """Bytes of one output image, uncompressed."""
        return self.size * self.size * self.channels


class Execution(BaseModel):
    """How a build runs; none of this changes a byte of the result.

    Attributes:
        workers: Number of processes.
        executor: `serial`, `processes` or `dask`.
        quiet: Show no progress.
        overwrite: Replace a build of other options that is in the way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int = Field(1, ge=1)
    executor: Literal["serial", "processes", "dask"] = "processes"
    quiet: bool = False
    overwrite: bool = False


def make_options(model: type[BaseModel], values: dict[str, Any]) -> Any:
    """Check option values and return the options object.

    Raises:
        OptionError: With the option's name as on the command line, and what was expected.
    """
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:  # of several options that contradict each other
            raise OptionError(first["msg"].removeprefix("Value error, ")) from None
        name = "--" + str(first["loc"][0]).replace("_", "-")
        raise OptionError(f"{name} {first['input']}: {first['msg']}") from None
