"""`ferdata predict`: a new image is prepared as the build did, classified, and annotated."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from support.runs import SIZE, make_classifier, run_build, write_run
from typer.testing import CliRunner

from ferdata.augmentation.operations.photometric import equalize_histogram
from ferdata.cli.app import app
from ferdata.core.errors import ModelFileError, OptionError, RunError
from ferdata.core.manifest import Manifest
from ferdata.deployment import Prediction, PredictOptions, predict
from ferdata.deployment.face_detection import five_points
from ferdata.deployment.images import read_upright
from ferdata.deployment.preparation import Preparation
from ferdata.faces.align import alignment_matrix, template, transform_points, warp
from ferdata.faces.detectors.mediapipe import MEDIAPIPE478, MediaPipeDetector
from ferdata.ingesters.demo import write_demo
from ferdata.models.checkpoint import load_classifier
from ferdata.runs.record import RunBuild
from ferdata.shards import BuildOptions, Execution, build_shards
from ferdata.shards.record import BuildRecord
from ferdata.synth import draw_face


@pytest.fixture(scope="module")
def photograph_build(detectable, tmp_path_factory):
    """Return a build of synthetic JAFFE, photographs aligned by MediaPipe's points; its data."""
    folder = tmp_path_factory.mktemp("jaffe")
    data = write_demo("jaffe", folder / "data", scale=0.1).root
    options = BuildOptions(
        landmarks="mediapipe", size=SIZE, margin=0.1, equalize=True, formats=("hdf5",),
        split="stratified:1:1:1", allow_group_leak=True,
    )  # fmt: skip
    build_shards("jaffe", data, folder / "build", options, Execution(executor="serial", quiet=True))
    return folder / "build", data


@pytest.fixture
def crop_file(tmp_path):
    """Return a drawn face crop of 64 pixels, as PNG."""
    path = tmp_path / "crop.png"
    cv2.imwrite(str(path), draw_face("fear", np.random.default_rng(5), 64).pixels[..., ::-1])
    return path


