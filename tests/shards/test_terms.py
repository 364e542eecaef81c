"""Whether images may be passed on: named by dataset and term."""

from __future__ import annotations

from typing import Any

import pytest

from ferdata.core.errors import TermsError
from ferdata.formats.dummies import dummy_spec
from ferdata.ingesters import dataset_info, dataset_names
from ferdata.shards.dummies import dummy_record
from ferdata.shards.record import BuildRecord
from ferdata.shards.terms import require_redistribution


def record(*names: str, **ingest: Any) -> BuildRecord:
    return dummy_record(
        dummy_spec(), "a" * 64, {}, datasets={name: name for name in names},
        summary={"provenance": {"ingest": ingest}},
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(dataset_names()))
def test_no_shipped_dataset_may_be_passed_on(name: str) -> None:
    info = dataset_info(name)
    assert info.redistribution == "forbidden"
    with pytest.raises(TermsError, match=f"{name} forbids it") as found:
        require_redistribution(record(name))
    assert info.license in str(found.value)
    assert "ferdata split export" in str(found.value)


def test_every_dataset_of_a_mix_is_named() -> None:
    with pytest.raises(TermsError, match=r"jaffe forbids it: .*rafdb forbids it: "):
        require_redistribution(record("rafdb", "jaffe"))


def test_drawn_faces_may_be_passed_on() -> None:
    require_redistribution(record("rafdb", synthetic_scale=0.1))


def test_a_mix_of_drawn_and_real_faces_may_not() -> None:
    drawn = {"ingest": {"synthetic_scale": 0.1}}
    mixed = record("rafdb", "jaffe", synthetic_scale=0.1)
    for jaffe, real in ((drawn, set()), ({"ingest": {}}, {"jaffe"})):
        provenance = {
            **mixed.summary.provenance,
            "merge": {"sources": {"rafdb": drawn, "jaffe": jaffe}},
        }
        summary = mixed.summary.model_copy(update={"provenance": provenance})
        build = mixed.model_copy(update={"summary": summary})
        assert build.datasets.keys() - build.drawn_datasets == real
        if not real:
            require_redistribution(build)
            continue
        with pytest.raises(TermsError, match="jaffe forbids it") as found:
            require_redistribution(build)
        assert "rafdb forbids" not in str(found.value)


def declared(**more: str) -> dict[str, Any]:
    return {"name": "own", "images": "{label}/*.png", "framing": "crop", **more}


def test_of_a_set_of_ones_own_only_what_is_stated_counts() -> None:
    require_redistribution(record("own", declaration=declared(redistribution="allowed")))
    with pytest.raises(TermsError, match=r"own does not say .*license: CC0.*redistribution: allow"):
        require_redistribution(record("own", declaration=declared(license="CC0")))
    with pytest.raises(TermsError, match="own forbids it"):
        require_redistribution(record("own", declaration=declared(redistribution="forbidden")))


def test_unknown_datasets_are_not_taken_for_free() -> None:
    with pytest.raises(TermsError, match="not recorded"):
        require_redistribution(record())
