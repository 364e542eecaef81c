"""Builds: made, opened, looked at, read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from ferdata.api.build_request import run_build
from ferdata.api.guesses import AnswersGuesses, require_options
from ferdata.api.paths import DataFolders, PathLike, as_path
from ferdata.core import html
from ferdata.core.errors import OptionError
from ferdata.core.extras import require_module
from ferdata.data import build as opened
from ferdata.shards.record import BuildRecord

if TYPE_CHECKING:
    import datasets

    from ferdata.core.manifest import Manifest
    from ferdata.data import FerDataModule, ShardDataset, ShardLoader
    from ferdata.exports import BuildExportReport
    from ferdata.shards.verify_report import VerifyReport

_SAMPLES = 8  # images that a notebook shows


class Build(AnswersGuesses, opened.Build):
    """A finished build: a mapping of its splits, with all that is known about it.

        build = ferdata.Build("out/rafdb")      # the same as ferdata.open("out/rafdb")
        list(build), build["train"]             # names of splits, a torch dataset

    Args:
        root: The build directory.
        record: Its record, where that was read already.

    Attributes:
        root: The build directory.
        record: What it holds: counts, options, versions, leaks, notes, the hash of every file.

    Raises:
        BuildError: There is no build, it is not finished, or its `build.json` is damaged.
    """

    guesses: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("train", "training"), 'build.dataset("train")'),
        **dict.fromkeys(("val", "valid", "validation", "dev"), 'build.dataset("validation")'),
        "test": 'build.dataset("test")',
        **dict.fromkeys(("path", "dir", "folder", "out"), "build.root"),
        **dict.fromkeys(("df", "dataframe", "to_pandas", "to_df"), "build.manifest.to_pandas()"),
        **dict.fromkeys(("classes", "class_names", "labels", "names"), "build.label_space.names"),
        **dict.fromkeys(("num_classes", "n_classes"), "len(build.label_space)"),
        **dict.fromkeys(("dataloader", "train_loader"), 'build.loader("train", batch_size=64)'),
        **dict.fromkeys(("images", "X", "y"), 'build.dataset("train")'),
        "options": "build.record.options",
        "evaluate": "run.evaluate(build)",
        "fit": 'ferdata.train(build, model="a_mobilenet")',
    }

    def __init__(self, root: PathLike, record: BuildRecord | None = None) -> None:
        folder = as_path(root, "root")
        super().__init__(folder, record or BuildRecord.open(folder))

    def __getitem__(self, split: str) -> ShardDataset:
        """Return a split as a map-style torch dataset."""
        return self.dataset(split)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the splits."""
        return iter(self.splits)

    def __len__(self) -> int:
        """Return the number of splits; `len(build["train"])` is the number of images in one."""
        return len(self.splits)

    @cached_property
    def manifest(self) -> Manifest:
        """One row per stored image: labels, splits, landmarks, hashes, augmentation."""
        from ferdata.core.manifest import Manifest  # noqa: PLC0415 - loads pyarrow

        return Manifest.load(self.root / "manifest.parquet")

    @cached_property
    def rejects(self) -> tuple[Any, ...]:
        """The rows that were rejected, each with its stage and reason."""
        from ferdata.core.rejects import load_rejects  # noqa: PLC0415 - loads pyarrow

        return load_rejects(self.root / "rejects.parquet")

    def summary(self) -> str:
        """Return a text with counts, properties, leaks, rejects and what to do next."""
        from ferdata.shards.summary import summary  # noqa: PLC0415 - keeps opening light

        return summary(self.record, self.root)

    def verify(self, *, quiet: bool = True) -> VerifyReport:
        """Check every file against its hash and every row against the manifest."""
        return verify(self, quiet=quiet)

    def dataset(self, split: str = "train", **options: Any) -> ShardDataset:
        """Return a split as a map-style torch dataset.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            **options: As for `ferdata.data.ShardDataset`.

        Raises:
            UnknownNameError: The build has no such split.
            MissingExtraError: torch is not installed.
        """
        self.split(split)
        from ferdata.data import ShardDataset  # noqa: PLC0415 - loads torch

        require_options(options, ShardDataset)
        return ShardDataset(self, split, **options)

    def loader(self, split: str = "train", **options: Any) -> ShardLoader:
        """Return batches of a split, read straight from the shards; the fastest way.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            **options: As for `ferdata.data.ShardLoader`, for instance `batch_size=64`.

        Raises:
            UnknownNameError: The build has no such split.
            MissingExtraError: torch is not installed.
        """
        self.split(split)
        from ferdata.data import LoaderOptions, ShardLoader  # noqa: PLC0415 - loads torch

        require_options(options, ShardLoader, LoaderOptions)
        return ShardLoader(self, split, **options)

    def datamodule(self, **options: Any) -> FerDataModule:
        """Return a Lightning data module.

        Args:
            **options: As for `ferdata.data.FerDataModule`, for instance `batch_size=64`.

        Raises:
            MissingExtraError: Lightning is not installed.
        """
        from ferdata.data import (  # noqa: PLC0415 - loads torch and Lightning
            FerDataModule,
            LoaderOptions,
            TransformOptions,
        )

        require_options(options, FerDataModule, LoaderOptions, TransformOptions)
        return FerDataModule(self, **options)

    def to_hf(self) -> datasets.DatasetDict:
        """Return the build as a Hugging Face `DatasetDict`.

        Raises:
            OptionError: The build was made without the format `hf`.
            MissingExtraError: The extra `hf` is not installed.
        """
        if "hf" not in self.record.options.formats:
            raise OptionError(
                f"{self.root}: built without the Hugging Face dataset; build again with "
                "--formats hdf5,hf"
            )
        require_module("datasets", "to_hf()")
        import datasets  # noqa: PLC0415 - heavy

        loaded: datasets.DatasetDict = datasets.load_dataset(str(self.root / "hf"))
        return loaded

    def push_to_hub(self, repo: str, *, private: bool = True, overwrite: bool = False) -> str:
        """Upload the Hugging Face dataset with its card, where the terms of its datasets allow it.

        Args:
            repo: Repository on the Hugging Face Hub, `"USER/NAME"`; made if there is none.
            private: Make a new repository a private one.
            overwrite: Replace a card that was edited by hand.

        Returns:
            The address of the repository.

        Raises:
            TermsError: The terms of a dataset forbid passing its images on, or don't say.
            FerdataError: The build has no Hugging Face dataset or is damaged, or the Hub refuses.
        """
        from ferdata.api.card_files import build_card  # noqa: PLC0415 - keeps opening light

        return build_card(self, repo, public=not private, overwrite=overwrite).pushed

    def export(self, to: str, *, out: PathLike, **options: Any) -> BuildExportReport:
        """Write the build as a folder that another library opens; see `ferdata.export`."""
        from ferdata.exports import export_build  # noqa: PLC0415 - keeps opening light

        return export_build(self, to, as_path(out, "out"), **options)

    def __repr__(self) -> str:
        splits = ", ".join(f"{name}: {split.rows:,}" for name, split in self.splits.items())
        image = "×".join(map(str, self.image.shape))
        leaks = ", LEAKS" if self.leaks else ""
        return (
            f"Build({self.name!r}, {splits}; {len(self.label_space)} classes, {image}{leaks}, "
            f"root={str(self.root)!r})"
        )

    def _repr_html_(self) -> str:
        splits = self.splits.items()
        rows: list[list[object]] = [
            [name, *(split.counts.get(name, 0) for _, split in splits)]
            for name in self.label_space.names
        ]
        rows.append(["all", *(split.rows for _, split in splits)])
        properties = {
            "folder": self.root,
            "images": f"{'×'.join(map(str, self.image.shape))}, {self.image.encoding}",
            "split": self.record.options.split,
            "landmarks": self.landmarks.scheme,
            "plan": self.plan_sha256[:12],
            **{f"note {number}": note for number, note in enumerate(self.record.notes, 1)},
        }
        return "".join(
            [
                f"<h4>{escape(', '.join(self.record.datasets.values()) or self.name)}</h4>",
                html.warnings(f"This build leaks: {leak}" for leak in self.leaks),
                html.table(["class", *(name for name, _ in splits)], rows),
                html.definitions(properties),
                html.images(self._samples()),
            ]
        )

    def _samples(self) -> list[tuple[Any, str]]:
        """Return the first train image of each class with its label."""
        from ferdata.data.arrays import SplitArrays  # noqa: PLC0415 - loads numpy and h5py

        split = next(iter(self.splits))
        if "hdf5" not in self.record.options.formats:
            return []
        arrays = SplitArrays(self, split)
        labels = arrays.column("label")
        first = [int((labels == label).argmax()) for label in sorted(set(labels.tolist()))]
        batch = arrays.gather(first[:_SAMPLES], ("image", "label"))
        names = self.label_space.decode(batch["label"].tolist())
        return list(zip(batch["image"], names, strict=True))


