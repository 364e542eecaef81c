"""A batch of tensors."""

from __future__ import annotations

from typing import Any

import torch


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
