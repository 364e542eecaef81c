"""The device to compute on."""

from __future__ import annotations

import torch

from ferdata.core.errors import OptionError, UnknownNameError


def torch_device(device: str) -> torch.device:
    """Return the device that an option means.

    Args:
        device: `"auto"` (a GPU if there is one), `"cpu"` or `"gpu"`.

    Raises:
        UnknownNameError: It is none of these.
        OptionError: `device` is `"gpu"` and torch sees none.
    """
    if device not in ("auto", "cpu", "gpu"):
        raise UnknownNameError("device", device, ("auto", "cpu", "gpu"))
    if device == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if device == "gpu":
        raise OptionError(
            f"--device gpu: torch {torch.__version__} sees no GPU; "
            "use --device cpu, or install the torch build for this machine's driver."
        )
    return torch.device("cpu")
