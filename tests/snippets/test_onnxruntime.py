from __future__ import annotations

from pathlib import Path

import pytest

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("torch")


@pytest.fixture(scope="module")
def model(workspace: Path) -> Path:
    """Return fer.onnx, exported from a run on 32×32 images."""
    from support.runs import make_classifier, run_build, write_run

    import ferdata

    run = write_run(workspace / "runs/onnx", make_classifier(size=32), run_build(32))
    ferdata.export(run, out=workspace / "fer.onnx")
    return workspace / "fer.onnx"


def test_one_image_and_the_names_of_the_classes(model) -> None:
    """Classify one image without torch and ferdata; the file knows the names of its classes."""
    import json

    import numpy as np

    session = onnxruntime.InferenceSession("fer.onnx", providers=["CPUExecutionProvider"])
    labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])
    image = np.full((32, 32, 3), 128, np.uint8)
    logits, probability = session.run(None, {"image": image[None]})

    assert len(labels) == 7
    assert labels[int(probability.argmax())] == labels[int(logits.argmax())]
    assert logits.shape == probability.shape == (1, 7)
    assert probability.sum() == pytest.approx(1, abs=1e-5)


def test_a_whole_split_in_batches(model) -> None:
    """Score the test split of a build with ONNX Runtime."""
    import numpy as np

    import ferdata

    session = onnxruntime.InferenceSession("fer.onnx", providers=["CPUExecutionProvider"])
    right = total = 0
    for batch in ferdata.open("out/rafdb").loader("test", batch_size=16):
        images, labels = batch["image"].numpy(), batch["label"].numpy()
        logits = session.run(["logits"], {"image": images})[0]
        right += int((logits.argmax(axis=1) == labels).sum())
        total += len(labels)

    assert total == len(ferdata.open("out/rafdb").dataset("test"))
    assert 0 <= right <= total
    assert np.isfinite(logits).all()


def test_what_the_model_wants_to_be_given(model) -> None:
    """Ask a file how an image has to be prepared, before it is deployed."""
    import json

    session = onnxruntime.InferenceSession("fer.onnx", providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    image = json.loads(said["image"])

    assert (image["height"], image["width"], image["color"]) == (32, 32, "RGB")
    assert session.get_inputs()[0].type == "tensor(uint8)"
    assert "aligned by its five points" in said["preparation_note"]
