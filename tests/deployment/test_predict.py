"""`ferdata predict`: a new picture is prepared as the build did, answered, and drawn on."""

from __future__ import annotations

import csv
import json
import os
import shutil
import warnings
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from support.runs import SIZE, build_facts, make_classifier, write_run
from typer.testing import CliRunner

from ferdata.augmentation.histogram import equalize_histogram
from ferdata.cli.app import app
from ferdata.core.errors import ImageError, ModelFileError, OptionError, UnknownNameError
from ferdata.core.files import read_json
from ferdata.core.manifest import Manifest
from ferdata.deployment import predict
from ferdata.deployment.face_finder import five_points
from ferdata.deployment.image_files import Picture, find_pictures, read_upright
from ferdata.deployment.output import OutputFolder
from ferdata.deployment.preparation import Preparation
from ferdata.faces.align import alignment_matrix, template, transform_points, warp
from ferdata.faces.detectors.mediapipe import FaceDetector
from ferdata.faces.schemes import MEDIAPIPE478
from ferdata.ingesters.demo import write_demo
from ferdata.models.checkpoint import load_classifier
from ferdata.shards import BuildOptions, Execution, build
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
    build("jaffe", data, folder / "build", options, Execution(executor="serial", quiet=True))
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

    monkeypatch.setattr("ferdata.deployment.face_finder.fetch_model", fail)


def stored_rows(root: Path):
    """Yield the source file, the image and the landmarks of each row of a build."""
    manifest = Manifest.load(root / "manifest.parquet")
    uris = dict(zip(manifest.column("sample_id"), manifest.column("uri"), strict=True))
    for shard in sorted((root / "hdf5").glob("*.h5")):
        with h5py.File(shard) as file:
            for row, name in enumerate(file["sample_id"].asstr()[:]):
                yield uris[name], file["image"][row], file["landmarks"][row]


def facts_of(root: Path):
    record = read_json(root / "build.json")
    return {**record, "framing": {"framings": ["photograph"], "five_points": None}}


def answers(run, *images, **options):
    options = {"device": "cpu", "quiet": True} | options
    return list(predict(run, list(images), **options))


def test_a_photograph_is_prepared_to_the_pixels_that_the_build_stored(photograph_build, detectable):
    root, data = photograph_build
    preparation = Preparation.from_build(facts_of(root))
    rows = list(stored_rows(root))
    assert len(rows) > 10
    with FaceDetector(detectable, score=False) as detector:
        for uri, image, landmarks in rows:
            pixels = read_upright(data / uri)
            detection = detector.detect(pixels)
            height, width = pixels.shape[:2]
            matrix = preparation.matrix(five_points(detection), width, height, crop=False)
            assert np.array_equal(preparation.render(pixels, matrix), image), uri
            assert np.array_equal(transform_points(detection.landmarks, matrix), landmarks), uri


def test_an_answer_is_the_models_answer_to_the_stored_row(photograph_build, make_run):
    root, data = photograph_build
    run = make_run(make_classifier(), facts_of(root))
    classifier = load_classifier(run / "checkpoints" / "best.ckpt")
    rows = list(stored_rows(root))[:6]
    found = answers(run, *(data / uri for uri, _, _ in rows))
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(np.stack([row[1] for row in rows]))).softmax(dim=1)
    for prediction, shares in zip(found, expected.numpy(), strict=True):
        given = [prediction.probabilities[label] for label in classifier.spec.labels]
        assert given == pytest.approx(shares, abs=2e-6)
        assert prediction.label == classifier.spec.labels[int(shares.argmax())]
        assert list(prediction.probabilities.values()) == sorted(given, reverse=True)
        assert prediction.faces == 1
    assert np.ptp(expected.numpy(), axis=0).max() > 1e-3  # or all answers were one


def test_a_photograph_for_a_model_of_crops_is_cut_as_the_crops_are():
    place = ((template(100) + 3) / 100).tolist()
    spec = build_facts(size=80) | {"framing": {"framings": ["crop"], "five_points": place}}
    preparation = Preparation.from_build(spec)
    assert preparation.way(crop=False) == "place"
    assert preparation.way(crop=True) == "none"
    angle = np.array([[0.8, -0.6], [0.6, 0.8]])
    points = (np.array(place) @ angle.T * 300 + (200, 90)).astype(np.float32)
    matrix = preparation.matrix(points, 640, 480, crop=False)
    wanted = np.array(place) * 80 - 0.5
    assert transform_points(points, matrix) == pytest.approx(wanted, abs=0.01)
    whole = preparation.matrix(points, 64, 64, crop=True)
    assert np.array_equal(whole, alignment_matrix("none", None, 64, 64, 80))


