"""The cost of a classifier: weights, arithmetic, time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
import torch
from pydantic import BaseModel
from torch.utils.flop_counter import FlopCounterMode

from ferdata.core.errors import OptionError
from ferdata.core.progress import progress_bar
from ferdata.evaluation.columns import Column
from ferdata.models.classifier import Classifier

BATCH_SIZES = (1, 64)
"""A single image, and a batch as in training."""

REPEATS = 20
WARM_UP = 3
"""Passes before the clock starts: they choose kernels and fill caches."""

_FLOAT32_BYTES = 4


class Complexity(BaseModel):
    """Size and arithmetic of a classifier.

    Attributes:
        parameters: Number of parameters, trainable or not.
        megabytes: Size of parameters and buffers (such as running means of norms) in a file of
            float32 weights, in MB = 10⁶ bytes.
        macs: Multiply-adds for one image, see `measure_complexity`.
        flops: Twice as many: a multiplication and an addition each.
        input_size: `(height, width)` of that image, pixels.
    """

    parameters: Annotated[int, Column("parameters", ",d")]
    megabytes: Annotated[float, Column("MB", ".2f", csv="megabytes_float32")]
    macs: Annotated[int, Column("MACs (M)", ",.1f", scale=1e-6)]
    flops: Annotated[int, Column("FLOPs (M)", ",.1f", scale=1e-6)]
    input_size: tuple[int, int]


class Speed(BaseModel):
    """Time of forward passes, from uint8 images on the device to logits on it.

    Attributes:
        device: Name of the processor.
        threads: CPU threads that torch uses.
        batch_size: Images per pass.
        image_size: `(height, width)` of the images, before they are resized to the model's input.
        repeats: Number of timed passes.
        p50: Median time of a pass, milliseconds.
        p90: 90th percentile.
        p95: 95th percentile.
        images_per_second: Images of all timed passes by their total time.
    """

    device: str
    threads: int
    batch_size: int
    image_size: tuple[int, int]
    repeats: int
    p50: Annotated[float, Column("p50 ms", ".2f", csv="p50_ms")]
    p90: Annotated[float, Column("p90 ms", ".2f", csv="p90_ms")]
    p95: Annotated[float, Column("p95 ms", ".2f", csv="p95_ms")]
    images_per_second: Annotated[float, Column("images/s", ",.0f")]


@torch.inference_mode()
def measure_complexity(classifier: Classifier) -> Complexity:
    """Count a classifier's weights, and its arithmetic for one image at the model's input size.

    Multiply-adds are those of convolutions, matrix products and attention, counted by torch's
    `FlopCounterMode` as they are called, 2 FLOPs each. As in the papers' counts, biases, norms,
    activations, pooling and the preparation of the image do not count.

    Args:
        classifier: The classifier; it is put in evaluation mode.
    """
    classifier.eval()
    inputs = _inputs(classifier, 1, classifier.spec.input_size)
    with FlopCounterMode(display=False) as counter:
        classifier(*inputs)
    flops = int(counter.get_total_flops())
    # by identity, so that a weight shared by two layers counts once
    weights = {id(value): value for value in classifier.model.state_dict(keep_vars=True).values()}
    return Complexity(
        parameters=sum(parameter.numel() for parameter in classifier.model.parameters()),
        megabytes=sum(_stored_bytes(value) for value in weights.values()) / 1e6,
        macs=flops // 2,
        flops=flops,
        input_size=classifier.spec.input_size,
    )


def measure_speed(
    classifier: Classifier,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    *,
    image_size: tuple[int, int] | None = None,
    repeats: int = REPEATS,
    warm_up: int = WARM_UP,
    quiet: bool = True,
) -> list[Speed]:
    """Time a classifier on its present device, on random images.

    Args:
        classifier: The classifier; it is put in evaluation mode.
        batch_sizes: Images per pass.
        image_size: `(height, width)` of the images; default: the model's input.
        repeats: Passes to time for each batch size.
        warm_up: Passes before them.
        quiet: Show no progress.

    Raises:
        OptionError: A number is less than 1.
    """
    if repeats < 1 or min(batch_sizes, default=0) < 1:
        raise OptionError(f"repeats {repeats}, batch sizes {list(batch_sizes)}: at least 1 each.")
    classifier.eval()
    size = image_size or classifier.spec.input_size
    total = len(batch_sizes) * (warm_up + repeats)
    with progress_bar("timing", total, unit="pass", quiet=quiet) as bar:
        return [
            _speed(classifier, batch_size, size, repeats, warm_up, bar.update)
            for batch_size in batch_sizes
        ]


def _speed(
    classifier: Classifier,
    batch_size: int,
    size: tuple[int, int],
    repeats: int,
    warm_up: int,
    advance: Callable[[], object],
) -> Speed:
    device = _device(classifier)
    inputs = _inputs(classifier, batch_size, size)
    seconds = []
    with torch.inference_mode():
        for _ in range(warm_up + repeats):
            _wait_for(device)
            started = time.perf_counter()
            classifier(*inputs)
            _wait_for(device)
            seconds.append(time.perf_counter() - started)
            advance()
    timed = np.array(seconds[warm_up:])
    p50, p90, p95 = np.percentile(timed * 1000, [50, 90, 95]).tolist()
    return Speed(
        device=_device_name(device),
        threads=torch.get_num_threads(),
        batch_size=batch_size,
        image_size=size,
        repeats=repeats,
        p50=p50,
        p90=p90,
        p95=p95,
        images_per_second=batch_size * repeats / float(timed.sum()),
    )


def _inputs(
    classifier: Classifier, batch_size: int, size: tuple[int, int]
) -> tuple[torch.Tensor, ...]:
    """Return example inputs on the classifier's device."""
    device = _device(classifier)
    return tuple(each.to(device) for each in classifier.example_inputs(batch_size, *size))


def _stored_bytes(value: torch.Tensor) -> int:
    """Return the bytes of a tensor in a file of float32 weights; counters keep their type."""
    return value.numel() * (_FLOAT32_BYTES if value.is_floating_point() else value.itemsize)


def _wait_for(device: torch.device) -> None:
    """Wait until a device has finished its work; calls to it return earlier."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _device(classifier: Classifier) -> torch.device:
    return next(classifier.parameters()).device


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
