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
    real = sorted(record.datasets.keys() - record.drawn_datasets)
    infos = [recorded_info(record.summary.provenance, name) for name in real]
    against = [_term(info) for info in infos if info.redistribution != "allowed"]
    if not record.datasets:
        against = ["its datasets are not recorded, so their terms are unknown"]
    if against:
        raise TermsError(
            f"the images of {record.name} may not be passed on, not even to a private repository. "
            f"{'. '.join(against)}. Publish the split instead, which holds no image: `ferdata "
            "split export`"
        )


def _term(info: DatasetInfo) -> str:
    terms = "; ".join(text.rstrip(".") for text in (info.license, info.usage) if text != NOT_STATED)
    if info.redistribution == "forbidden":
        return f"{info.name} forbids it: {terms}"
    return (
        f"{info.name} does not say whether it may (license: {terms or NOT_STATED}); if its terms "
        "allow it, state `redistribution: allowed` in its declaration and build again"
    )
