"""The form in which images are given: the order of their axes and the type of their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch

from ferdata.core.errors import OptionError, UnknownNameError

if TYPE_CHECKING:
    from PIL import Image

Layout = Literal["hwc", "chw", "pil"]


@dataclass(frozen=True)
class ImageForm:
    """The form of images.

    Attributes:
        layout: Order of the axes, `"hwc"` as stored or `"chw"` as torchvision has it; or `"pil"`
            for `PIL.Image.Image`, of single images only.
        dtype: `torch.uint8`, or a floating type for values of 0–1, as of torchvision's
            `ToDtype(dtype, scale=True)`.

    Raises:
        OptionError: There is no such layout or type, or the two contradict each other.
    """

    layout: Layout = "hwc"
    dtype: torch.dtype = torch.uint8

    def __post_init__(self) -> None:
        if self.layout not in get_args(Layout):
            raise UnknownNameError("layout", str(self.layout), get_args(Layout))
        known = isinstance(self.dtype, torch.dtype)
        if not known or not (self.dtype == torch.uint8 or self.dtype.is_floating_point):
            raise OptionError(
                f"dtype is {self.dtype!r}; expected torch.uint8, or a floating type such as "
                "torch.float32 for values of 0–1"
            )
        if self.layout == "pil" and self.dtype != torch.uint8:
            raise OptionError(f"layout 'pil' has 8 bits a channel; leave out dtype={self.dtype}")

    def image(self, image: torch.Tensor) -> torch.Tensor | Image.Image:
        """Return one stored image, uint8 (H, W, C), in this form."""
        return _to_pil(image) if self.layout == "pil" else self.tensor(image)

    def tensor(self, images: torch.Tensor) -> torch.Tensor:
        """Return stored images, uint8 (…, H, W, C), as a contiguous tensor of this form."""
        if self.layout == "chw":
            images = images.movedim(-1, -3)
        if self.dtype == torch.uint8:
            return images.contiguous()
        return images.to(self.dtype, memory_format=torch.contiguous_format).div_(255)


def _to_pil(image: torch.Tensor) -> Image.Image:
    """Return a stored image, uint8 (H, W, C), as one of PIL: `RGB`, or `L` for one channel."""
    from PIL import Image  # noqa: PLC0415 - reading shards needs no PIL

    pixels = image.numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
