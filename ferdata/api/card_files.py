"""Writing the card of a build or of a run, and uploading what it describes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ferdata.data.build import Build
from ferdata.runs.folder import RunFolder


@dataclass(frozen=True)
class CardReport:
    """What `ferdata.card` wrote.

    Attributes:
        kind: `"dataset"` or `"model"`.
        files: The card, and beside a build's card its `croissant.json`.
        pushed: Address of the repository; empty if nothing was uploaded.
    """

    kind: str
    files: tuple[Path, ...]
    pushed: str = ""


def build_card(build: Build, repo: str | None, *, public: bool, overwrite: bool) -> CardReport:
    """Write a build's card and `croissant.json`, and upload the dataset if a repository is named.

    Raises:
        TermsError: The terms of a dataset forbid passing its images on.
        FerdataError: A card was edited, the build is damaged, or the Hub refuses.
    """
    from ferdata.formats.card_validation import require_valid_card  # noqa: PLC0415 - heavy
    from ferdata.shards.cards import rewrite_cards  # noqa: PLC0415
    from ferdata.shards.terms import require_redistribution  # noqa: PLC0415

    if repo is not None:
        from ferdata.deployment.hub import require_repository  # noqa: PLC0415 - heavy

        require_repository(repo)
        require_redistribution(build.record)
    record, files = rewrite_cards(build.root, overwrite=overwrite)
    require_valid_card(files[0], "dataset")
    if repo is None:
        return CardReport("dataset", tuple(files))
    from ferdata.deployment import hub  # noqa: PLC0415 - heavy

    pushed = hub.push(hub.dataset_upload(build.root, record), repo, public=public)
    return CardReport("dataset", tuple(files), pushed)


def run_card(folder: RunFolder, repo: str | None, *, public: bool, overwrite: bool) -> CardReport:
    """Write a run's model card, and upload the model if a repository is named.

    Raises:
        FerdataError: A card was edited, the build is gone, or the Hub refuses.
    """
    from ferdata.evaluation.model_card_file import write_model_card  # noqa: PLC0415 - loads torch
    from ferdata.formats.card_validation import require_valid_card  # noqa: PLC0415

    file = write_model_card(folder, overwrite=overwrite)
    require_valid_card(file, "model")
    if repo is None:
        return CardReport("model", (file,))
    from ferdata.deployment import hub  # noqa: PLC0415

    return CardReport("model", (file,), hub.push(hub.model_upload(folder), repo, public=public))
