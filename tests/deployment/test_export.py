"""`ferdata export`: an ONNX file whose outputs equal torch's, or no file."""

from __future__ import annotations

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from support.runs import SIZE, make_classifier, run_build
from torch import nn
from torch.nn import functional
from typer.testing import CliRunner

from ferdata.cli.app import app
from ferdata.core.errors import MissingExtraError, ModelFileError, OptionError, RunError
from ferdata.core.labels import BASIC7
from ferdata.deployment import ExportOptions, export
from ferdata.deployment.graph import LinearPreprocess, resize_matrix, to_onnx
from ferdata.deployment.onnx_model import checked_onnx
from ferdata.deployment.parity import Comparison, check_batches
from ferdata.models.classifier import Classifier
from ferdata.models.inputs.preprocess import Preprocess

OPSET = ExportOptions().opset


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """Return the run's ONNX file and its report."""
    report = export(run, tmp_path_factory.mktemp("onnx") / "fer.onnx")
    return onnx.load(report.file), report


def outputs_of(content, **inputs):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["logits", "probability"], inputs)


def faces_of(classifier, size):
    """Return the first five images of the check, which are drawn faces."""
    return np.concatenate([images for images, _ in check_batches(classifier, size, size)])[:5]


@pytest.mark.parametrize(
    ("name", "size", "options"),
    [
        ("i_mobilenetv2", 48, {}),
        ("efficientvit_m5", 64, {"img_size": 64}),
        ("ctan", 64, {"rfb": True}),
        ("a_mobilenet", 48, {}),
    ],
)
def test_every_papers_model_has_the_same_outputs_in_onnx_and_torch(name, size, options):
    classifier = make_classifier(name, size=size, **options)
    content, comparison = checked_onnx(classifier, size, {}, OPSET)
    assert comparison.equal
    assert comparison.images >= 16
    images = faces_of(classifier, size)
    logits, probability = outputs_of(content, image=images)
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(images)).numpy()
    assert np.abs(logits - expected).max() <= 1e-4
    assert np.ptp(expected, axis=0).max() > 0.1  # or the comparison would say nothing
    assert probability.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_lmfers_landmark_prior_becomes_a_second_input():
    classifier = make_classifier("lmfer", size=64, scheme="mediapipe478", landmark_prior=True)
    with torch.no_grad():  # emotion attention starts as the identity; here it is to count
        for name, parameter in classifier.named_parameters():
            if "emotion" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    content, comparison = checked_onnx(classifier, 64, {}, OPSET)
    assert comparison.equal
    inputs = onnx.load_from_string(content).graph.input
    assert [part.name for part in inputs] == ["image", "landmarks"]
    dims = [dim.dim_value or dim.dim_param for dim in inputs[1].type.tensor_type.shape.dim]
    assert dims == ["batch", 478, 2]
    images, points = faces_of(classifier, 64), np.full((5, 478, 2), 20, np.float32)
    here, _ = outputs_of(content, image=images, landmarks=points)
    there, _ = outputs_of(content, image=images, landmarks=points + 20)
    unknown, _ = outputs_of(content, image=images, landmarks=points * np.nan)
    assert np.abs(here - there).max() > 1e-4
    assert np.isfinite(unknown).all()