def test_a_guess_at_the_framing_is_said(photographs, detectable, tmp_path, caplog):
    framing = {"framings": ["crop"], "five_points": None}
    guessing = write_run(tmp_path / "run", build=build_facts() | {"framing": framing})
    list(predict(guessing, [photographs / "a.png"], device="cpu", quiet=True))
    assert "landmarks are not known: photographs are aligned" in caplog.text
    caplog.clear()
    list(predict(guessing, [photographs / "a.png"], crops=True, device="cpu", quiet=True))
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
def test_how_a_picture_is_framed_follows_from_the_build(align, framings, place, ways):
    spec = build_facts(align=align) | {"framing": {"framings": framings, "five_points": place}}
    preparation = Preparation.from_build(spec)
    assert (preparation.way(crop=False), preparation.way(crop=True)) == ways
    assert preparation.to_json()["photograph"] == ways[0]


def test_gray_and_equalized_images_come_out_as_a_build_makes_them():
    pixels = draw_face("anger", np.random.default_rng(1), 90).pixels
    matrix = alignment_matrix("none", None, 90, 90, SIZE)
    preparation = Preparation.from_build(build_facts(channels=1, equalize=True))
    image = preparation.render(pixels, matrix)
    color = equalize_histogram(warp(pixels, matrix, SIZE))
    assert image.shape == (SIZE, SIZE, 1)
    assert np.array_equal(image[..., 0], cv2.cvtColor(color, cv2.COLOR_RGB2GRAY))


