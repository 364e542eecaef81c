"""What is where in the folder of a training run.

RUN/
  run.json                     options, build, model: written first, completed at the end
  metrics.csv                  one row per epoch
  curves.png                   the same as a picture
  tensorboard/                 the same for TensorBoard
  checkpoints/best.ckpt        the best epoch on validation
  checkpoints/last.ckpt        the last complete epoch, from which --resume goes on
  evaluation/BUILD-SPLIT-best/ report.json; predictions, groups and confusion as CSV; pictures.
                               Of another build than the run's own with the hash of its plan
  export/best.onnx             what `ferdata export` made
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from ferdata.core.errors import ModelFileError, OptionError
from ferdata.core.files import read_json, write_json
from ferdata.models.spec import ModelSpec
from ferdata.runs.options import TrainOptions, merge_for_resume


class RunRecord(BaseModel):
    """Contents of `run.json`.

    Attributes:
        format: Version of this layout.
        options: Options of the run.
        build: The build that is trained on: name, plan hash, image, options.
        spec: The model.
        results: The report of the run once it is complete.
    """

    format: Literal["ferdata-run/1"] = "ferdata-run/1"
    options: TrainOptions
    build: dict[str, Any]
    spec: ModelSpec
    results: dict[str, Any] | None = None


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
        return self.path / "run.json"

    @property
    def metrics_file(self) -> Path:
        """The file with one row per epoch."""
        return self.path / "metrics.csv"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    def checkpoint(self, which: str) -> Path:
        """Return the file of the `"best"` or `"last"` checkpoint."""
        return self.checkpoints / f"{which}.ckpt"

    def evaluation(self, build: str, plan: str, split: str, which: str) -> Path:
        """Return the folder for scores of one checkpoint on one split of one build.

        Args:
            build: The build's name.
            plan: The hash of its plan. Builds may share a name, so it is part of the folder's name
                for any but the build that the run was trained on.
            split: The split.
            which: `"best"` or `"last"`.
        """
        own = self.read().build.get("plan_sha256") == plan
        mark = "" if own else f"-{plan[:8]}"
        return self.path / "evaluation" / f"{_plain(build)}{mark}-{_plain(split)}-{which}"

    def read(self) -> RunRecord:
        """Read the record.

        Raises:
            OptionError: There is no run here.
            ModelFileError: `run.json` is not what ferdata wrote.
        """
        if not self.record_file.is_file():
            raise OptionError(
                f"{self.path} holds no training run (no run.json); "
                "give the folder that `ferdata train` printed as its run."
            )
        try:
            return RunRecord.model_validate(read_json(self.record_file))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ModelFileError(
                f"{self.record_file}: {where}: {first['msg']}; the file is damaged or from "
                "another version of ferdata. Train again with another --out."
            ) from error

    def write(self, record: RunRecord) -> None:
        """Write the record, whole or not at all."""
        write_json(self.record_file, record.model_dump(mode="json"))

    def start(self) -> None:
        """Make sure that no earlier run is overwritten.

        A run that has not completed an epoch has nothing to lose.

        Raises:
            OptionError: There is a run here already.
        """
        if self.checkpoint("last").exists():
            raise OptionError(
                f"{self.path} holds a training run already; go on with it by --resume, "
                "or start another with --out FOLDER."
            )

    def resume(self, asked: TrainOptions, build: dict[str, Any]) -> TrainOptions:
        """Return the options under which the run goes on.

        Args:
            asked: Options of this call; those set explicitly must agree with the run.
            build: Facts of the build as in `RunRecord`.

        Raises:
            OptionError: There is no run here, or the call asks for something else.
        """
        record = self.read()
        if record.build["plan_sha256"] != build["plan_sha256"]:
            raise OptionError(
                f"{self.path} was trained on the build {record.build['name']!r} with plan "
                f"{record.build['plan_sha256'][:12]}…, this one is {build['name']!r} with plan "
                f"{build['plan_sha256'][:12]}…; --resume needs the same. Start another run with "
                "--out FOLDER."
            )
        return merge_for_resume(record.options, asked)


def default_folder(build: str, model: str) -> Path:
    """Return `runs/BUILD-MODEL`, where a run goes if nothing else is said."""
    return Path("runs") / f"{_plain(build)}-{_plain(model)}"


def _plain(name: str) -> str:
    """Keep letters, digits, `._-`; a name then can't leave its folder."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)
    return kept.strip(".") or "unnamed"
