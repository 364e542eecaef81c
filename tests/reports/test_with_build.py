"""Every build writes its page, and the page changes nothing of the build."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ferdata
from ferdata.cli.app import app
from ferdata.core.errors import LayoutError, OptionError

OPTIONS = {"augment": "balance", "landmarks": "none", "size": 48, "quiet": True}


def hashes(out: Path) -> dict[str, str]:
    """Hash every file of a build but the lock."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def built(demo_rafdb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a build with its page; don't change it."""
    out = tmp_path_factory.mktemp("built") / "rafdb"
    return ferdata.build("rafdb", demo_rafdb, out, **OPTIONS).root


def test_a_build_writes_a_page_that_verify_accepts(built: Path) -> None:
    page = (built / "report.html").read_text(encoding="utf-8")
    assert "RAF-DB" in page
    assert str(built) not in page
    assert ferdata.verify(built, quiet=True).ok


def test_the_page_is_the_same_everywhere_and_changes_nothing(
    built: Path, demo_rafdb: Path, tmp_path: Path
) -> None:
    with_page = ferdata.build("rafdb", demo_rafdb, tmp_path / "a", workers=2, **OPTIONS).root
    without = ferdata.build("rafdb", demo_rafdb, tmp_path / "b", report=False, **OPTIONS).root
    assert hashes(with_page) == hashes(built)
    assert hashes(without) == {k: v for k, v in hashes(built).items() if k != "report.html"}


def test_a_finished_build_keeps_its_page_or_gets_it_back(demo_rafdb: Path, tmp_path: Path) -> None:
    out = ferdata.build("rafdb", demo_rafdb, tmp_path, **OPTIONS).root
    page = out / "report.html"
    before = page.stat().st_mtime_ns
    time.sleep(0.01)
    ferdata.build("rafdb", demo_rafdb, out, **OPTIONS)
    assert page.stat().st_mtime_ns == before
    page.unlink()
    ferdata.build("rafdb", demo_rafdb, out, **OPTIONS)
    assert page.is_file()
    ferdata.build("rafdb", demo_rafdb, out, report=False, overwrite=True, **OPTIONS | {"size": 32})
    assert not page.exists()  # of the other build


def test_the_command_and_the_function(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["report", str(built), "--no-faces", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(out)
    again = ferdata.report(ferdata.open(built), out=tmp_path / "again.html", faces=False)
    assert again.read_bytes() == out.read_bytes()


def test_default_names(built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert ferdata.report([built, built]) == Path("report.html")
    assert (tmp_path / "report.html").is_file()
    nameless = ferdata.report(built, faces=False)
    assert nameless == built / "report-no-faces.html"
    nameless.unlink()


def test_what_is_no_subject_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="neither a build"):
        ferdata.report(tmp_path)
    with pytest.raises(LayoutError, match="no such file"):
        ferdata.report(tmp_path / "gone")
    with pytest.raises(OptionError, match="name a build"):
        ferdata.report([])
    with pytest.raises(OptionError, match="unknown report option"):
        ferdata.report(tmp_path, face=False)