def test_a_folder_is_answered_by_name_with_a_reason_where_there_is_no_answer(
    detectable, run, photographs
):
    found = {Path(one.image).name: one for one in answers(run, photographs)}
    assert list(found) == ["a.png", "broken.jpg", "noise.png", "two.png", "b.jpg"]
    assert found["a.png"].problem is None
    assert sum(found["a.png"].probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert found["broken.jpg"].problem == "not an image, or broken beyond decoding"
    assert found["broken.jpg"].faces is None
    assert found["noise.png"].problem.startswith("no face found; ")
    assert "--crops" in found["noise.png"].problem
    assert found["noise.png"].faces == 0
    assert found["noise.png"].label is None


def test_of_several_faces_the_largest_is_answered(detectable, run, photographs):
    alone, both = answers(run, photographs / "a.png", photographs / "two.png")
    assert (both.faces, both.rule) == (2, "largest")
    assert both.box == pytest.approx(alone.box, abs=5)
    assert both.box[2] < 320  # the larger face stands at the left


def test_a_face_crop_is_used_as_it_is_and_needs_no_detector(no_detector, make_run, crop_file):
    run = make_run()
    (prediction,) = answers(run, crop_file, crops=True)
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
        answers(run, photographs)


def test_aligned_crops_without_a_detector_are_scaled_and_that_is_said(
    no_detector, make_run, crop_file, caplog
):
    (prediction,) = answers(make_run(build=build_facts(align="five")), crop_file, crops=True)
    assert prediction.problem is None
    assert "not aligned, only scaled" in caplog.text


def test_a_landmark_prior_gets_the_points_of_the_prepared_image(detectable, make_run, photographs):
    classifier = make_classifier("lmfer", size=64, scheme="mediapipe478", landmark_prior=True)
    with torch.no_grad():  # emotion attention starts as the identity; here it is to count
        for name, parameter in classifier.named_parameters():
            if "emotion" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    spec = build_facts(64)
    (prediction,) = answers(make_run(classifier, spec), photographs / "a.png")
    preparation = Preparation.from_build(spec)
    pixels = read_upright(photographs / "a.png")
    with FaceDetector(detectable, score=False) as detector:
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
    with pytest.raises(OptionError, match="leave out --landmarks none"):
        answers(run, photographs, crops=True, landmarks="none")
    (prediction,) = answers(run, photographs / "noise.png", crops=True)
    assert "lmfer takes its landmarks" in prediction.problem
    shutil.rmtree(run)
    run = make_run(make_classifier("lmfer", size=64, scheme="facepp37", landmark_prior=True))
    with pytest.raises(OptionError, match=r"'facepp37' \(37 points\).*--landmarks mediapipe"):
        answers(run, photographs)


def test_annotated_pictures_and_a_table_are_written(detectable, run, photographs, tmp_path):
    out = tmp_path / "answers"
    found = answers(run, photographs, out=out, top=2)
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert names == ["a-predicted.png", "predictions.csv", "sub/b-predicted.png",
                     "two-predicted.png"]  # fmt: skip
    picture = np.asarray(Image.open(out / "a-predicted.png"))
    assert picture.shape[2] == 3
    assert picture.shape[1] > 320  # a panel stands beside the picture
    original = np.asarray(Image.open(photographs / "a.png"))
    changed = (picture[: original.shape[0], :320] != original[: picture.shape[0]]).any(axis=2)
    x1, _, x2, _ = found[0].box
    assert changed[:, round((x1 + x2) / 2)].any()
    assert not changed[:, : int(x1) - 6].any()
    with (out / "predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [one.image for one in found]
    assert float(rows[0][found[0].label]) == found[0].probability
    assert rows[1]["label"] == ""
    assert rows[1]["problem"] == found[1].problem
    again = answers(run, photographs, out=out, top=2)
    assert again == found
    assert len(list(out.rglob("*.*"))) == len(names)


def test_no_picture_is_ever_written_over(run, crop_file, tmp_path):
    folder = crop_file.parent
    shutil.copy(crop_file, folder / "crop.jpg")  # OpenCV looks at the content
    shutil.copy(crop_file, folder / "crop-predicted.png")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    given = [folder / "crop.png", folder / "crop.jpg", folder / "crop-predicted.png"]
    found = answers(run, *given, crops=True, out=folder)
    assert {path: path.read_bytes() for path in before} == before
    assert [Path(one.annotated).name for one in found] == [
        "crop-predicted-2.png", "crop-predicted-3.png", "crop-predicted-predicted.png",
    ]  # fmt: skip


def test_the_folder_of_the_answers_is_not_answered(run, crop_file):
    with pytest.raises(OptionError, match=r"folder of the answers, too.*--out"):
        answers(run, crop_file.parent, crops=True, out=crop_file.parent / "." / "")
    assert list(crop_file.parent.glob("*-predicted.png")) == []


def test_the_table_never_takes_the_place_of_a_picture(run, crop_file, tmp_path):
    picture = shutil.copy(crop_file, tmp_path / "predictions.csv")  # any file may be given
    before = picture.read_bytes()
    with pytest.raises(OptionError, match=r"predictions\.csv is given as a picture"):
        answers(run, picture, crops=True, out=tmp_path)
    assert picture.read_bytes() == before


def test_a_name_that_is_no_text_is_answered_and_written_down(run, crop_file, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    try:
        shutil.copy(crop_file, folder / os.fsdecode(b"caf\xe9.png"))
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    (prediction,) = answers(run, folder, crops=True, out=tmp_path / "out")
    assert prediction.annotated == f"{tmp_path}/out/caf\ufffd-predicted.png"
    with (tmp_path / "out" / "predictions.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["image"], row["annotated"]) == (prediction.image, prediction.annotated)


def test_answers_that_are_no_numbers_are_refused(make_run, crop_file, tmp_path):
    classifier = make_classifier()
    with torch.no_grad():
        next(classifier.model.parameters()).fill_(torch.nan)
    with pytest.raises(ModelFileError, match="logits are NaN or infinite"):
        answers(make_run(classifier), crop_file, crops=True, out=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_run_that_is_left_early_leaves_no_table(run, crop_file, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3):
        shutil.copy(crop_file, folder / f"{number}.png")
    found = predict(run, [folder], crops=True, out=tmp_path / "out", device="cpu", quiet=True)
    assert Path(next(found).image).name == "0.png"
    found.close()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0-predicted.png"]


def test_a_folder_is_walked_by_name_and_not_left(tmp_path, caplog):
    inside, outside = tmp_path / "in", tmp_path / "out"
    for name in ("in/b/2.JPG", "in/a.png", "in/.hidden/x.png", "in/.b.png", "in/notes.txt",
                 "in/answers/a-predicted.png", "out/secret.png"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (inside / "link.png").symlink_to(outside / "secret.png")
    (inside / "folder").symlink_to(outside)
    (inside / "again.png").symlink_to(inside / "a.png")
    found = find_pictures([inside, inside / "a.png"], without=inside / "answers")
    assert [picture.name for picture in found] == ["a.png", "b/2.JPG"]
    assert "1 links to pictures outside of it were left out" in caplog.text


def test_paths_that_hold_no_picture_are_refused(run, tmp_path):
    with pytest.raises(OptionError, match="no such file or folder"):
        answers(run, tmp_path / "missing.jpg")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OptionError, match=r"no image in this folder.*\.jpeg"):
        answers(run, tmp_path)
    with pytest.raises(OptionError, match="no picture is given"):
        answers(run)
    with pytest.raises(OptionError, match="is a file; give a folder"):
        OutputFolder(tmp_path / "notes.txt", [], ())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_as_its_camera_says(orientation, tmp_path):
    generator = np.random.default_rng(orientation)
    blocks = generator.integers(0, 255, (4, 6, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(blocks).save(path, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    assert np.array_equal(read_upright(path), expected)


@pytest.mark.parametrize("ending", [".png", ".jpg"])
@pytest.mark.parametrize("length", [10, 12, 16, 24, None])
def test_a_photograph_with_broken_exif_data_is_taken_as_it_lies(ending, length, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    broken = b"Exif\0\0no Exif data" if length is None else exif.tobytes()[:length]
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    path = tmp_path / f"broken{ending}"
    Image.fromarray(pixels).save(path, exif=broken)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nor is anything printed
        assert read_upright(path).shape == (24, 32, 3)


def test_a_picture_that_shows_nothing_is_no_picture(tmp_path):
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(ImageError, match="blank image"):
        read_upright(tmp_path / "black.png")


def test_names_that_are_no_text_can_be_shown():
    assert Picture(Path("caf\udce9.png"), "caf\udce9.png").shown == "caf\ufffd.png"


def test_damaged_runs_are_named(make_run, crop_file, tmp_path):
    with pytest.raises(OptionError, match="holds no training run"):
        answers(tmp_path / "none", crop_file)
    run = make_run()
    with pytest.raises(UnknownNameError, match="--landmarks"):
        answers(run, crop_file, landmarks="some")
    with pytest.raises(OptionError, match="say that the pictures are face crops"):
        answers(run, crop_file, landmarks="none")
    with pytest.raises(ModelFileError, match=r"last\.ckpt: no such checkpoint"):
        answers(run, crop_file, checkpoint="last")
    checkpoint = run / "checkpoints" / "best.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-4000])
    with pytest.raises(ModelFileError, match=r"best\.ckpt: not readable as a checkpoint"):
        answers(run, crop_file, crops=True)
    record = json.loads((run / "run.json").read_text())
    del record["build"]["image"]
    (run / "run.json").write_text(json.dumps(record))
    with pytest.raises(ModelFileError, match=r"what it says of its build"):
        answers(run, crop_file)


def test_the_command_answers_in_words_and_exits_with_1_for_a_missing_answer(
    run, crop_file, tmp_path
):
    words = ["predict", str(run), str(crop_file), "--crops", "--device", "cpu"]
    result = CliRunner().invoke(app, [*words, "--top", "2"])
    assert result.exit_code == 0, result.output
    name, *shares = result.stdout.split()
    assert name == str(crop_file)
    assert len(shares) == 4
    assert shares[1].endswith("%")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no")
    result = CliRunner().invoke(app, [*words, str(broken), "--json"])
    assert result.exit_code == 1
    first, second = json.loads(result.stdout)
    assert first["probability"] == max(first["probabilities"].values())
    assert second["problem"] == "not an image, or broken beyond decoding"


def test_a_name_can_not_speak_to_the_terminal(run, crop_file, tmp_path):
    names = ["\x1b[2Jgone.png", "two\nlines.png"]
    for name in names:
        shutil.copy(crop_file, tmp_path / name)
    (tmp_path / names[1]).write_bytes(b"no")
    words = ["predict", str(run), *(str(tmp_path / name) for name in names)]
    result = CliRunner().invoke(app, [*words, "--crops", "--device", "cpu", "--quiet"])
    first, second = result.stdout.splitlines()
    assert first.startswith(f"{tmp_path}/\\x1b[2Jgone.png  ")
    assert second.startswith(f"{tmp_path}/two\\nlines.png  no answer: ")
