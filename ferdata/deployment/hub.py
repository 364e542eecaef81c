"""Uploads to the Hugging Face Hub: the dataset of a build, the model of a run.

Which files go is decided here, by name: no manifest, no source image, no prediction on a single
image, and no path of this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from ferdata.core.errors import BuildError, FerdataError, OptionError
from ferdata.runs.folder import RunFolder
from ferdata.shards.record import BuildRecord
from ferdata.shards.terms import require_redistribution
from ferdata.shards.verify import verify

_DATASET_FOLDER = "hf"


@dataclass(frozen=True)
class Upload:
    """What goes to a repository.

    Attributes:
        kind: Kind of the repository.
        files: A file, or its content, by its path in the repository.
    """

    kind: Literal["dataset", "model"]
    files: Mapping[str, Path | bytes]


def dataset_upload(root: Path, record: BuildRecord) -> Upload:
    """Return the Hugging Face dataset of a build: card and Parquet shards.

    `croissant.json` stays, since it lists files that stay; the Hub makes one of its own.

    Raises:
        TermsError: The terms of a dataset forbid it.
        BuildError: A file of the build is damaged.
    """
    require_redistribution(record)
    report = verify(root, quiet=True)
    if not report.ok:
        first = report.findings[0]
        raise BuildError(
            f"{root}: not uploaded, since it is damaged: {first.file}: {first.what}; "
            f"`ferdata verify {root}` lists everything"
        )
    files = {
        PurePosixPath(name).relative_to(_DATASET_FOLDER).as_posix(): root / name
        for name in record.files
        if name.startswith(f"{_DATASET_FOLDER}/")
    }
    return Upload("dataset", files)


def model_upload(folder: RunFolder) -> Upload:
    """Return the model of a run: its card, its record without local paths, one checkpoint.

    Raises:
        RunError: There is no run.
        BuildError: The build is gone, so that nobody can say which terms apply.
    """
    folder.own_build()
    record = folder.read()
    checkpoint = folder.checkpoint(record.options.select)
    build = record.build.model_copy(update={"path": record.build.name})
    public = record.model_copy(update={"build": build})
    return Upload(
        "model",
        {
            folder.card_file.name: folder.card_file,
            folder.record_file.name: public.model_dump_json(indent=1).encode(),
            checkpoint.relative_to(folder.path).as_posix(): checkpoint,
        },
    )


def push(upload: Upload, repo: str, *, public: bool = False, api: Any = None) -> str:
    """Upload files in one commit; the repository is made, as a private one, if there is none.

    Args:
        upload: The files.
        repo: The repository, `USER/NAME`.
        public: Make a public repository; one that exists stays as it is.
        api: A `huggingface_hub.HfApi`; default: one that uses the token of `hf auth login`.

    Returns:
        The address of the repository.

    Raises:
        OptionError: The name of the repository is not one.
        FerdataError: The Hub refuses, or can't be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi  # noqa: PLC0415 - heavy
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # noqa: PLC0415

    require_repository(repo)
    hub = api or HfApi(library_name="ferdata")
    operations = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=file)
        for name, file in sorted(upload.files.items())
    ]
    try:
        made = hub.create_repo(repo, repo_type=upload.kind, private=not public, exist_ok=True)
        hub.create_commit(
            repo, operations, commit_message="Upload by ferdata", repo_type=upload.kind
        )
    except (HTTPError, OSError) as error:  # offline, no token, no right to write there
        first_line = (str(error).strip() or repr(error)).splitlines()[0]
        raise FerdataError(
            f"{repo}: the Hugging Face Hub can't be reached or refuses ({first_line}); log in with "
            "`hf auth login`, with a token that may write there"
        ) from error
    return str(made)


def require_repository(repo: str) -> None:
    """Check the name of a repository.

    Raises:
        OptionError: The Hub would not accept it.
    """
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415 - heavy
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # noqa: PLC0415

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise OptionError(f"--push {repo}: {error}; write USER/NAME") from None
