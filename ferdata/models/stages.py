"""A model as a list of stages: feature maps, gradient checkpointing, groups of parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ferdata.core.errors import OptionError
from ferdata.models.base import ExpressionModel

Indices = int | Sequence[int] | None
"""Stages by their index, from the end if negative; a number for the last ones; None for all."""


class Stage(NamedTuple):
    """A part of a model whose output is one level of its feature pyramid.

    Attributes:
        modules: Names of its modules in the order of computation.
        channels: Channels of its output.
        reduction: Side of the image divided by the side of its output.
    """

    modules: tuple[str, ...]
    channels: int
    reduction: int


def backbone_stages(
    stem: Sequence[str], stages: str, levels: Sequence[Mapping[str, Any]]
) -> list[Stage]:
    """Return the stages of a timm model that is part of another.

    Args:
        stem: Names of the modules before its stages; they count to the first stage.
        stages: Name of the module with its stages.
        levels: Its `feature_info`.
    """
    names: list[tuple[str, ...]] = [(f"{stages}.{number}",) for number in range(len(levels))]
    names[0] = (*stem, *names[0])
    return [
        Stage(modules, level["num_chs"], level["reduction"])
        for modules, level in zip(names, levels, strict=True)
    ]


class StagedModel(ExpressionModel):
    """The stages of a model and what follows the last of them, with the methods that timm expects.

    Attributes:
        levels: Number of stages.
        tail: Names of the modules between the last stage and pooling.
        stages_info: The stages; the constructor of a subclass sets them.
        num_features: Channels of the last map, likewise.
        grad_checkpointing: See `set_grad_checkpointing`.
    """

    levels: ClassVar[int] = 5
    tail: ClassVar[tuple[str, ...]] = ()
    stages_info: Sequence[Stage]
    num_features: int
    grad_checkpointing: bool = False

    @property
    def feature_info(self) -> list[dict[str, Any]]:
        """The stages as timm describes them."""
        return [
            {"num_chs": stage.channels, "reduction": stage.reduction, "module": stage.modules[-1]}
            for stage in self.stages_info
        ]

    def run_stage(self, index: int, x: Tensor, prior: Tensor | None) -> Tensor:  # noqa: ARG002 - few models use it
        """Return the output of one stage, whose input is the image or the output before it."""
        for name in self.stages_info[index].modules:
            x = self.get_submodule(name)(x)
        return x

    def run_tail(self, x: Tensor) -> Tensor:
        """Return the last map, made of the last stage's output."""
        for name in self.tail:
            x = self.get_submodule(name)(x)
        return x

    def forward_features(self, images: Tensor, prior: Tensor | None = None) -> Tensor:
        """Return the last map, shape (B, `num_features`, h, w), before pooling."""
        x = images
        for x in self._outputs(images, prior):  # noqa: B007 - the last one counts
            pass
        return self.run_tail(x)

    def forward_intermediates(
        self,
        x: Tensor,
        prior: Tensor | None = None,
        *,
        indices: Indices = None,
        norm: bool = False,  # noqa: ARG002 - no norm follows a stage
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> list[Tensor] | tuple[Tensor, list[Tensor]]:
        """Return the outputs of stages, behind the last map unless they alone are asked for.

        Args:
            x: float32, shape (B, C, H, W), normalized.
            prior: See `embed`.
            indices: The stages.
            norm: Has no effect.
            output_fmt: `"NCHW"` only.
            intermediates_only: Return a list of the stages' outputs.

        Raises:
            OptionError: There is no such stage, or another `output_fmt` is asked for.
        """
        if output_fmt != "NCHW":
            raise OptionError(f"output_fmt={output_fmt!r}: the maps of this model are NCHW")
        taken = self._take(indices)
        outputs = list(self._outputs(x, prior))
        chosen = [output for at, output in enumerate(outputs) if at in taken]
        return chosen if intermediates_only else (self.run_tail(outputs[-1]), chosen)

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Compute the stages again in the backward pass instead of keeping what is inside them.

        As in timm, the running means of batch norms see each batch twice then.
        """
        self.grad_checkpointing = enable

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Return patterns of the names of parameters, in groups from the input to the output.

        The classifier, and a norm before it, match no pattern and are the last group by that.

        Args:
            coarse: One group for each stage, instead of one for each block.
        """
        groups = [stage.modules for stage in self.stages_info]
        if self.tail:
            groups.append(self.tail)
        if not coarse:
            names = [name for group in groups for name in group]
            groups = [(block,) for name in names for block in self._blocks(name)]
        first, *others = map(_pattern, groups)
        return {"stem": first, "blocks": [(each, (at,)) for at, each in enumerate(others)]}

    def drop_stages(self, indices: Indices) -> list[int]:
        """Remove all stages behind the last of some, and the tail; return those as indices."""
        taken = self._take(indices)
        kept, dropped = self.stages_info[: taken[-1] + 1], self.stages_info[taken[-1] + 1 :]
        for name in (*(name for stage in dropped for name in stage.modules), *self.tail):
            parent, _, child = name.rpartition(".")
            setattr(self.get_submodule(parent), child, nn.Identity())
        self.stages_info, self.num_features = kept, kept[-1].channels
        return taken

    def _outputs(self, x: Tensor, prior: Tensor | None) -> Iterator[Tensor]:
        """Yield the output of each stage."""
        for index in range(len(self.stages_info)):
            if self.grad_checkpointing and torch.is_grad_enabled():
                x = checkpoint(self.run_stage, index, x, prior, use_reentrant=False)
            else:
                x = self.run_stage(index, x, prior)
            yield x

    def _take(self, indices: Indices) -> list[int]:
        """Return stages as ascending indices from the first."""
        all_stages = range(len(self.stages_info))
        if indices is None:
            return list(all_stages)
        if isinstance(indices, int):
            indices = range(-indices, 0)
        try:
            taken = sorted({all_stages[index] for index in indices})
        except IndexError as error:
            raise OptionError(
                f"stages {list(indices)}: the model has {len(all_stages)}, 0 to {all_stages[-1]}"
            ) from error
        if not taken:
            raise OptionError("no stage is asked for; give at least one index")
        return taken

    def _blocks(self, name: str) -> Iterator[str]:
        """Yield the names of the blocks in a module; its own name if it has none."""
        module = self.get_submodule(name)
        if not (isinstance(module, nn.Sequential) or hasattr(module, "blocks")):
            yield name
            return
        for child, part in module.named_children():
            if child == "blocks":
                yield from (f"{name}.{child}.{block}" for block, _ in part.named_children())
            else:
                yield f"{name}.{child}"


def _pattern(names: Sequence[str]) -> str:
    return rf"^(?:{'|'.join(map(re.escape, names))})\."
