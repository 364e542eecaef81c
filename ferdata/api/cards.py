"""Cards of builds and runs, and their upload."""

from __future__ import annotations

from ferdata.api.card_files import CardReport, build_card, run_card
from ferdata.api.opening import open_folder
from ferdata.api.paths import PathLike
from ferdata.core.errors import OptionError
from ferdata.core.extras import require_module
from ferdata.data.build import Build
from ferdata.runs.folder import RunFolder


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
        return build_card(opened, push, public=public, overwrite=overwrite)
    if isinstance(opened, RunFolder):
        return run_card(opened, push, public=public, overwrite=overwrite)
    raise OptionError(f"{source} is a manifest; a card describes a build or a training run")
