"""Cards of builds and runs, and their upload."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ferdata.api.opening import open_folder
from ferdata.api.paths import PathLike
from ferdata.core.errors import OptionError
from ferdata.core.extras import require_module
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


def card(
    source: PathLike | Build | RunFolder,
    *,
    push: str | None = None,
    public: bool = False,
    overwrite: bool = False,
) -> CardReport:
    """Write the card of a build or of a training run, and upload it if asked to.

    A build's card is a Hugging Face dataset card with a datasheet, `hf/README.md`; the build wrote
    it, and it is written again with `croissant.json`. A run's is a model card, `README.md` in its
    folder: intended use, the split's digest, scores by class and group, caveats. Both are checked
    with huggingface_hub.

    Args:
        source: A build or a run, open or by its folder.
        push: Repository on the Hugging Face Hub, `"USER/NAME"`, to upload dataset or model to;
            made as a private one if there is none.
        public: Make a new repository public.
        overwrite: Replace a card that was edited by hand.

    Raises:
        TermsError: The terms of a dataset forbid passing its images on.
        FerdataError: It is neither a build nor a finished run, a card was edited, or the Hub
            refuses.
        MissingExtraError: huggingface_hub is not installed.
    """
    require_module("huggingface_hub", "a card")
    if push is not None:
        from ferdata.deployment.hub import require_repository  # noqa: PLC0415 - heavy

        require_repository(push)
    elif public:
        raise OptionError("public only has an effect with push; name the repository, too")
    opened = open_folder(source) if not isinstance(source, Build | RunFolder) else source
    if isinstance(opened, Build):
        return _build_card(opened, push, public=public, overwrite=overwrite)
    if isinstance(opened, RunFolder):
        return _run_card(opened, push, public=public, overwrite=overwrite)
    raise OptionError(f"{source} is a manifest; a card describes a build or a training run")


def _build_card(build: Build, repo: str | None, *, public: bool, overwrite: bool) -> CardReport:
    from ferdata.formats.card_validation import require_valid_card  # noqa: PLC0415 - heavy
    from ferdata.shards.cards import rewrite_cards  # noqa: PLC0415
    from ferdata.shards.terms import require_redistribution  # noqa: PLC0415

    if repo is not None:
        require_redistribution(build.record)
    record, files = rewrite_cards(build.root, overwrite=overwrite)
    require_valid_card(files[0], "dataset")
    if repo is None:
        return CardReport("dataset", tuple(files))
    from ferdata.deployment import hub  # noqa: PLC0415 - heavy

    pushed = hub.push(hub.dataset_upload(build.root, record), repo, public=public)
    return CardReport("dataset", tuple(files), pushed)


def _run_card(folder: RunFolder, repo: str | None, *, public: bool, overwrite: bool) -> CardReport:
    from ferdata.evaluation.model_card_file import write_model_card  # noqa: PLC0415 - loads torch
    from ferdata.formats.card_validation import require_valid_card  # noqa: PLC0415

    file = write_model_card(folder, overwrite=overwrite)
    require_valid_card(file, "model")
    if repo is None:
        return CardReport("model", (file,))
    from ferdata.deployment import hub  # noqa: PLC0415

    return CardReport("model", (file,), hub.push(hub.model_upload(folder), repo, public=public))
