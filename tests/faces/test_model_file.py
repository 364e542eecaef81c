from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ferdata.cli.models import models
from ferdata.core.errors import ModelFileError
from ferdata.faces.detectors.mediapipe import FACE_LANDMARKER, MediaPipeDetector
from ferdata.faces.detectors.model_file import FoundFile, ModelFile

CONTENT = b"weights of no value" * 100

Install = Callable[..., Path]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelFile]:
    """Offer a small model on a server of this machine, instead of the real one."""
    monkeypatch.delenv("FERDATA_MODEL_DIR", raising=False)
    served = tmp_path / "served"
    served.mkdir()
    (served / "small.task").write_bytes(CONTENT)
    handler = partial(Quiet, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ModelFile(
            name="small.task",
            url=f"http://127.0.0.1:{server.server_port}/small.task",
            size=len(CONTENT),
            sha256=hashlib.sha256(CONTENT).hexdigest(),
            distribution="small-faces",
            install="pip install small-faces",
        )
        server.shutdown()
        thread.join()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that puts the distribution `small-faces` on sys.path."""

    def put(content: bytes | None = CONTENT, *, zipped: bool = False) -> Path:
        files = {
            "small_faces/__init__.py": b"raise RuntimeError('the code must not be imported')",
            "small_faces-1.2.dist-info/METADATA": b"Name: small-faces\nVersion: 1.2\n",
        }
        if content is not None:
            files["small_faces/models/small.task"] = content
        record = "".join(f"{name},,\n" for name in [*files, "small_faces/models/small.task"])
        files["small_faces-1.2.dist-info/RECORD"] = record.encode()
        place = tmp_path / ("site.whl" if zipped else "site")
        if zipped:
            with zipfile.ZipFile(place, "w") as archive:
                for name, data in files.items():
                    archive.writestr(name, data)
        else:
            for name, data in files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(data)
        monkeypatch.syspath_prepend(str(place))
        return place

    return put


def test_download_goes_into_the_cache_and_is_found_from_then_on(
    offered: ModelFile, empty_cache: Path
) -> None:
    assert offered.find() is None
    path = offered.fetch(quiet=True)
    assert path == empty_cache / "models" / "small.task"
    assert offered.find() == FoundFile(path, "cache")
    assert path.read_bytes() == CONTENT


def test_a_download_with_another_hash_is_refused_and_not_kept(offered: ModelFile) -> None:
    other = replace(offered, sha256="0" * 64)
    with pytest.raises(ModelFileError, match="FERDATA_MODEL_DIR") as caught:
        other.fetch(quiet=True)
    assert offered.url in str(caught.value)
    assert not other.cached.exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/small.task", "missing"])
def test_without_the_server_the_message_says_what_to_do(offered: ModelFile, url: str) -> None:
    away = replace(offered, url=url if "://" in url else offered.url.replace("small", "absent"))
    with pytest.raises(ModelFileError) as caught:
        away.fetch(quiet=True)
    message = str(caught.value)
    for part in (away.url, str(away.cached), "FERDATA_MODEL_DIR", "Run: pip install small-faces."):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"cut off", CONTENT[::-1]])
def test_a_wrong_file_in_the_cache_is_named_and_replaced(
    offered: ModelFile, content: bytes
) -> None:
    offered.cached.parent.mkdir(parents=True)
    offered.cached.write_bytes(content)
    with pytest.raises(ModelFileError, match="ferdata models fetch") as caught:
        offered.find()
    assert str(offered.cached) in str(caught.value)
    assert offered.fetch(quiet=True).read_bytes() == CONTENT


def test_the_given_folder_comes_first_and_is_never_written(
    offered: ModelFile, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install()
    offered.cached.parent.mkdir(parents=True)
    offered.cached.write_bytes(CONTENT)
    given = tmp_path / "given" / "small.task"
    given.parent.mkdir()
    monkeypatch.setenv("FERDATA_MODEL_DIR", str(given.parent))
    given.write_bytes(b"wrong")
    for look in (offered.find, offered.fetch):
        with pytest.raises(ModelFileError, match="given"):
            look()
    assert given.read_bytes() == b"wrong"
    given.write_bytes(CONTENT)
    assert offered.find() == FoundFile(given, "FERDATA_MODEL_DIR")
    assert offered.fetch(quiet=True) == given


def test_an_empty_given_folder_falls_back_to_the_cache(
    offered: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERDATA_MODEL_DIR", str(tmp_path))
    assert offered.fetch(quiet=True) == offered.cached
    assert offered.find() == FoundFile(offered.cached, "cache")


def test_an_installed_distribution_comes_after_the_cache_and_before_the_download(
    offered: ModelFile, install: Install
) -> None:
    path = install() / "small_faces/models/small.task"
    offline = replace(offered, url="http://127.0.0.1:9/small.task")
    assert offline.find() == FoundFile(path, "small-faces 1.2")
    assert offline.fetch(quiet=True) == path
    offered.cached.parent.mkdir(parents=True)
    offered.cached.write_bytes(CONTENT)
    assert offline.find() == FoundFile(offered.cached, "cache")


def test_a_distribution_in_a_zip_file_is_read_through_the_cache(
    offered: ModelFile, install: Install
) -> None:
    install(zipped=True)
    assert offered.find() == FoundFile(offered.cached, "small-faces 1.2")
    assert offered.cached.read_bytes() == CONTENT


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("content", [b"other weights", None])
def test_a_distribution_without_the_very_file_is_passed_over(
    offered: ModelFile,
    install: Install,
    content: bytes | None,
    zipped: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    install(content, zipped=zipped)
    assert offered.find() is None
    assert ("small-faces 1.2 has another small.task" in caplog.text) == (content is not None)
    assert offered.fetch(quiet=True) == offered.cached


def test_the_real_model_is_the_known_one(landmark_model: Path) -> None:
    assert landmark_model.stat().st_size == FACE_LANDMARKER.size


def test_the_real_distribution_carries_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        number = metadata.version(FACE_LANDMARKER.distribution)
    except metadata.PackageNotFoundError:
        pytest.skip(f"needs {FACE_LANDMARKER.install}")
    monkeypatch.delenv("FERDATA_MODEL_DIR", raising=False)
    found = FACE_LANDMARKER.find()
    assert found is not None
    assert found.origin == f"{FACE_LANDMARKER.distribution} {number}"
    digest = hashlib.sha256(found.path.read_bytes()).hexdigest()
    assert digest == "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"


def test_the_command_line_fetches_and_lists(
    offered: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MediaPipeDetector, "files", (offered,))
    run = CliRunner().invoke
    missing = run(models, ["list"])
    assert missing.exit_code == 1
    assert "mediapipe: small.task, 0.0 MB: missing. Run: pip install small-faces" in missing.stdout
    fetched = run(models, ["fetch", "--quiet"])
    assert fetched.exit_code == 0
    assert fetched.stdout.strip() == str(offered.cached)
    assert f"{offered.cached} (from cache)" in run(models, ["list"]).stdout
    (entry,) = json.loads(run(models, ["list", "--json"]).stdout)
    assert (entry["path"], entry["origin"]) == (str(offered.cached), "cache")
    assert (entry["detector"], entry["sha256"]) == ("mediapipe", offered.sha256)
