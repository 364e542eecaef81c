"""Files of weights: what ferdata writes it reads, what it did not write it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from safetensors import safe_open
from support.runs import make_classifier, write_run

from ferdata.core.errors import ModelFileError
from ferdata.models import create_model
from ferdata.models.checkpoint import load_classifier
from ferdata.models.classifier import Classifier
from ferdata.models.weights import pack_weights, read_weights


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return make_classifier()


@pytest.fixture
def file(classifier, tmp_path) -> Path:
    path = tmp_path / "fer.safetensors"
    path.write_bytes(pack_weights(classifier.model.state_dict(), classifier.spec, {"note": "é"}))
    return path


def test_a_classifier_is_read_as_it_was(classifier, file):
    read = load_classifier(file)
    assert read.spec == classifier.spec
    (images,) = classifier.example_inputs(3, 48, 48)
    with torch.no_grad():
        assert torch.equal(read(images), classifier(images))


def test_the_metadata_says_what_the_model_is(classifier, file):
    with safe_open(file, framework="pt") as opened:
        said = json.loads(opened.metadata()["ferdata"])
        assert set(opened.keys()) == set(classifier.model.state_dict())
    assert said["labels"] == list(classifier.spec.labels)
    assert said["note"] == "é"


def test_equal_weights_are_equal_bytes(classifier, file):
    weights = dict(reversed(classifier.model.state_dict().items()))
    again = {pack_weights(weights, classifier.spec, {"note": "é"}) for _ in range(8)}
    assert again == {file.read_bytes()}  # several keys of metadata would come in random order


def test_timm_and_create_model_take_it(classifier, file):
    for model in (
        timm.create_model("test_resnet", num_classes=7, checkpoint_path=str(file)),
        create_model("test_resnet", 7, checkpoint_path=file),
    ):
        assert torch.equal(model.fc.weight, classifier.model.fc.weight)


def test_create_model_takes_a_checkpoint_of_a_run(classifier, tmp_path):
    run = write_run(tmp_path / "run", classifier)
    model = create_model("test_resnet", 7, checkpoint_path=run / "checkpoints" / "best.ckpt")
    assert torch.equal(model.fc.weight, classifier.model.fc.weight)


def test_what_ferdata_did_not_write_is_refused(classifier, file, tmp_path):
    for content in (b"", b"no weights", file.read_bytes()[:2000]):
        (tmp_path / "damaged.safetensors").write_bytes(content)
        with pytest.raises(ModelFileError, match="not readable as a checkpoint"):
            read_weights(tmp_path / "damaged.safetensors")
    for number, metadata in enumerate((None, {"format": "pt"}, {"ferdata": "{}"})):
        path = tmp_path / f"{number}.safetensors"
        safetensors.torch.save_file({"a": torch.zeros(1)}, path, metadata)
        with pytest.raises(ModelFileError, match="not a checkpoint of ferdata"):
            read_weights(path)
    torch.save([1], tmp_path / "list.ckpt")
    with pytest.raises(ModelFileError, match="not a checkpoint of ferdata"):
        read_weights(tmp_path / "list.ckpt")
    with pytest.raises(ModelFileError, match="no such checkpoint"):
        read_weights(tmp_path / "none.safetensors")
