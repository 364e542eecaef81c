"""The front door: datasets, folders and manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

import ferdata
from ferdata.core.errors import LayoutError, OptionError, UnknownNameError


def test_datasets_are_listed_and_looked_up() -> None:
    names = [each.name for each in ferdata.datasets()]
    assert "rafdb" in names
    assert "15,339" in repr(ferdata.datasets()).replace("15339", "15,339")
    assert "<td style='text-align:right'>15,339</td>" in ferdata.datasets()._repr_html_()
    assert ferdata.datasets("rafdb").total == 15339
    with pytest.raises(UnknownNameError, match="Did you mean 'rafdb'"):
        ferdata.datasets("rafbd")


def test_a_folder_is_detected_and_ingested(demo_rafdb: Path) -> None:
    found = ferdata.detect(str(demo_rafdb))
    assert found[0].dataset == "rafdb"
    assert "rafdb" in repr(found)
    assert "rafdb" in found._repr_html_()
    manifest = ferdata.ingest("rafdb", str(demo_rafdb))
    assert manifest.to_pandas()["label"].nunique() == 7


def test_wrong_calls_say_what_would_be_right(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="contains no files"):
        ferdata.ingest("rafdb", tmp_path)
    with pytest.raises(OptionError, match="expected a path"):
        ferdata.detect(None)
    for guess, meant in (("biuld", "build"), ("load", "open"), ("list_datasets", "datasets")):
        with pytest.raises(AttributeError, match=rf"'{guess}'; did you mean ferdata\.{meant}\?"):
            getattr(ferdata, guess)


def test_manifests_merge_as_a_mix_declares(tmp_path: Path) -> None:
    for name, scale in (("rafdb", 0.005), ("jaffe", 0.2)):
        ferdata.demo(name, tmp_path / name, scale=scale, quiet=True)
    mix = tmp_path / "pair.yaml"
    mix.write_text(
        "name: pair\ntitle: Two sets\nlabel_space: basic7\n"
        "sources: {rafdb: {split: official}, jaffe: {split: 'subject:8:1:1'}}\n"
    )
    manifests = [ferdata.ingest(name, tmp_path / name) for name in ("rafdb", "jaffe")]
    merged = ferdata.merge(mix, manifests, data=tmp_path, quiet=True)
    assert set(merged.to_pandas()["dataset"]) == {"rafdb", "jaffe"}


def test_the_front_door_lists_what_it_has() -> None:
    listed = set(dir(ferdata))
    assert set(ferdata.__all__) <= listed
    for name in ferdata.__all__:
        assert getattr(ferdata, name).__doc__
