from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ferdata.cli.models import models
from ferdata.core.errors import ModelFileError
from ferdata.faces.detectors import model_file as model_module
from ferdata.faces.detectors.model_file import (
    FACE_LANDMARKER,
    ModelFile,
    fetch_model,
    find_model,
    model_path,
)

CONTENT = b"weights of no value" * 100


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
        )
        server.shutdown()
        thread.join()


def test_download_goes_into_the_cache_and_is_found_from_then_on(
    offered: ModelFile, empty_cache: Path
) -> None:
    assert find_model(offered) is None
    path = fetch_model(offered, quiet=True)
    assert path == empty_cache / "models" / "small.task" == find_model(offered)
    assert path.read_bytes() == CONTENT


def test_a_download_with_another_hash_is_refused_and_not_kept(offered: ModelFile) -> None:
    other = replace(offered, sha256="0" * 64)
    with pytest.raises(ModelFileError, match="FERDATA_MODEL_DIR") as caught:
        fetch_model(other, quiet=True)
    assert offered.url in str(caught.value)
    assert not model_path(other).exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/small.task", "missing"])
def test_without_the_server_the_message_says_where_to_put_the_file(
    offered: ModelFile, url: str
) -> None:
    away = replace(offered, url=url if "://" in url else offered.url.replace("small", "absent"))
    with pytest.raises(ModelFileError) as caught:
        fetch_model(away, quiet=True)
    message = str(caught.value)
    assert away.url in message
    assert str(model_path(away)) in message
    assert "FERDATA_MODEL_DIR" in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"cut off", CONTENT[::-1]])
def test_a_wrong_file_in_the_cache_is_named_and_replaced(
    offered: ModelFile, content: bytes
) -> None:
    path = model_path(offered)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="ferdata models fetch") as caught:
        find_model(offered)
    assert str(path) in str(caught.value)
    assert fetch_model(offered, quiet=True).read_bytes() == CONTENT


def test_the_given_folder_comes_first_and_is_never_written(
    offered: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    monkeypatch.setenv("FERDATA_MODEL_DIR", str(folder))
    (folder / "small.task").write_bytes(b"wrong")
    for look in (find_model, fetch_model):
        with pytest.raises(ModelFileError, match="given"):
            look(offered)
    assert (folder / "small.task").read_bytes() == b"wrong"
    (folder / "small.task").write_bytes(CONTENT)
    assert find_model(offered) == fetch_model(offered) == folder / "small.task"


def test_an_empty_given_folder_falls_back_to_the_cache(
    offered: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERDATA_MODEL_DIR", str(tmp_path))
    assert fetch_model(offered, quiet=True) == model_path(offered) == find_model(offered)


def test_the_real_model_is_the_known_one(landmark_model: Path) -> None:
    assert landmark_model.stat().st_size == FACE_LANDMARKER.size


def test_the_command_line_fetches_and_finds(
    offered: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for function in (find_model, fetch_model, model_path):
        monkeypatch.setattr(function, "__defaults__", (offered,))
    monkeypatch.setattr(model_module, "FACE_LANDMARKER", offered)
    run = CliRunner().invoke
    assert run(models, ["path"]).exit_code == 1
    fetched = run(models, ["fetch", "--quiet"])
    assert fetched.exit_code == 0
    assert fetched.stdout.strip() == str(model_path(offered))
    assert run(models, ["path"]).stdout == fetched.stdout
    assert offered.sha256 in run(models, ["path", "--json"]).stdout
