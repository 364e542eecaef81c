"""Copies that people really hold: re-made by somebody, read rightly or refused with the way on."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.trees import kinds, touch, write
from typer.testing import CliRunner

from ferdata.cli.app import app
from ferdata.core.errors import ImageError, LayoutError, OptionError, WrongLabelsError
from ferdata.core.images import read_image
from ferdata.core.labels import CANONICAL
from ferdata.core.manifest import Manifest
from ferdata.core.rejects import Reject
from ferdata.curation.split import resolve_rules
from ferdata.ingesters import FileTree, Sample, dataset_info, detect, ingest
from ferdata.ingesters.catalog import ingester
from ferdata.ingesters.code_orders import known_order
from ferdata.ingesters.ferplus.label_rules import COLUMNS

SEVEN = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
NAMED = dict(zip(SEVEN, (name for name in CANONICAL if name != "contempt"), strict=True))
FOLDER_OF = {label: folder for folder, label in NAMED.items()}


def image(path: Path, side: int = 48, *, gray: bool = True, seed: int = 0) -> None:
    """Write a square image of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (8, 8) if gray else (8, 8, 3)
    pixels = np.random.default_rng(seed).integers(30, 220, shape, np.uint8)
    pixels = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())


def counts(manifest: Manifest) -> dict[str, Counter[str]]:
    """Return labels by official split."""
    found: dict[str, Counter[str]] = {}
    columns = (manifest.column("official_split"), manifest.column("label"))
    for split, label in zip(*columns, strict=True):
        found.setdefault(str(split), Counter())[label] += 1
    return found


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


# -- FER2013 ---------------------------------------------------------------------------------------


def fer_paths(folders: Iterable[str], number: int = 4) -> list[str]:
    return [
        f"{part}/{folder}/{usage}_{place}{n}.jpg"
        for place, folder in enumerate(folders)
        for part, usage in (("train", "Training"), ("test", "PublicTest"), ("test", "PrivateTest"))
        for n in range(number)
    ]


def test_a_name_in_two_classes_is_two_images(tmp_path: Path) -> None:
    twice = ("train/angry/Training_7.jpg", "train/surprise/Training_7.jpg")
    manifest = ingest("fer2013", touch(tmp_path, *fer_paths(SEVEN), *twice))
    assert len(manifest) == 86
    assert not manifest.rejects
    assert {"fer2013/anger/Training_7", "fer2013/surprise/Training_7"} <= set(
        manifest.column("sample_id")
    )


@pytest.mark.parametrize("above", ["", "a/", "deep/er/", "images/validation/"])
def test_the_authors_split_is_read_from_the_names_wherever_files_lie(
    tmp_path: Path, above: str
) -> None:
    paths = [f"{above}{path.partition('/')[2]}" for path in fer_paths(SEVEN)]
    manifest = ingest("fer2013", touch(tmp_path, *paths))
    assert {name: part.total() for name, part in counts(manifest).items()} == {
        "train": 28,
        "validation": 28,
        "test": 28,
    }
    assert resolve_rules(manifest, "auto").text == "official"


def test_code_folders_with_the_names_are_fer2013_and_the_order_is_asked(tmp_path: Path) -> None:
    root = touch(tmp_path, *fer_paths("0123456"))
    assert [(each.dataset, each.name) for each in detect(root)] == [("fer2013", "code-folders")]
    code, text = run("detect", root)
    assert code == 0
    assert "Build it" not in text
    assert "--codes alphabetical" in text
    with pytest.raises(OptionError, match="--codes fer2013 ") as caught:
        run("ingest", "fer2013", "--data", root, "--out", tmp_path / "m.parquet")
    assert caught.value.exit_code == 2
    asked = ("--data", root, "--codes", "fer2013", "--out", tmp_path / "m.parquet")
    assert run("ingest", "fer2013", *asked)[0] == 0
    assert counts(ingest("fer2013", root, codes="alphabetical"))["train"]["neutral"] == 4


def test_a_part_of_fer2013_in_the_order_of_its_folders(tmp_path: Path) -> None:
    """5,000 images without their names, alphabetical: nothing is written in FER2013's order."""
    whole = Counter[str]()
    for part in dataset_info("fer2013").counts.values():
        whole.update(part)
    share = {label: round(5000 * whole[label] / 35887) for label in NAMED.values()}
    paths = [
        f"train/{code}/{code}-{number}.jpg"
        for code, label in enumerate(NAMED.values())
        for number in range(share[label])
    ]
    root = touch(tmp_path / "data", *paths)
    out = tmp_path / "m.parquet"
    with pytest.raises(WrongLabelsError, match="--codes alphabetical"):
        ingest("fer2013", root, codes="fer2013")
    assert not out.exists()
    assert Counter(ingest("fer2013", root).column("label")) == share