@pytest.fixture
def no_detector(tmp_path, monkeypatch):
    """Take the landmark model and the way to it from the machine."""
    monkeypatch.setenv("FERDATA_MODEL_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("FERDATA_CACHE_DIR", str(tmp_path / "empty"))

    def fail(*_, **__):
        raise ModelFileError("the landmark model can't be downloaded")

    monkeypatch.setattr("ferdata.faces.detectors.mediapipe.ModelFile.fetch", fail)


def stored_rows(root: Path):
    """Yield the source file, the image and the landmarks of each row of a build."""
    manifest = Manifest.load(root / "manifest.parquet")
    uris = dict(zip(manifest.column("sample_id"), manifest.column("uri"), strict=True))
    for shard in sorted((root / "hdf5").glob("*.h5")):
        with h5py.File(shard) as file:
            for row, name in enumerate(file["sample_id"].asstr()[:]):
                yield uris[name], file["image"][row], file["landmarks"][row]


def recorded(root: Path, framing: str = "photograph") -> RunBuild:
    record = BuildRecord.open(root)
    return RunBuild(
        path=str(root),
        framing={"framings": [framing]},
        **record.model_dump(include=set(RunBuild.model_fields) & set(BuildRecord.model_fields)),
    )


def predictions_of(run, *images, out=None, **options):
    return list(predict(run, images, PredictOptions(device="cpu", **options), out=out, quiet=True))


def test_a_photograph_is_prepared_to_the_pixels_that_the_build_stored(photograph_build, detectable):
    root, data = photograph_build
    preparation = Preparation.from_build(recorded(root))
    rows = list(stored_rows(root))
    assert len(rows) > 10
    with MediaPipeDetector(score=False) as detector:
        for uri, image, landmarks in rows:
            pixels = read_upright(data / uri)
            detection = detector.detect(pixels)
            height, width = pixels.shape[:2]
            matrix = preparation.matrix(five_points(detector, detection), width, height, crop=False)
            assert np.array_equal(preparation.render(pixels, matrix), image), uri
            assert np.array_equal(transform_points(detection.landmarks, matrix), landmarks), uri


@pytest.fixture(scope="module")
def crop_build(detectable, tmp_path_factory):
    """Return a build of synthetic FER2013, crops aligned by five points; its data.

    The template is fitted, and three images show no face.
    """
    folder = tmp_path_factory.mktemp("fer2013")
    data = write_demo("fer2013", folder / "data", layout="kaggle", scale=0.001).root
    for path in sorted(data.rglob("*.jpg"))[::12][:3]:
        noise = np.random.default_rng(len(path.name)).integers(60, 90, (48, 48))
        cv2.imwrite(str(path), noise.astype(np.uint8))
    options = BuildOptions(
        align="five", border="reflect", size=SIZE, formats=("hdf5",), duplicates="keep"
    )
    serial = Execution(executor="serial", quiet=True)
    build_shards("fer2013", data, folder / "build", options, serial)
    return folder / "build", data


def test_a_crop_is_prepared_to_the_pixels_that_the_build_stored(crop_build, detectable):
    root, data = crop_build
    preparation = Preparation.from_build(recorded(root, "crop"))
    assert preparation.alignment.shift != 0
    assert preparation.to_json()["border"] == "reflect"
    faceless = 0
    with MediaPipeDetector(score=False) as detector:
        for uri, image, _ in stored_rows(root):
            pixels = read_upright(next(data.rglob(uri)))
            five = five_points(detector, detector.detect(pixels))
            faceless += five is None
            matrix = preparation.matrix(five, *pixels.shape[1::-1], crop=True)
            assert np.array_equal(preparation.render(pixels, matrix), image), uri
    assert faceless == 3


def test_a_face_of_impossible_points_is_not_aligned_by(photographs, make_run, monkeypatch):
    monkeypatch.setattr(
        "ferdata.deployment.predictor.five_points", lambda *_: template(112)[[1, 0, 2, 4, 3]]
    )
    run = make_run()
    (photograph,) = predictions_of(run, photographs / "a.png")
    assert photograph.problem.startswith("the points of the face found can't be those of a face")
    (crop,) = predictions_of(run, photographs / "a.png", crops=True)
    assert crop.problem is None


def test_a_prediction_is_that_for_the_stored_row(photograph_build, make_run):
    root, data = photograph_build
    run = make_run(make_classifier(), recorded(root))
    classifier = load_classifier(run / "checkpoints" / "best.ckpt")
    rows = list(stored_rows(root))[:6]
    found = predictions_of(run, *(data / uri for uri, _, _ in rows))
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(np.stack([row[1] for row in rows]))).softmax(dim=1)
    for prediction, wanted in zip(found, expected.numpy(), strict=True):
        given = [prediction.probabilities[label] for label in classifier.spec.labels]
        assert given == pytest.approx(wanted, abs=2e-6)
        assert prediction.label == classifier.spec.labels[int(wanted.argmax())]
        assert list(prediction.probabilities.values()) == sorted(given, reverse=True)
        assert prediction.faces == 1
    assert np.ptp(expected.numpy(), axis=0).max() > 1e-3  # or all predictions would be the same


def test_a_photograph_for_a_model_of_crops_is_cut_as_the_crops_are():
    place = ((template(100) + 3) / 100).tolist()
    spec = run_build(size=80, framings=["crop"], place=place)
    preparation = Preparation.from_build(spec)
    assert preparation.placement(crop=False) == "place"
    assert preparation.placement(crop=True) == "none"
    angle = np.array([[0.8, -0.6], [0.6, 0.8]])
    points = (np.array(place) @ angle.T * 300 + (200, 90)).astype(np.float32)
    matrix = preparation.matrix(points, 640, 480, crop=False)
    wanted = np.array(place) * 80 - 0.5
    assert transform_points(points, matrix) == pytest.approx(wanted, abs=0.01)
    whole = preparation.matrix(points, 64, 64, crop=True)
    assert np.array_equal(whole, alignment_matrix("none", None, 64, 64, 80))


def test_a_guess_at_the_framing_is_said(photographs, detectable, tmp_path, caplog):
    guessing = write_run(tmp_path / "run", build=run_build(framings=["crop"]))
    predictions_of(guessing, photographs / "a.png")
    assert "without known landmarks: photographs are aligned" in caplog.text
    caplog.clear()
    predictions_of(guessing, photographs / "a.png", crops=True)
    assert not caplog.text


@pytest.mark.parametrize(
    ("align", "framings", "place", "ways"),
    [
        ("auto", ["photograph"], None, ("five", "none")),
        ("none", ["photograph"], None, ("none", "none")),
        ("five", ["crop"], [[0.5, 0.5]] * 5, ("five", "five")),
        ("auto", ["crop", "photograph"], [[0.5, 0.5]] * 5, ("five", "none")),
        ("auto", ["crop"], None, ("five", "none")),
        ("none", [], None, ("five", "none")),
    ],
)
def test_how_an_image_is_placed_follows_from_the_build(align, framings, place, ways):
    spec = run_build(align=align, framings=framings, place=place)
    preparation = Preparation.from_build(spec)
    assert (preparation.placement(crop=False), preparation.placement(crop=True)) == ways
    assert preparation.to_json()["photograph"] == ways[0]


