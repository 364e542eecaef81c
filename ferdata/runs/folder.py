"""The files in the folder of a training run.

RUN/
  run.json                     options, build, model: written first, completed at the end
  README.md                    model card, written by `ferdata card`
  metrics.csv                  one row per epoch
  curves.png                   the same as a plot
  tensorboard/                 the same for TensorBoard
  checkpoints/best.ckpt        the best epoch on validation
  checkpoints/last.ckpt        the last complete epoch, from which --resume continues
  checkpoints/best.safetensors the model alone: its weights, and its spec as metadata; and last
  evaluation/BUILD-SPLIT-best/ report.json; predictions, groups and confusion matrix as CSV; plots.
                               On another build than the run's own, the name contains its plan hash
  export/                      written by `ferdata export`
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ferdata.core.errors import BuildError, RunError
from ferdata.data.build import Build
from ferdata.runs.options import TrainOptions, merge_for_resume
from ferdata.runs.record import RunBuild, RunRecord


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run, and its record.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def record_file(self) -> Path:
        """The file of the record."""
        return self.path / RunRecord.file_name

    @property
    def metrics_file(self) -> Path:
        """The file with one row per epoch."""
        return self.path / "metrics.csv"

    @property
    def card_file(self) -> Path:
        """The model card."""
        return self.path / "README.md"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    def checkpoint(self, which: str) -> Path:
        """Return the file of the `"best"` or `"last"` checkpoint."""
        return self.checkpoints / f"{which}.ckpt"

    def weights(self, which: str) -> Path:
        """Return the `"best"` or `"last"` weights without the state of training."""
        return self.checkpoints / f"{which}.safetensors"

    def model_file(self, which: str) -> Path:
        """Return the file to load a model from: its checkpoint, or the weights that are left."""
        checkpoint, weights = self.checkpoint(which), self.weights(which)
        return weights if weights.exists() and not checkpoint.exists() else checkpoint

    def evaluation(self, build: str, plan: str, split: str, which: str) -> Path:
        """Return the folder for the evaluation of one checkpoint on one split of one build.

        Args:
            build: The build's name.
            plan: The hash of its plan. Builds may have the same name, so the hash is part of the
                folder's name unless it is the build that the run was trained on.
            split: The split.
            which: `"best"` or `"last"`.
        """
        own = self.read().build.plan_sha256 == plan
        mark = "" if own else f"-{plan[:8]}"
        return self.path / "evaluation" / f"{_safe_name(build)}{mark}-{_safe_name(split)}-{which}"

    def read(self) -> RunRecord:
        """Read the record.

        Raises:
            RunError: There is no run here, or its `run.json` is damaged.
        """
        return RunRecord.open(self.path)

    def own_build(self) -> Build:
        """Open the build that the run was trained on.

        Raises:
            RunError: There is no run here.
            BuildError: The build is gone, or another one is in its place.
        """
        trained = self.read().build
        if not Path(trained.path).exists():
            raise BuildError(
                f"{self.path} was trained on {trained.path}, which does not exist; name the build "
                "to score on"
            )
        build = Build.open(trained.path)
        if build.plan_sha256 != trained.plan_sha256:
            raise BuildError(
                f"{self.path} was trained on {trained.path} with plan "
                f"{trained.plan_sha256[:12]}…; the build there now has plan "
                f"{build.plan_sha256[:12]}…, so that its test split may contain train images of "
                "the run. Name the build to score on it nevertheless"
            )
        return build

    def start(self) -> None:
        """Check that no earlier run is overwritten; one without a complete epoch may be.

        Raises:
            RunError: There is a run here already.
        """
        if self.checkpoint("last").exists():
            raise RunError(
                f"{self.path} already contains a training run; continue it with --resume, or start "
                "another with --out FOLDER."
            )

    def resume(self, asked: TrainOptions, build: RunBuild) -> TrainOptions:
        """Return the options under which the run is resumed.

        Args:
            asked: Options of this call; those set explicitly must agree with the run.
            build: The build of this call.

        Raises:
            RunError: There is no run here, or it was trained on another build.
            OptionError: The call asks for other options.
        """
        record = self.read()
        before = record.build
        if before.plan_sha256 != build.plan_sha256:
            raise RunError(
                f"{self.path} was trained on the build {before.name!r} with plan "
                f"{before.plan_sha256[:12]}…, this one is {build.name!r} with plan "
                f"{build.plan_sha256[:12]}…. A run can only be resumed on the same build; start "
                "another with --out FOLDER."
            )
        return merge_for_resume(record.options, asked)


def default_folder(build: str, model: str) -> Path:
    """Return `runs/BUILD-MODEL`, the default folder of a run."""
    return Path("runs") / f"{_safe_name(build)}-{_safe_name(model)}"


def _safe_name(name: str) -> str:
    """Replace everything but letters, digits and `._-`, so that a name can't leave its folder."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)
    return kept.strip(".") or "unnamed"
