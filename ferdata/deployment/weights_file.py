"""A run's model as a safetensors file: made, read back, compared, written."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors.torch

from ferdata.core.errors import OptionError
from ferdata.core.files import write_atomically
from ferdata.deployment.parity import Landmarks, Outputs, compare_with, outputs_of
from ferdata.deployment.results import WeightsReport
from ferdata.deployment.source import ExportSource
from ferdata.models.weights import SUFFIX, pack_weights


def export_weights(source: ExportSource, out: Path | None) -> WeightsReport:
    """Write a run's weights as safetensors; see `ferdata.deployment.export`."""
    target = out or source.target(SUFFIX)
    if target.suffix != SUFFIX:
        raise OptionError(f"--out {target}: the name of a safetensors file ends with {SUFFIX}")
    classifier, size = source.classifier, source.size
    content = pack_weights(classifier.model.state_dict(), classifier.spec, source.facts())
    read = copy.deepcopy(classifier)
    read.model.load_state_dict(safetensors.torch.load(content))

    def run(images: npt.NDArray[np.uint8], landmarks: Landmarks) -> Outputs:
        return outputs_of(read, images, landmarks)

    comparison = compare_with(run, classifier, size, size, exact=True)
    comparison.require_equal(classifier.spec.model, "Try another version of safetensors.")
    with write_atomically(target) as file:
        file.write(content)
    return WeightsReport(
        height=size, width=size, **source.report_fields(target, len(content), comparison)
    )
