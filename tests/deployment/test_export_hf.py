"""`ferdata export --to hf` and `--to safetensors`: what other programs make of a run."""

from __future__ import annotations

import copy
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from support.runs import make_classifier
from torch import nn
from typer.testing import CliRunner

from ferdata.cli.app import app
from ferdata.core.errors import MissingExtraError, ModelFileError, OptionError, RunError
from ferdata.core.files import read_json, write_json
from ferdata.core.labels import BASIC7
from ferdata.deployment import ExportOptions, export
from ferdata.deployment.parity import check_batches
from ferdata.models.checkpoint import load_classifier
from ferdata.models.classifier import Classifier
from ferdata.models.weights import read_weights
from ferdata.runs.folder import RunFolder

transformers = pytest.importorskip("transformers")

RESULTS: dict[str, Any] = {
    "parameters": 1234, "epochs": 2, "best_epoch": 2, "select": "best", "history": [],
    "seconds": 1.0,
}  # fmt: skip
FILES = ["README.md", "config.json", "model.safetensors", "preprocessor_config.json"]
HF, WEIGHTS = ExportOptions(to="hf"), ExportOptions(to="safetensors")


def finish(run: Path) -> Path:
    write_json(run / "run.json", {**read_json(run / "run.json"), "results": RESULTS})
    return run


@pytest.fixture
def finished(make_run: Callable[..., Path]) -> Callable[..., Path]:
    """Return a function that writes a finished run."""
    return lambda *given, **options: finish(make_run(*given, **options))