def test_gray_and_equalized_images_come_out_as_a_build_makes_them():
    pixels = draw_face("anger", np.random.default_rng(1), 90).pixels
    matrix = alignment_matrix("none", None, 90, 90, SIZE)
    preparation = Preparation.from_build(run_build(channels=1, equalize=True))
    image = preparation.render(pixels, matrix)
    color = equalize_histogram(warp(pixels, matrix, SIZE))
    assert image.shape == (SIZE, SIZE, 1)
    assert np.array_equal(image[..., 0], cv2.cvtColor(color, cv2.COLOR_RGB2GRAY))


def test_a_folder_is_classified_in_order_with_a_reason_for_each_missing_prediction(
    detectable, run, photographs
):
    found = {Path(one.name).name: one for one in predictions_of(run, photographs)}
    assert list(found) == ["a.png", "broken.jpg", "noise.png", "two.png", "b.jpg"]
    assert found["a.png"].problem is None
    assert sum(found["a.png"].probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert found["broken.jpg"].problem == "JPEG is half-written: no end-of-image marker"
    assert found["broken.jpg"].faces is None
    assert found["noise.png"].problem.startswith("no face found; ")
    assert "--crops" in found["noise.png"].problem
    assert found["noise.png"].faces == 0
    assert found["noise.png"].label is None


def test_the_largest_of_several_faces_is_classified(detectable, run, photographs):
    alone, both = predictions_of(run, photographs / "a.png", photographs / "two.png")
    assert (both.faces, both.rule) == (2, "largest")
    assert both.box == pytest.approx(alone.box, abs=5)
    assert both.box[2] < 320  # the larger face stands at the left


def test_a_face_crop_is_used_as_it_is_and_needs_no_detector(no_detector, make_run, crop_file):
    run = make_run()
    (prediction,) = predictions_of(run, crop_file, crops=True)
    pixels = read_upright(crop_file)
    image = warp(pixels, alignment_matrix("none", None, 64, 64, SIZE), SIZE)
    classifier = load_classifier(run / "checkpoints" / "best.ckpt")
    with torch.inference_mode():
        shares = classifier(torch.from_numpy(image[None])).softmax(dim=1)[0]
    for label, share in zip(classifier.spec.labels, shares.tolist(), strict=True):
        assert prediction.probabilities[label] == pytest.approx(share, abs=2e-6)
    assert (prediction.faces, prediction.box, prediction.rule) == (None, None, None)


def test_a_photograph_without_a_detector_is_an_error_that_says_what_works(
    no_detector, run, photographs
):
    with pytest.raises(ModelFileError, match=r"can't be downloaded.*--crops"):
        predictions_of(run, photographs)


def test_aligned_crops_without_a_detector_are_classified_and_that_is_said(
    no_detector, make_run, crop_file, caplog
):
    (prediction,) = predictions_of(make_run(build=run_build(align="five")), crop_file, crops=True)
    assert prediction.problem is None
    assert "not aligned by their own points" in caplog.text


def test_a_landmark_prior_gets_the_points_of_the_prepared_image(detectable, make_run, photographs):
    classifier = make_classifier("lmfer", size=64, scheme="mediapipe478", landmark_prior=True)
    with torch.no_grad():  # emotion attention starts as the identity; here it is to count
        for name, parameter in classifier.named_parameters():
            if "emotion" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    spec = run_build(64)
    (prediction,) = predictions_of(make_run(classifier, spec), photographs / "a.png")
    preparation = Preparation.from_build(spec)
    pixels = read_upright(photographs / "a.png")
    with MediaPipeDetector(score=False) as detector:
        points = detector.detect(pixels).landmarks
    matrix = preparation.matrix(MEDIAPIPE478.to_five(points), *pixels.shape[1::-1], crop=False)
    image = torch.from_numpy(preparation.render(pixels, matrix)[None])
    moved = torch.from_numpy(transform_points(points, matrix)[None])
    with torch.inference_mode():
        shares = classifier(image, moved).softmax(dim=1)[0].numpy()
        without = classifier(image).softmax(dim=1)[0].numpy()
    given = [prediction.probabilities[label] for label in classifier.spec.labels]
    assert given == pytest.approx(shares, abs=2e-6)
    assert np.abs(without - shares).max() > 1e-4


def test_a_landmark_prior_that_cant_be_had_is_refused_or_said(detectable, make_run, photographs):
    run = make_run(make_classifier("lmfer", size=64, scheme="five", landmark_prior=True))
    with pytest.raises(OptionError, match="omit --landmarks none"):
        predictions_of(run, photographs, crops=True, landmarks="none")
    (prediction,) = predictions_of(run, photographs / "noise.png", crops=True)
    assert "lmfer needs its landmarks" in prediction.problem
    shutil.rmtree(run)
    run = make_run(make_classifier("lmfer", size=64, scheme="facepp37", landmark_prior=True))
    with pytest.raises(OptionError, match=r"'facepp37' \(37 points\).*--landmarks mediapipe"):
        predictions_of(run, photographs)


def test_annotated_images_and_a_table_are_written(detectable, run, photographs, tmp_path):
    out = tmp_path / "predictions"
    found = predictions_of(run, photographs, out=out, top=2)
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert names == ["a-predicted.png", "predictions.csv", "sub/b-predicted.png",
                     "two-predicted.png"]  # fmt: skip
    image = np.asarray(Image.open(out / "a-predicted.png"))
    assert image.shape[2] == 3
    assert image.shape[1] > 320  # there is a panel beside the image
    original = np.asarray(Image.open(photographs / "a.png"))
    changed = (image[: original.shape[0], :320] != original[: image.shape[0]]).any(axis=2)
    x1, _, x2, _ = found[0].box
    assert changed[:, round((x1 + x2) / 2)].any()
    assert not changed[:, : int(x1) - 6].any()
    with (out / "predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [one.name for one in found]
    assert float(rows[0][found[0].label]) == found[0].probability
    assert rows[1]["label"] == ""
    assert rows[1]["problem"] == found[1].problem
    again = predictions_of(run, photographs, out=out, top=2)
    assert again == found
    assert len(list(out.rglob("*.*"))) == len(names)


def test_no_image_is_ever_overwritten(run, crop_file, tmp_path):
    folder = crop_file.parent
    shutil.copy(crop_file, folder / "crop.jpg")  # OpenCV looks at the content
    shutil.copy(crop_file, folder / "crop-predicted.png")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    given = [folder / "crop.png", folder / "crop.jpg", folder / "crop-predicted.png"]
    found = predictions_of(run, *given, crops=True, out=folder)
    assert {path: path.read_bytes() for path in before} == before
    assert [Path(one.annotated).name for one in found] == [
        "crop-predicted-2.png", "crop-predicted-3.png", "crop-predicted-predicted.png",
    ]  # fmt: skip


def test_the_output_folder_is_not_classified(run, crop_file):
    with pytest.raises(OptionError, match=r"both the folder of images and --out"):
        predictions_of(run, crop_file.parent, crops=True, out=crop_file.parent / "." / "")
    assert list(crop_file.parent.glob("*-predicted.png")) == []


def test_the_table_never_overwrites_an_image(run, crop_file, tmp_path):
    image = shutil.copy(crop_file, tmp_path / "predictions.csv")  # any file may be given
    before = image.read_bytes()
    with pytest.raises(OptionError, match=r"predictions\.csv is given as an image"):
        predictions_of(run, image, crops=True, out=tmp_path)
    assert image.read_bytes() == before


def test_a_name_that_is_not_text_is_classified_and_recorded(run, crop_file, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    try:
        shutil.copy(crop_file, folder / os.fsdecode(b"caf\xe9.png"))
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    (prediction,) = predictions_of(run, folder, crops=True, out=tmp_path / "out")
    assert prediction.annotated == f"{tmp_path}/out/caf\ufffd-predicted.png"
    with (tmp_path / "out" / "predictions.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["image"], row["annotated"]) == (prediction.name, prediction.annotated)


def test_outputs_that_are_nan_are_refused(make_run, crop_file, tmp_path):
    classifier = make_classifier()
    with torch.no_grad():
        next(classifier.model.parameters()).fill_(torch.nan)
    with pytest.raises(ModelFileError, match="logits are NaN or infinite"):
        predictions_of(make_run(classifier), crop_file, crops=True, out=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_run_that_is_left_early_leaves_no_table(run, crop_file, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3):
        shutil.copy(crop_file, folder / f"{number}.png")
    options = PredictOptions(crops=True, device="cpu")
    found = predict(run, folder, options, out=tmp_path / "out", quiet=True)
    assert Path(next(found).name).name == "0.png"
    found.close()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0-predicted.png"]


def test_one_image_or_several_as_paths_arrays_and_pil_images(run, crop_file, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    pixels, image = read_upright(crop_file), Image.open(crop_file)
    (alone,) = predictions_of(str(run), crop_file, crops=True)
    mixed = [str(crop_file), pixels, image, f"~/{tmp_path.name}/crop.png"]  # the last is the first
    found = list(
        predict(run, mixed, PredictOptions(crops=True, device="cpu"), out=tmp_path / "out")
    )
    assert [one.name for one in found] == [str(crop_file), "image-0002", "image-0003"]
    assert [one.path for one in found] == [crop_file, None, None]
    assert all(one.probabilities == alone.probabilities for one in found)
    assert Path(found[1].annotated) == tmp_path / "out" / "image-0002-predicted.png"
    (only,) = predict(run, pixels, PredictOptions(crops=True))
    assert only.name == "image-0001"
    assert "path" not in only.model_dump()
    (gray,) = predict(run, pixels[..., 0], PredictOptions(crops=True))
    assert gray.problem is None
    assert gray.probabilities != alone.probabilities


def test_a_prediction_shows_itself_in_a_line():
    prediction = Prediction(
        name="a.jpg", label="fear", probability=0.613, probabilities={"fear": 0.613}, faces=2
    )
    assert repr(prediction) == (
        "Prediction('a.jpg': fear 61.3%; 2 faces found; the largest was classified)"
    )
    assert repr(Prediction(name="b.jpg", problem="file is missing")) == (
        "Prediction('b.jpg': no prediction, file is missing)"
    )


def test_the_package_is_light_and_wrong_paths_are_reported_before_torch_is_loaded(run, tmp_path):
    program = f"""
import sys
from ferdata.core.errors import FerdataError
from ferdata.deployment import ExportOptions, PredictOptions, export, predict
assert not {{"torch", "cv2", "onnx", "mediapipe"}} & set(sys.modules)
here, there = {str(run)!r}, {str(tmp_path / "none")!r}
for wrong in (
    lambda: predict(there, here), lambda: predict(here, there), lambda: predict(here, 5),
    lambda: export(there), lambda: export(here, here),
):
    try:
        wrong()
    except FerdataError:
        continue
    sys.exit("nothing is wrong")
assert not {{"torch", "onnx", "mediapipe"}} & set(sys.modules)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_damaged_runs_are_named(make_run, crop_file, tmp_path):
    with pytest.raises(RunError, match="no such folder"):
        predictions_of(tmp_path / "none", crop_file)
    run = make_run()
    with pytest.raises(OptionError, match="if the images are face crops"):
        predictions_of(run, crop_file, landmarks="none")
    with pytest.raises(ModelFileError, match=r"last\.ckpt: no such checkpoint"):
        predictions_of(run, crop_file, checkpoint="last")
    checkpoint = run / "checkpoints" / "best.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-4000])
    with pytest.raises(ModelFileError, match=r"best\.ckpt: not readable as a checkpoint"):
        predictions_of(run, crop_file, crops=True)
    record = json.loads((run / "run.json").read_text())
    del record["build"]["image"]
    (run / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"run\.json: damaged \(build\.image: "):
        predictions_of(run, crop_file)


def test_the_command_prints_predictions_and_exits_with_1_if_one_is_missing(
    run, crop_file, tmp_path
):
    words = ["predict", str(run), str(crop_file), "--crops", "--device", "cpu"]
    result = CliRunner().invoke(app, [*words, "--top", "2"])
    assert result.exit_code == 0, result.output
    name, *words_of_classes = result.stdout.split()
    assert name == str(crop_file)
    assert len(words_of_classes) == 4
    assert words_of_classes[1].endswith("%")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no")
    result = CliRunner().invoke(app, [*words, str(broken), "--json"])
    assert result.exit_code == 1
    first, second = json.loads(result.stdout)
    assert first["probability"] == max(first["probabilities"].values())
    assert second["problem"] == "not an image, or broken beyond decoding"


def test_a_name_can_not_control_the_terminal(run, crop_file, tmp_path):
    names = ["\x1b[2Jgone.png", "two\nlines.png"]
    for name in names:
        shutil.copy(crop_file, tmp_path / name)
    (tmp_path / names[1]).write_bytes(b"no")
    words = ["predict", str(run), *(str(tmp_path / name) for name in names)]
    result = CliRunner().invoke(app, [*words, "--crops", "--device", "cpu", "--quiet"])
    first, second = result.stdout.splitlines()
    assert first.startswith(f"{tmp_path}/\\x1b[2Jgone.png  ")
    assert second.startswith(f"{tmp_path}/two\\nlines.png  no prediction: ")