class Watcher(nn.Module):
    """A model that uses the prior only."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 7)

    def forward(self, images, prior):
        return self.head(prior.mean(dim=(2, 3))) + images.mean(dim=(1, 2, 3))[:, None]


def test_a_prior_without_brows_leaves_the_batch_free():
    spec = make_classifier().spec.model_copy(update={"landmark_scheme": "five"})
    content, comparison = checked_onnx(Classifier(Watcher(), spec).eval(), SIZE, {}, OPSET)
    assert comparison.equal
    shape = onnx.load_from_string(content).graph.input[1].type.tensor_type.shape
    assert [dim.dim_value or dim.dim_param for dim in shape.dim] == ["batch", 5, 2]


@pytest.mark.parametrize(("length", "target"), [(100, 48), (48, 100), (64, 64), (112, 96)])
def test_the_resize_matrix_is_torchs_antialiased_resize(length, target):
    rows = torch.rand(1, 1, length, 7) * 255
    expected = functional.interpolate(
        rows, (target, 7), mode="bilinear", align_corners=False, antialias=True
    )
    assert torch.allclose(resize_matrix(length, target) @ rows[0, 0], expected[0, 0], atol=1e-4)


def test_preprocessing_in_the_graph_equals_preprocessing_in_training():
    spec = make_classifier().spec.model_copy(
        update={"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.4), "input_size": (40, 56)}
    )
    preprocess = Preprocess(spec.mean, spec.std, spec.input_size)
    images = torch.randint(0, 256, (3, 64, 48, 3), dtype=torch.uint8)
    found = LinearPreprocess(spec, 64, 48)(images)
    assert torch.allclose(found, preprocess(images), atol=1e-5)


@pytest.mark.parametrize(("stored", "channels"), [(72, 3), (32, 1)])
def test_images_of_another_size_are_resized_inside_the_graph(stored, channels, make_run, tmp_path):
    classifier = make_classifier(channels=channels)
    report = export(make_run(classifier, run_build(stored, channels)), tmp_path / "fer.onnx")
    assert (report.height, report.width, report.channels) == (stored, stored, channels)
    images, _ = next(check_batches(classifier, stored, stored))
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(images)).numpy()
    logits, _ = outputs_of((tmp_path / "fer.onnx").read_bytes(), image=images)
    assert np.abs(logits - expected).max() <= 1e-4


def test_the_batch_is_free_and_the_image_is_not(exported):
    model, _ = exported
    (image,) = model.graph.input
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    dims = [dim.dim_value or dim.dim_param for dim in image.type.tensor_type.shape.dim]
    assert dims == ["batch", SIZE, SIZE, 3]
    outputs = [
        [dim.dim_value or dim.dim_param for dim in part.type.tensor_type.shape.dim]
        for part in model.graph.output
    ]
    assert outputs == [["batch", 7], ["batch", 7]]


def test_the_file_says_what_it_is(exported):
    model, report = exported
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(said["labels"]) == list(BASIC7.names)
    assert said["label_space"] == "basic7"
    assert said["model"] == "test_resnet"
    assert json.loads(said["mean"]) == [0.4] * 3
    assert json.loads(said["std"]) == [0.25] * 3
    assert json.loads(said["input_size"]) == [SIZE, SIZE]
    assert json.loads(said["build"]) == {"name": "drawn", "plan_sha256": "a" * 64}
    assert json.loads(said["preparation"])["photograph"] == "five"
    assert "aligned by its five points" in said["preparation_note"]
    assert said["checkpoint"] == "best"
    assert {"ferdata_version", "model_options", "checkpoint_sha256", "normalization"} <= set(said)
    assert report.opset == OPSET == model.opset_import[0].version


def test_the_file_names_no_source_file_and_no_path(exported, run):
    content = exported[0].SerializeToString()
    for trace in (b".py", b"site-packages", str(run.parent).encode(), b"stack_trace"):
        assert trace not in content


def test_the_same_run_gives_the_same_bytes(exported, run, tmp_path):
    report = export(run, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == exported[0].SerializeToString(
        deterministic=True
    )
    assert report.model_copy(update={"file": exported[1].file}) == exported[1]


def test_a_file_with_different_outputs_is_not_kept(run, tmp_path, monkeypatch):
    def damaged(*arguments):
        model = to_onnx(*arguments)
        for weights in model.graph.initializer:
            if list(weights.dims) == [7]:  # the biases of the classes
                values = onnx.numpy_helper.to_array(weights) + np.float32(5e-4)
                weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
        return model

    monkeypatch.setattr("ferdata.deployment.onnx_model.to_onnx", damaged)
    target = tmp_path / "fer.onnx"
    with pytest.raises(
        ModelFileError, match=r"from torch's by up to [45]\...e-04.*No file was kept"
    ):
        export(run, target)
    assert not list(tmp_path.iterdir())


def test_a_file_for_one_batch_size_only_is_not_kept(run, tmp_path, monkeypatch):
    def fixed(*arguments):
        model = to_onnx(*arguments)
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
        return model

    monkeypatch.setattr("ferdata.deployment.onnx_model.to_onnx", fixed)
    with pytest.raises(ModelFileError, match=r"can't run the exported model.*no file was kept"):
        export(run, tmp_path / "fer.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("logit", "off", "equal"),
    [(5, 9e-5, True), (5, 1.1e-4, False), (100, 9e-4, True), (100, 1.1e-3, False),
     (5, np.nan, False)],
)  # fmt: skip
def test_logits_are_equal_to_four_digits_or_to_float32s_own(logit, off, equal):
    comparison = Comparison()
    wanted = np.array([[logit, 0]], np.float32)
    found = np.array([[logit, off]], np.float32)
    probabilities = np.array([[0.9, 0.1]], np.float32)
    comparison.add((found, probabilities), (wanted, probabilities))
    assert comparison.equal is equal


class Undecided(nn.Module):
    """A model with data-dependent control flow, which no graph can follow."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 7)

    def forward(self, x):
        means = x.mean(dim=(2, 3))
        return self.head(means) if float(means.sum()) > 0 else self.head(-means)