def build(
    name: str | None = None,
    data: DataFolders | None = None,
    out: PathLike | None = None,
    *,
    import_from: str | None = None,
    demo: bool = False,
    demo_scale: float | None = None,
    config: PathLike | None = None,
    **options: Any,
) -> Build:
    """Build a dataset or a mix: landmarks, splits, balanced classes, shards.

    A build that was interrupted is resumed by the same call. The result depends on the data, the
    options and the seed, never on the number of workers.

    Args:
        name: A dataset, for instance `"rafdb"`, a mix, for instance `"FER_CK+_KDEF"`, or the path
            of the YAML file of a mix or of a set of one's own.
        data: The folder that holds the data; for a mix one folder, or a mapping of dataset names
            to folders.
        out: The build directory.
        import_from: Data in another library's format, instead of `data`: `"hf:PATH"`, a Hugging
            Face dataset on disk, or `"fiftyone:PATH"`. `name` is then the set's name, by default
            that of the dataset or its folder.
        demo: Build from a synthetic copy, which is drawn into `out/demo`.
        demo_scale: Size of the synthetic copy, as a fraction of the real number of images; default
            0.05.
        config: YAML file with arguments and options by name; those given here override it.
        **options: Options of `ferdata.shards.BuildOptions` and `ferdata.shards.Execution`, and
            choices of the dataset, for instance `size=96`, `augment="balance"`, `poses="half"`.

    Raises:
        FerdataError: A name or an option is wrong, the data are not as they should be, or `out`
            holds another build; the message says what to do.
    """
    given = {"name": name, "out": out, "data": data, "demo": demo, "demo_scale": demo_scale}
    given["import_from"] = import_from
    return Build.open(run_build(given, options, config=config).out)


def verify(build: PathLike | opened.Build, *, quiet: bool = False) -> VerifyReport:
    """Check every file of a build against its hash and every row against the manifest.

    Args:
        build: A build, open or by its directory.
        quiet: Show no progress.

    Returns:
        The report; `report.ok` says whether nothing differs.

    Raises:
        BuildError: The folder holds no finished build.
    """
    from ferdata.shards.verify import verify as verify_build  # noqa: PLC0415 - loads pyarrow

    root = build.root if isinstance(build, opened.Build) else as_path(build, "build")
    return verify_build(root, quiet=quiet)