@pytest.mark.parametrize("strangers", ["named", "coded", "gray", "lists", "arrays", "parquet"])
def test_a_strangers_folder_is_nobodys(tmp_path: Path, strangers: str) -> None:
    root = tmp_path / "mine"
    own = [(number, number % 7, ("train", "train", "test")[number % 3]) for number in range(84)]
    for number, code, split in own:
        folder = SEVEN[code] if strangers in ("named", "gray") else str(code)
        if strangers in ("named", "coded", "gray"):
            image(root / split / folder / f"{number}.png", gray=strangers == "gray", seed=number)
        elif strangers == "lists":
            image(root / f"images/{number}.png", seed=number)
    if strangers == "lists":
        for part in ("train", "test"):
            lines = [f"images/{number}.png {code}" for number, code, split in own if split == part]
            write(root / f"{part}.txt", *lines)
    elif strangers == "arrays":
        root.mkdir()
        with h5py.File(root / "data.h5", "w") as file:
            for name in ("Training", "PrivateTest"):
                file[f"{name}_pixel"] = np.zeros((42, 48, 48), np.uint8)
                file[f"{name}_label"] = np.arange(42) % 7
    elif strangers == "parquet":
        root.mkdir()
        cells = [{"bytes": b"x", "path": None}] * 84
        table = pa.table({"image": cells, "label": [code for _, code, _ in own]})
        pq.write_table(table, root / "train-00000-of-00001.parquet")
    assert detect(root) == []
    code, text = run("detect", root)
    assert code == 1
    assert "no dataset recognized" in text
    assert "Build it" not in text
    assert "84 labeled images" in text
    assert "--write my.yaml" in text
    if strangers not in ("gray", "arrays"):  # of FER2013's size: read if it is asked for
        with pytest.raises(LayoutError, match="contains no fer2013"):
            ingest("fer2013", root)


# -- RAF-DB ----------------------------------------------------------------------------------------

RAF = [(f"train_{n:05d}", n % 7 + 1) for n in range(1, 43)] + [
    (f"test_{n:04d}", n % 7 + 1) for n in range(1, 29)
]


def raf_label(code: int) -> str:
    return dataset_info("rafdb").codes[code]


@pytest.mark.parametrize(
    ("layout", "place"),
    [
        ("imagefolder", "{split}/{folder}/{key}_aligned.jpg"),
        ("class-folders", "{folder}/{key}_aligned.jpg"),
        ("class-folders", "all/{code}_{folder}/{key}_aligned.png"),
        ("imagefolder", "Train/{Folder}/{key}_aligned.JPG"),
        ("imagefolder", "{split}_set/{code}/{key}_aligned.jpg"),
        ("imagefolder", "x/{split}/{code}/{key}_aligned.jpg"),
        ("class-folders", "{code}/{key}_aligned.jpg"),
        ("suffixed", "{key}_aligned_{code}.jpg"),
        ("suffixed", "{split}/{key}_aligned_{label}.jpg"),
    ],
)
def test_rafdb_by_its_file_names(tmp_path: Path, layout: str, place: str) -> None:
    paths = []
    for key, code in RAF:
        folder = FOLDER_OF[raf_label(code)]
        paths.append(
            place.format(
                split=key.partition("_")[0],
                folder=folder,
                Folder=folder.capitalize(),
                key=key,
                code=code,
                label=raf_label(code),
            )
        )
    root = touch(tmp_path, *paths)
    assert [(each.dataset, each.name) for each in detect(root)] == [("rafdb", layout)]
    manifest = ingest("rafdb", root)
    assert not manifest.rejects
    expected: dict[str, Counter[str]] = {"train": Counter(), "test": Counter()}
    for key, code in RAF:
        expected[key.partition("_")[0]][raf_label(code)] += 1
    assert counts(manifest) == expected
    assert sorted(manifest.column("sample_id")) == sorted(f"rafdb/{key}" for key, _ in RAF)