def test_a_model_that_torch_cant_export_is_named():
    spec = make_classifier().spec.model_copy(update={"model": "undecided"})
    with pytest.raises(ModelFileError, match=r"undecided can't be exported by torch"):
        checked_onnx(Classifier(Undecided(), spec).eval(), SIZE, {}, OPSET)


def test_the_command_prints_the_difference_and_nothing_from_the_exporter(run, tmp_path, capfd):
    target = tmp_path / "new" / "fer.onnx"
    app(["export", str(run), "--to", "onnx", "--out", str(target)], standalone_mode=False)
    output, messages = capfd.readouterr()
    assert messages == ""
    assert "22 images, largest difference" in output
    assert "(allowed 1e-04; largest logit " in output
    assert len(output.splitlines()) == 5
    assert target.is_file()


def test_the_command_prints_json(run, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "ferdata.deployment.onnx_model.checked_onnx",
        lambda *_: (b"onnx", Comparison(22, 3e-7, 2.5)),
    )
    target = tmp_path / "fer.onnx"
    result = CliRunner().invoke(
        app, ["export", str(run), "--out", str(target), "--opset", "18", "--json"]
    )
    report = json.loads(result.stdout)
    assert report["largest_difference"] == 3e-7
    assert report["opset"] == 18
    assert report["labels"] == list(BASIC7.names)
    assert target.read_bytes() == b"onnx"


def test_what_cant_be_exported_is_refused(run, make_run, tmp_path):
    with pytest.raises(RunError, match=r"not a training run"):
        export(tmp_path)
    with pytest.raises(OptionError, match="is a folder"):
        export(str(run), str(tmp_path))
    with pytest.raises(ModelFileError, match="no such checkpoint"):
        export(run, options=ExportOptions(checkpoint="last"))
    result = CliRunner().invoke(app, ["export", str(run), "--opset", "24"])
    assert "--opset 24: must be at most 23" in str(result.exception)
    with pytest.raises(ValueError, match="Input should be 'onnx', 'hf' or 'safetensors'"):
        ExportOptions(to="torchscript")
    broken = make_run()
    checkpoint = broken / "checkpoints" / "best.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    with pytest.raises(ModelFileError, match="not readable as a checkpoint"):
        export(broken)
    assert not (broken / "export").exists()


def test_without_the_extra_the_message_names_it(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ferdata\[onnx\]'"):
        export(run)
