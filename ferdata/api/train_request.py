"""A call of `train`: put together from options, a file and a recipe, checked, carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ferdata.api.paths import PathLike, as_path
from ferdata.core.config import read_config
from ferdata.core.errors import OptionError
from ferdata.data import build as opened
from ferdata.models.timm_names import require_model
from ferdata.runs.folder import RunFolder, default_folder
from ferdata.runs.options import TrainOptions

if TYPE_CHECKING:
    from ferdata.training.report import RunReport


def run_train(
    build: PathLike | opened.Build | None,
    options: Mapping[str, Any],
    *,
    out: PathLike | None = None,
    config: PathLike | None = None,
    resume: bool = False,
    quiet: bool = False,
    spelled: Callable[[str], str] = str,
) -> RunReport:
    """Carry out a call of `train` and return its report.

    Args:
        build: As for `train`, like all but the last; None for the one in the file.
        options: Training options by name.
        out: The run's folder.
        config: A file with more options, and with `build`.
        resume: Whether to continue.
        quiet: Show no progress.
        spelled: How an option is written where the call comes from, for messages.

    Raises:
        FerdataError: As for `train`.
    """
    from ferdata.training.recipe_options import overlay, run_options  # noqa: PLC0415 - reads YAML

    written = read_config(config) if config is not None else {}
    in_file = written.pop("build", None)
    build = in_file if build is None else build
    given = overlay(written, options)
    TrainOptions.checked(given, kind="training option", spelled=spelled)
    if build is None:
        raise OptionError("name the build to train on, the --out of `ferdata build`")
    data = opened.Build.open(build if isinstance(build, opened.Build) else as_path(build, "build"))
    recipe, folder = given.pop("recipe", None), None if out is None else as_path(out, "out")
    resolved = run_options(given, data, recipe=recipe, out=folder, resume=resume)
    require_model(resolved.model)
    folder = folder or default_folder(data.name, resolved.model)
    if not resume:
        RunFolder(folder).start()  # said before torch is loaded
    from ferdata.training import run_training  # noqa: PLC0415 - torch is heavy

    return run_training(data.root, folder, resolved, resume=resume, quiet=quiet)