@pytest.mark.parametrize(
    ("form", "codes"),
    [
        ("{split}/{key}_aligned.jpg {zero}", "rafdb-0"),
        ("/root/data/{split}/{key}_aligned.jpg {zero}", "rafdb-0"),
        ("{key}_aligned.jpg {code}", None),
        ("{split}/{key}_aligned.jpg,{code}", None),
        ("{key}_aligned.jpg\t{label}", None),
        ("csv", None),
    ],
)
def test_rafdb_flat_with_lists(tmp_path: Path, form: str, codes: str | None) -> None:
    touch(tmp_path, *(f"{key.partition('_')[0]}/{key}_aligned.jpg" for key, _ in RAF))
    for split in ("train", "test"):
        mine = [(key, code) for key, code in RAF if key.startswith(split)]
        if form == "csv":
            rows = [f"{n},{code},{key}_aligned.jpg" for n, (key, code) in enumerate(mine)]
            write(tmp_path / f"{split}_labels.csv", ",label,image", *rows)
            continue
        lines = [
            form.format(split=split, key=key, code=code, zero=code - 1, label=raf_label(code))
            for key, code in mine
        ]
        write(tmp_path / f"{split}.txt", *lines)
    assert [(each.dataset, each.name) for each in detect(tmp_path)] == [("rafdb", "lists")]
    if codes:
        with pytest.raises(OptionError, match="--codes rafdb-0"):
            ingest("rafdb", tmp_path)
    manifest = ingest("rafdb", tmp_path, codes=codes)
    assert not manifest.rejects
    labels = dict(zip(manifest.column("sample_id"), manifest.column("label"), strict=True))
    assert labels == {f"rafdb/{key}": raf_label(code) for key, code in RAF}


def test_files_between_rafdbs_are_rejects_and_leaks_are_named(tmp_path: Path) -> None:
    paths = []
    for key, code in RAF:
        folder = f"{key.partition('_')[0]}/{code}"
        paths.append(f"{folder}/{key}_aligned.jpg")
        if key.startswith("train"):
            paths.append(f"{folder}/{key}_aligned_aug0.jpg")
        else:
            paths.append(f"train/{code}/aug_flip_{key}_aligned.jpg")
    manifest = ingest("rafdb", touch(tmp_path, *paths))
    assert len(manifest) == len(RAF)
    assert Counter(kinds(manifest)) == {"altered copy": 70}
    code, text = run("detect", tmp_path)
    assert code == 0
    assert "Build it" not in text
    assert "70 of 140 images would be rejected (" in text
    assert any(
        each.reason.endswith("is made of test_0001, a test image; in train it would leak")
        for each in manifest.rejects
    )


def test_a_file_called_train_00001_is_not_yet_rafdb(tmp_path: Path) -> None:
    root = touch(tmp_path, *(f"train/{name}/train_0000{n}.jpg" for name in SEVEN for n in "12"))
    assert detect(root) == []


# -- whole copies, as lists of names ---------------------------------------------------------------


def whole(dataset: str, place: str) -> tuple[list[str], dict[str, dict[str, int]]]:
    """Return the paths of a complete copy, and its counts by official split."""
    info, paths = dataset_info(dataset), []
    stems = {
        "rafdb": {"train": "train_{n:05d}_aligned", "test": "test_{n:04d}_aligned"},
        "fer2013": {"train": "Training_{n}", "validation": "PublicTest_{n}",
                    "test": "PrivateTest_{n}"},
    }[dataset]  # fmt: skip
    orders = {name: {label: code for code, label in known_order(name, info, range(7)).labels}
              for name in ("fer2013", "alphabetical", "rafdb-0")}  # fmt: skip
    for split, by_class in info.counts.items():
        number = 0
        for label, count in by_class.items():
            for _ in range(count):
                number += 1
                stem = stems[split].format(n=number)
                paths.append(
                    place.format(
                        stem=stem,
                        part="train" if split == "train" else "test",
                        folder=FOLDER_OF[label],
                        alphabetical=orders["alphabetical"][label],
                        fer=orders["fer2013"][label],
                        zero=orders["rafdb-0"][label],
                        n=len(paths),
                    )
                )
    return paths, info.counts


