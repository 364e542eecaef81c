"""A run's model as a folder for transformers and timm: made, opened, compared, kept."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoImageProcessor, AutoModelForImageClassification
from transformers.utils import logging

from ferdata.core.errors import BuildError, ModelFileError, OptionError
from ferdata.core.files import TEMPORARY_SUFFIX, write_atomically
from ferdata.deployment.hf_config import REGISTRATION, model_config, processor_config, timm_name
from ferdata.deployment.parity import Comparison, Outputs, check_batches
from ferdata.deployment.results import FolderReport
from ferdata.deployment.source import ExportSource
from ferdata.evaluation.model_card import read_model_card
from ferdata.evaluation.model_card_text import model_card_text
from ferdata.models.classifier import Classifier
from ferdata.models.weights import pack_tensors

TOLERANCE = 1e-5
"""Largest absolute difference of two logits in float64."""

PIXEL_TOLERANCE = 1e-6
"""Largest difference of two normalized pixel values in float32, relative to values above 1."""


def export_folder(source: ExportSource, out: Path | None) -> FolderReport:
    """Write a run's model as a folder; see `ferdata.deployment.export`."""
    target = out or source.target("-hf")
    if target.exists() and not target.is_dir():
        raise OptionError(f"--out {target} is a file; name a folder")
    classifier = source.classifier
    architecture = timm_name(classifier)
    registered_by = REGISTRATION if architecture.startswith("fer_") else None
    files = folder_files(source, architecture, registered_by)
    partial = target.with_name(target.name + TEMPORARY_SUFFIX)
    try:
        _write(partial, files)
        comparison, pixels = compare_folder(partial, classifier)
        _write(target, files)
    except OSError as error:
        raise BuildError(f"{target}: can't be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    height, width = classifier.spec.input_size
    return FolderReport(
        architecture=architecture,
        registered_by=registered_by,
        pixel_difference=pixels,
        height=height,
        width=width,
        **source.report_fields(target, sum(map(len, files.values())), comparison),
    )


def folder_files(
    source: ExportSource, architecture: str, registered_by: str | None
) -> dict[str, bytes]:
    """Return the content of the folder's files by their names.

    Raises:
        RunError: The run is not finished, so that there is no card.
    """
    classifier = source.classifier
    card = read_model_card(source.folder)
    text = model_card_text(card, use=_use(registered_by), library="transformers")
    return {
        "README.md": text.encode(),
        "config.json": _json(model_config(classifier, architecture)),
        # transformers wants `format`, and reads nothing else
        "model.safetensors": pack_tensors(classifier.model.state_dict(), {"format": "pt"}),
        "preprocessor_config.json": _json(processor_config(classifier, architecture)),
    }


def compare_folder(folder: Path, classifier: Classifier) -> tuple[Comparison, float]:
    """Open a folder with transformers, and compare its processor and its model with ferdata's.

    Logits are computed in float64 from the same pixel values: in float32, each order of the same
    sums rounds otherwise, by up to 1e-4 in a deep network.

    Returns:
        The comparison of logits, and the largest difference of a normalized pixel value, relative
        to values above 1.

    Raises:
        ModelFileError: transformers can't open it, or its outputs differ.
    """
    processor, model = _open(folder, classifier.spec.model)
    model, exact = model.double(), copy.deepcopy(classifier.model).double()
    comparison, worst = Comparison(tolerance=TOLERANCE, relative=0), 0.0
    for images, _ in check_batches(classifier, *classifier.spec.input_size):
        pictures = [Image.fromarray(each.squeeze()) for each in images]
        with torch.inference_mode():
            values = classifier.prepare(torch.from_numpy(images))[0]
            off = (processor(pictures, return_tensors="pt").pixel_values - values).abs()
            worst = max(worst, float((off / values.abs().clamp(min=1)).max()))
            found, wanted = model(values.double()).logits, exact(values.double())
        comparison.add(_outputs(found), _outputs(wanted))
    if not worst <= PIXEL_TOLERANCE:
        raise ModelFileError(
            f"{classifier.spec.model}: transformers prepares images otherwise: pixel values differ "
            f"by {worst:.1e}, allowed are {PIXEL_TOLERANCE:.0e}. No file was kept. Try another "
            "version of transformers or timm."
        )
    comparison.require_equal(classifier.spec.model, "Try another version of transformers.")
    return comparison, worst


def _open(folder: Path, name: str) -> tuple[Any, Any]:
    """Return processor and model; no code of the folder runs, nothing is downloaded."""
    options = {"local_files_only": True, "trust_remote_code": False}
    with _quiet():
        try:
            processor = AutoImageProcessor.from_pretrained(folder, **options)
            model = AutoModelForImageClassification.from_pretrained(folder, **options)
        except (OSError, RuntimeError, ValueError, ImportError, TypeError) as error:
            raise ModelFileError(
                f"{name}: transformers can't open the exported folder "
                f"({' '.join(str(error).split())[:300]}). No file was kept. Export with --to onnx, "
                "or try another version of transformers."
            ) from error
    return processor, model.eval()


def _outputs(logits: Tensor) -> Outputs:
    return logits.numpy(), logits.softmax(dim=1).numpy()


def _use(registered_by: str | None) -> str:
    """Return the section of the card that says how the folder is opened."""
    first = f"import {registered_by}  # registers the model in timm\n" if registered_by else ""
    needs = "`ferdata[train]`, " if registered_by else ""
    return f"""\
## Use

With {needs}`transformers` and `timm`; `FOLDER` is the folder of this card, or its repository:

```python
{first}import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

processor = AutoImageProcessor.from_pretrained("FOLDER")
model = AutoModelForImageClassification.from_pretrained("FOLDER").eval()
with torch.no_grad():
    logits = model(**processor(Image.open("face.png"), return_tensors="pt")).logits
print(model.config.id2label[int(logits.argmax())])
```

`timm.create_model("local-dir:FOLDER", pretrained=True)` makes the same model. Both expect an image
that shows the face as the images of the build do; `ferdata predict` finds and aligns it. Images of
another size than the model's input are resized with values rounded to whole gray levels, which
ferdata does not do."""


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        with write_atomically(folder / name) as file:
            file.write(content)


def _json(value: Any) -> bytes:
    return f"{json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)}\n".encode()


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' progress bar and its hints."""
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
