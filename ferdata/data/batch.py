"""A batch of tensors that a DataLoader's default collate function returns unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data._utils.collate import default_collate_fn_map


class Batch(dict[str, Any]):
    """A whole batch: field name to tensor (first dimension B) or to a list of B strings."""

    def to(self, device: torch.device | str | int, *, non_blocking: bool | None = None) -> Batch:
        """Return the batch with its tensors on a device.

        Args:
            device: The device.
            non_blocking: Don't wait for copies; by default only to a CUDA device, where it is safe
                for pinned memory and has no effect on other memory.
        """
        target = torch.device(device)
        no_wait = target.type == "cuda" if non_blocking is None else non_blocking
        return self._each(lambda tensor: tensor.to(target, non_blocking=no_wait))

    def pin_memory(self) -> Batch:
        """Return the batch with its tensors in page-locked memory; a DataLoader calls this."""
        return self._each(torch.Tensor.pin_memory)

    def _each(self, change: Any) -> Batch:
        return Batch(
            (field, change(value) if isinstance(value, torch.Tensor) else value)
            for field, value in self.items()
        )


def collate_batches(batches: Sequence[Batch], *, collate_fn_map: Any = None) -> Batch:  # noqa: ARG001 - the signature that default_collate calls
    """Return the only batch of the list, or several concatenated in order."""
    if len(batches) == 1:
        return batches[0]
    return Batch((field, _join([batch[field] for batch in batches])) for field in batches[0])


def _join(values: list[Any]) -> Any:
    if isinstance(values[0], torch.Tensor):
        return torch.cat(values)
    return [item for value in values for item in value]


# The documented way to extend `default_collate` (torch.utils.data.default_collate, option 2).
default_collate_fn_map[Batch] = collate_batches