@pytest.mark.parametrize(
    ("dataset", "layout", "place"),
    [
        ("rafdb", "imagefolder", "{part}/{folder}/{stem}.jpg"),
        ("rafdb", "imagefolder", "{part}/{zero}/{stem}.jpg"),
        ("rafdb", "imagefolder", "{part}/{alphabetical}/{stem}.jpg"),
        ("rafdb", "suffixed", "{part}/{stem}_{folder}.jpg"),
        ("rafdb", "suffixed", "{part}/{stem}_{fer}.jpg"),
        ("fer2013", "kaggle", "{part}/{folder}/{stem}.jpg"),
        ("fer2013", "code-folders", "{part}/{fer}/{stem}.jpg"),
        ("fer2013", "code-folders", "{part}/{alphabetical}/{stem}.jpg"),
    ],
)
def test_whole_copies_have_the_published_counts(dataset: str, layout: str, place: str) -> None:
    paths, published = whole(dataset, place)
    tree = FileTree(Path("/copy"), tuple(sorted(paths)))
    reader = ingester(dataset)
    (found,) = reader.detect(tree)
    assert found.name == layout
    rows = list(reader.read(found, reader.info.choose({})))
    assert not [each for each in rows if isinstance(each, Reject)]
    read: dict[str, Counter[str]] = {}
    for row in rows:
        assert isinstance(row, Sample)
        read.setdefault(str(row.official_split), Counter())[row.label] += 1
    assert read == published
    others = [each for each in ("fer2013", "affectnet", "kdef", "jaffe", "ckplus", "rafdb")
              if each != dataset]  # fmt: skip
    assert not [
        each for name in others for each in ingester(name).detect(tree) if each.confidence >= 0.5
    ]


