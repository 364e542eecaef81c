"""What the terms of a build's datasets allow."""

from __future__ import annotations

from ferdata.core.errors import TermsError
from ferdata.ingesters import DatasetInfo
from ferdata.ingesters.declared.declaration import NOT_STATED
from ferdata.shards.dataset_infos import recorded_info
from ferdata.shards.record import BuildRecord


def require_redistribution(record: BuildRecord) -> None:
    """Check that the images of a build may be passed on; drawn faces may be.

    Only what is stated to be allowed is: a private repository is somebody else's machine, too.

    Raises:
        TermsError: The terms of a dataset forbid it, or don't say; the message names the dataset
            and the term.
    """
    against = [_term(info) for info in _real(record) if info.redistribution != "allowed"]
    if not record.datasets:
        against = ["its datasets are not recorded, so their terms are unknown"]
    if against:
        raise TermsError(
            f"the images of {record.name} may not be passed on, not even to a private repository. "
            f"{'. '.join(against)}. Publish the split instead, which holds no image: `ferdata "
            "split export`"
        )


def redistribution_terms(record: BuildRecord) -> tuple[str, ...]:
    """Return what the terms of each dataset of a build say about passing its images on."""
    drawn = sorted(record.drawn_datasets)
    said = [f"the faces of {', '.join(drawn)} are drawn; they may be passed on"] if drawn else []
    for info in _real(record):
        stated = info.redistribution
        what = {"allowed": "may be passed on", "forbidden": "may not be passed on"}.get(
            stated, "don't pass images on: its terms don't say that they may be"
        )
        said.append(f"{info.name}: {what} ({_license(info)})")
    return tuple(said) or ("the datasets are not recorded, so don't pass the images on",)


def _real(record: BuildRecord) -> list[DatasetInfo]:
    """Return the info of the datasets whose images are real, sorted by name."""
    real = sorted(record.datasets.keys() - record.drawn_datasets)
    return [recorded_info(record.summary.provenance, name) for name in real]


def _license(info: DatasetInfo) -> str:
    """Return license and terms of use in a line; empty where neither is stated."""
    terms = (" ".join(text.split()).rstrip(".") for text in (info.license, info.usage))
    return "; ".join(text for text in terms if text != NOT_STATED) or NOT_STATED


def _term(info: DatasetInfo) -> str:
    terms = _license(info)
    if info.redistribution == "forbidden":
        return f"{info.name} forbids it: {terms}"
    return (
        f"{info.name} does not say whether it may (license: {terms}); if its terms "
        "allow it, state `redistribution: allowed` in its declaration and build again"
    )