def logits_of(folder: str, images: np.ndarray) -> torch.Tensor:
    """Return what a user of transformers gets for images."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageClassification.from_pretrained(
        folder, trust_remote_code=False
    ).eval()
    with torch.no_grad():
        pictures = [Image.fromarray(image.squeeze()) for image in images]
        return model(**processor(pictures, return_tensors="pt")).logits


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("test_resnet", {}),
        ("test_vit", {"img_size": 48}),
        ("lmfer", {"layout": "full"}),
        ("efficientvit_m5", {"img_size": 48}),
    ],
)
def test_transformers_has_the_same_logits_as_ferdata(name, options, finished):
    run = finished(make_classifier(name, **options))
    report = export(run, options=HF)
    assert report.file == str(run / "export" / "best-hf")
    assert sorted(path.name for path in Path(report.file).iterdir()) == FILES
    assert sorted(path.name for path in (run / "export").iterdir()) == ["best-hf"]
    assert report.largest_difference <= 1e-9 < report.tolerance == 1e-5
    assert report.pixel_difference <= 1e-6
    ours = name in ("lmfer", "efficientvit_m5")
    assert report.architecture == (f"fer_{name}" if ours else name)
    assert report.registered_by == ("ferdata.models.timm_entries" if ours else None)
    classifier = load_classifier(run / "checkpoints" / "best.ckpt")
    images = np.concatenate([images for images, _ in check_batches(classifier, 48, 48)])[:4]
    with torch.no_grad():
        expected = classifier(torch.from_numpy(images))
        found = logits_of(report.file, images)
        mine = timm.create_model(f"local-dir:{report.file}", pretrained=True).eval()
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(
            mine(classifier.prepare(torch.from_numpy(images))[0]), expected, atol=1e-4, rtol=1e-5
        )
    assert expected.std(dim=0).max() > 0.1  # or the comparison would say nothing


def test_labels_size_and_normalization_are_in_the_configuration(finished):
    report = export(finished(), options=HF)
    config = transformers.AutoConfig.from_pretrained(report.file)
    assert config.id2label == dict(enumerate(BASIC7.names))
    assert config.label2id["happiness"] == BASIC7.names.index("happiness")
    processor = transformers.AutoImageProcessor.from_pretrained(report.file)
    square = np.full((30, 60, 3), 255, np.uint8)
    values = processor(Image.fromarray(square), return_tensors="pt").pixel_values
    assert values.shape == (1, 3, 48, 48)
    assert torch.allclose(values, torch.tensor((1 - 0.4) / 0.25))
    saved = json.loads((Path(report.file) / "preprocessor_config.json").read_text())
    assert saved["pretrained_cfg"]["mean"] == pytest.approx([0.4] * 3)


def test_gray_models_take_gray_images(finished):
    from support.runs import run_build

    run = finished(make_classifier(channels=1), run_build(channels=1))
    report = export(run, options=HF)
    classifier = load_classifier(run / "checkpoints" / "best.ckpt")
    images, _ = next(check_batches(classifier, 48, 48))
    with torch.no_grad():
        expected = classifier(torch.from_numpy(images))
    torch.testing.assert_close(logits_of(report.file, images), expected, atol=1e-4, rtol=1e-5)


def test_the_card_says_how_the_folder_is_opened(finished, capsys):
    report = export(finished(make_classifier("i_mobilenetv2")), options=HF)
    text = (Path(report.file) / "README.md").read_text()
    assert "library_name: transformers" in text
    code = text.partition("```python\n")[2].partition("```")[0]
    assert code.startswith("import ferdata.models.timm_entries")
    face = Path(report.file).parent / "face.png"
    Image.new("RGB", (48, 48), "gray").save(face)
    script = face.with_name("use.py")
    script.write_text(code.replace("FOLDER", report.file).replace("face.png", str(face)))
    runpy.run_path(str(script))
    assert capsys.readouterr().out.strip() in BASIC7.names


def test_the_same_run_gives_the_same_bytes(finished, tmp_path):
    run = finished()
    first, second = (
        export(run, tmp_path / name, options=HF) for name in ("first", "second")
    )  # fmt: skip
    for name in FILES:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert first.model_copy(update={"file": second.file}) == second


def test_a_folder_with_other_logits_is_not_kept(finished, monkeypatch, tmp_path):
    from ferdata.deployment import hf_folder

    config, weights = hf_folder.model_config, hf_folder.pack_tensors
    run = finished()

    def shifted(state: dict[str, Any], said: dict[str, str]) -> bytes:
        return weights({**state, "fc.bias": state["fc.bias"] + 2e-5}, said)

    monkeypatch.setattr(hf_folder, "pack_tensors", shifted)
    with pytest.raises(ModelFileError, match=r"from torch's by up to 2\.00e-05.*No file was kept"):
        export(run, tmp_path / "hf", HF)
    monkeypatch.setattr(hf_folder, "pack_tensors", weights)
    wrong = {**config(load_classifier(RunFolder(run).checkpoint("best")), "test_resnet")}
    wrong["pretrained_cfg"]["mean"] = [0.5] * 3
    monkeypatch.setattr(hf_folder, "model_config", lambda *_: wrong)
    with pytest.raises(ModelFileError, match=r"pixel values differ by .*No file was kept"):
        export(run, tmp_path / "hf", HF)
    monkeypatch.setattr(hf_folder, "model_config", lambda *_: wrong | {"architecture": "resnet1"})
    with pytest.raises(ModelFileError, match=r"transformers can't open.*--to onnx"):
        export(run, tmp_path / "hf", HF)
    assert not list(tmp_path.glob("hf*"))
    assert not (run / "export").exists()


class Plugin(nn.Module):
    """A model that nobody knows."""


def test_what_transformers_can_not_make_is_refused_with_what_to_do(finished, make_run, tmp_path):
    prior = {"scheme": "mediapipe478", "landmark_prior": True}
    with pytest.raises(ModelFileError, match=r"lmfer takes landmarks.*--to onnx.*--to safetensors"):
        export(finished(make_classifier("lmfer", **prior)), options=HF)
    from ferdata.deployment.hf_config import timm_name

    spec = make_classifier().spec.model_copy(update={"model": "mine"})
    with pytest.raises(ModelFileError, match=r"mine is a plugin's model.*--to onnx"):
        timm_name(Classifier(Plugin(), spec))


def test_places_and_runs_that_do_not_fit_are_refused(run, finished, tmp_path, monkeypatch):
    with pytest.raises(RunError, match="not finished"):
        export(run, tmp_path / "hf", HF)
    assert not list(tmp_path.glob("hf*"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="is a file; name a folder"):
        export(run, tmp_path / "file", HF)
    with pytest.raises(OptionError, match=r"ends with \.safetensors"):
        export(run, tmp_path / "fer.pth", WEIGHTS)
    with pytest.raises(OptionError, match=r"is a folder; name a file, such as .*fer\.safetensors"):
        export(run, tmp_path, WEIGHTS)
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.delitem(sys.modules, "ferdata.deployment.hf_folder", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'ferdata\[transformers\]'"):
        export(run, tmp_path / "hf", HF)


def test_safetensors_say_how_an_image_is_prepared_and_load_everywhere(run, tmp_path):
    target = tmp_path / "fer.safetensors"
    report = export(run, target, WEIGHTS)
    assert report.largest_difference == report.tolerance == 0
    spec, weights = read_weights(target)
    other_spec, other = read_weights(run / "checkpoints" / "best.ckpt")
    assert spec == other_spec
    assert all(torch.equal(weights[name], tensor) for name, tensor in other.items())
    content = target.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    said = json.loads(header["__metadata__"]["ferdata"])
    assert said["preparation"]["photograph"] == "five"
    assert said["checkpoint"] == "best"
    assert str(run.parent) not in json.dumps(said)
    export(run, target, WEIGHTS)
    assert target.read_bytes() == content


def test_a_file_with_other_weights_is_not_kept(run, tmp_path, monkeypatch):
    from ferdata.deployment import weights_file

    real = weights_file.pack_weights

    def damaged(state: dict[str, Any], *given: Any) -> bytes:
        state = copy.copy(state)
        state["fc.bias"] = state["fc.bias"] + 1e-5
        return real(state, *given)

    monkeypatch.setattr(weights_file, "pack_weights", damaged)
    with pytest.raises(ModelFileError, match="No file was kept"):
        export(run, tmp_path / "fer.safetensors", WEIGHTS)
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_was_written_and_how_it_is_opened(finished, capfd):
    run = finished()
    app(["export", str(run), "--to", "hf"], standalone_mode=False)
    output, messages = capfd.readouterr()
    assert messages == ""
    assert "open with     transformers.AutoModelForImageClassification.from_pretrained(" in output
    assert "(allowed 1e-05" in output
    result = CliRunner().invoke(app, ["export", str(run), "--to", "safetensors", "--json"])
    report = json.loads(result.stdout)
    assert report["target"] == "safetensors"
    assert Path(report["file"]).name == "best.safetensors"