@pytest.mark.parametrize("order", ["affectnet", "alphabetical"])
def test_affectnet_in_code_folders(order: str) -> None:
    info = dataset_info("affectnet")
    code_of = {label: code for code, label in known_order(order, info, range(8)).labels}
    paths = [
        f"{'train' if split == 'train' else 'val'}/{code_of[label]}/{split}{number}.jpg"
        for split, by_class in info.counts.items()
        for label, count in by_class.items()
        for number in range(count if split == "test" else count // 20)
    ]
    tree = FileTree(Path("/copy"), tuple(sorted(paths)))
    reader = ingester("affectnet")
    (found,) = [each for each in reader.detect(tree) if each.confidence >= 0.5]
    assert found.name == "code-folders"
    read: dict[str, Counter[str]] = {}
    for row in reader.read(found, info.choose({})):
        assert isinstance(row, Sample)
        read.setdefault(str(row.official_split), Counter())[row.label] += 1
    assert read["test"] == info.counts["test"]
    assert read["train"] == {label: n // 20 for label, n in info.counts["train"].items()}
    assert ingester("fer2013").detect(tree) == []


def test_three_parts_of_affectnet_are_the_copys_own_split(tmp_path: Path) -> None:
    paths = [f"{part}/{code}/{code}{part}.jpg" for part in ("train", "val", "test")
             for code in range(8)]  # fmt: skip
    reader, tree = ingester("affectnet"), FileTree(tmp_path, tuple(sorted(paths)))
    (found,) = reader.detect(tree)
    rows = list(reader.read(found, reader.info.choose({}) | {"codes": "affectnet"}))
    assert {row.official_split for row in rows if isinstance(row, Sample)} == {None}
    assert {row.split_native for row in rows if isinstance(row, Sample)} == {"train", "val", "test"}


# -- FER+ ------------------------------------------------------------------------------------------


def clone(root: Path, *, twice: bool = False) -> Path:
    head = ",".join(("Usage", "Image name", *COLUMNS))
    lines, number = [], 0
    for short, usage in (("Train", "Training"), ("Valid", "PublicTest"), ("Test", "PrivateTest")):
        for k in range(8):
            votes = ["0"] * 10
            votes[k] = "10"
            name = f"fer{number:07d}.png"
            touch(root, f"data/FER2013{short}/{name}")
            lines.append(",".join((usage, name, *votes)))
            number += 1
    if twice:
        lines.append(lines[0].replace("10,0", "0,10", 1))
        lines.append("Training,,0,0,0,0,0,0,0,0,0,10")
    write(root / "fer2013new.csv", head, *lines)
    touch(root, "docs/figure.png")
    return root


def test_a_clone_of_ferplus_after_its_script(tmp_path: Path) -> None:
    best = detect(clone(tmp_path))[0]
    assert (best.dataset, best.name, best.missing) == ("ferplus", "clone", "")
    manifest = ingest("ferplus", tmp_path)
    assert not manifest.rejects
    assert {name: part.total() for name, part in counts(manifest).items()} == dict.fromkeys(
        ("train", "validation", "test"), 8
    )
    assert manifest.column("uri")[0] == "data/FER2013Train/fer0000000.png"


def test_of_two_rows_with_one_name_the_later_has_the_image(tmp_path: Path) -> None:
    manifest = ingest("ferplus", clone(tmp_path, twice=True))
    assert kinds(manifest) == ["duplicate id", "not a face"]
    labels = dict(zip(manifest.column("uri"), manifest.column("label"), strict=True))
    assert labels["data/FER2013Train/fer0000000.png"] == "happiness"


# -- arrays and rows -------------------------------------------------------------------------------


def test_images_of_arrays_and_rows_are_read(tmp_path: Path) -> None:
    gray = np.arange(48 * 48, dtype=np.uint16).reshape(48, 48).astype(np.uint8)
    color = np.stack([gray, gray.T, gray[::-1]], axis=2)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["flat_pixel"] = gray.reshape(1, -1)
        file["gray_pixel"] = gray[None]
        file["rgb_pixel"] = color[None]
        file["unit_pixel"] = gray[None].astype(np.float32) / 255
    data = cv2.imencode(".png", color[:, :, ::-1])[1].tobytes()
    rows = [{"bytes": data, "path": None}, {"bytes": data, "path": None}]
    pq.write_table(pa.table({"image": rows, "label": [0, 1]}), tmp_path / "a.parquet", 1)
    for name in ("flat", "gray", "unit"):
        read = read_image(tmp_path, f"a.h5#{name}_pixel/0")
        assert read.channels == 1
        assert (read.pixels == gray[:, :, None]).all()
    assert (read_image(tmp_path, "a.h5#rgb_pixel/0").pixels == color).all()
    assert (read_image(tmp_path, "a.parquet#image/1").pixels == color).all()


@pytest.mark.parametrize(
    "uri",
    [
        "a.h5#none/0",
        "a.h5#x_pixel/9",
        "a.parquet#image/9",
        "b.h5#x/0",
        "b.parquet#image/0",
        "c.h5#x/0",
    ],
)
def test_rows_that_are_not_there_are_rejects(tmp_path: Path, uri: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x_pixel"] = np.zeros((1, 48, 48), np.uint8)
    pq.write_table(pa.table({"image": [b"x"], "label": [0]}), tmp_path / "a.parquet")
    (tmp_path / "c.h5").write_bytes(b"no HDF5")
    with pytest.raises(ImageError):
        read_image(tmp_path, uri)


def write_whole_arrays(path: Path, order: str, parts: Mapping[str, Mapping[str, int]]) -> None:
    info = dataset_info("fer2013")
    code_of = {label: code for code, label in known_order(order, info, range(7)).labels}
    with h5py.File(path, "w") as file:
        for name, by_class in parts.items():
            codes = [code_of[label] for label, n in by_class.items() for _ in range(n)]
            shape = (len(codes), 2304)
            file.create_dataset(f"{name}_pixel", shape, np.uint8, chunks=(1000, 2304),
                                compression=1)  # fmt: skip
            file[f"{name}_label"] = codes


@pytest.mark.parametrize("order", ["fer2013", "alphabetical"])
def test_fer2013_as_arrays_of_any_order(tmp_path: Path, order: str) -> None:
    published = dataset_info("fer2013").counts
    names = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    parts = {names[split]: by_class for split, by_class in published.items()}
    write_whole_arrays(tmp_path / "data.h5", order, parts)
    assert [(each.dataset, each.name) for each in detect(tmp_path)] == [("fer2013", "arrays")]
    manifest = ingest("fer2013", tmp_path)
    assert counts(manifest) == published
    assert manifest.provenance["ingest"]["count_check"] == "as published"
    assert manifest.column("uri")[0] == "data.h5#PrivateTest_pixel/0"


# -- archives --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "command"),
    [("raf.zip", "unzip "), ("fer2013.tar.gz", "tar -xf "), ("x.7z", "7z x ")],
)
@pytest.mark.parametrize("verb", ["detect", "ingest", "build"])
def test_an_archive_is_to_be_extracted_first(
    tmp_path: Path, name: str, command: str, verb: str
) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("train/angry/Training_1.jpg", b"")
    for place in (tmp_path, tmp_path / name):
        arguments: tuple[object, ...] = (verb, place)
        if verb != "detect":
            out = tmp_path.parent / ("m.parquet" if verb == "ingest" else "out")
            arguments = (verb, "fer2013", "--data", place, "--out", out)
        result = CliRunner().invoke(app, [str(each) for each in arguments])
        assert result.exit_code != 0
        said = result.output + str(result.exception)
        assert "xtract it first" in said
        assert command in said
