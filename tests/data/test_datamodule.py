from __future__ import annotations

import logging
import subprocess
import sys
import warnings

import pytest

pytest.importorskip("lightning")

import lightning as L  # noqa: N812
import torch

from ferdata.core.errors import OptionError
from ferdata.data import FerDataModule

pytestmark = pytest.mark.filterwarnings("ignore")


class Recorder(L.LightningModule):
    """Notes which rows it sees; trains one number."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: dict[str, list[tuple[int, list[int]]]] = {"train": [], "val": [], "test": []}
        self.stop_at = stop_at

    def training_step(self, batch, batch_idx):
        self.seen["train"].append((self.current_epoch, batch["index"].tolist()))
        return self.weight * batch["image"].float().mean()

    def on_train_batch_end(self, outputs, batch, batch_idx):
        if len(self.seen["train"]) == self.stop_at:
            self.trainer.save_checkpoint(self.checkpoint_path)

    def validation_step(self, batch, batch_idx):
        self.seen["val"].append((self.current_epoch, batch["index"].tolist()))

    def test_step(self, batch, batch_idx):
        self.seen["test"].append((self.current_epoch, batch["index"].tolist()))

    def predict_step(self, batch, batch_idx):
        return batch["index"]

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def trainer(root, **options):
    return L.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=root,
        num_sanity_val_steps=0,
        **options,
    )


def test_fit_test_predict(mini, tmp_path):
    data = FerDataModule(mini.root, batch_size=16, seed=4)
    task = Recorder()
    run = trainer(tmp_path, max_epochs=2)
    run.fit(task, datamodule=data)
    epochs = [[rows for epoch, rows in task.seen["train"] if epoch == number] for number in (0, 1)]
    for batches in epochs:
        assert sorted(row for rows in batches for row in rows) == list(range(100))
    assert epochs[0] != epochs[1]
    assert [rows for epoch, rows in task.seen["val"] if epoch == 1] == [list(range(9))]
    run.test(task, datamodule=data, verbose=False)
    assert [row for _, rows in task.seen["test"] for row in rows] == list(range(17))
    assert torch.cat(run.predict(task, datamodule=data)).tolist() == list(range(17))
    assert data.class_weights().shape == (3,)
    assert data.label_space.names[0] == "anger"


@pytest.mark.parametrize("stop_at", [3, 6, 7, 8, 10])
def test_a_resumed_run_sees_the_same_batches(mini, tmp_path, stop_at):
    whole = Recorder(stop_at)
    whole.checkpoint_path = tmp_path / "middle.ckpt"
    trainer(tmp_path, max_epochs=2).fit(whole, datamodule=FerDataModule(mini.root, 16))
    resumed = Recorder()
    trainer(tmp_path, max_epochs=2).fit(
        resumed, datamodule=FerDataModule(mini.root, 16), ckpt_path=whole.checkpoint_path
    )
    assert resumed.seen["train"] == whole.seen["train"][stop_at:]


def test_without_validation(make_build, tmp_path):
    mini = make_build({"train": [40], "test": [5]})
    trainer(tmp_path, max_epochs=1).fit(Recorder(), datamodule=FerDataModule(mini.root, 16))


def trainer_of(package: str, root, **options):
    module = pytest.importorskip(package)
    return module, module.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=root,
        **options,
    )


@pytest.mark.parametrize("package", ["lightning", "pytorch_lightning"])
def test_the_trainers_of_both_names_take_it(mini, tmp_path, package):
    module, run = trainer_of(package, tmp_path, max_epochs=2)
    seen = {"train": [], "val": []}

    class Mine(module.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 20 * 20, 3))

        def training_step(self, batch, _):
            x, y = batch
            seen["train"].append(y.tolist())
            return torch.nn.functional.cross_entropy(self.net(x), y)

        def validation_step(self, batch, _):
            seen["val"] += batch[1].tolist()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)

    data = FerDataModule(mini.root, 32, as_tuple=True, dtype=torch.float32)
    assert isinstance(data, module.LightningDataModule)
    run.fit(Mine(), datamodule=data)
    assert [len(rows) for rows in seen["train"]] == [32, 32, 32, 4] * 2
    assert seen["train"][:4] != seen["train"][4:]
    assert seen["val"][-9:] == mini.arrays["validation"]["label"].tolist()


def half(image):
    assert image.shape == (3, 20, 20)
    return image.float() / 2


def test_transforms_and_the_order_of_epochs(mini, tmp_path):
    def epochs(seed):
        task = Recorder()
        data = FerDataModule(
            mini.root,
            16,
            seed=seed,
            fields=("image", "label", "index"),
            transform=half,
            eval_transform=half,
        )
        run = trainer(tmp_path, max_epochs=2)
        run.fit(task, datamodule=data)
        run.test(task, datamodule=data, verbose=False)
        assert [row for _, rows in task.seen["test"] for row in rows] == list(range(17))
        return task.seen["train"]

    first = epochs(4)
    by_epoch = [
        [row for epoch, rows in first if epoch == number for row in rows] for number in (0, 1)
    ]
    assert all(sorted(rows) == list(range(100)) for rows in by_epoch)
    assert by_epoch[0] != by_epoch[1]
    assert epochs(4) == first
    assert epochs(5) != first


def test_transforms_of_a_subset_and_of_labels(mini):
    data = FerDataModule(
        mini.root,
        8,
        as_tuple=True,
        target_transform=[2, 1, 0].__getitem__,
        subset=0.2,
        subset_epochs=1,
    )
    labels = torch.cat([labels for _, labels in data.train_dataloader()])
    assert len(labels) == 20
    assert data.epoch_batches(0) == 3
    assert data.epoch_batches(1) == 13
    tested = torch.cat([labels for _, labels in data.test_dataloader()])
    assert tested.tolist() == (2 - mini.arrays["test"]["label"]).tolist()


def test_transforms_that_do_not_fit(mini):
    with pytest.raises(OptionError, match="eval_transform is missing"):
        FerDataModule(mini.root, transform=half)
    with pytest.raises(OptionError, match=r"^transform is missing"):
        FerDataModule(mini.root, eval_transform=half)
    with pytest.raises(OptionError, match="num_workers=4 without"):
        FerDataModule(mini.root, num_workers=4)


def test_messages_stay_with_the_lightning_that_you_imported():
    pytest.importorskip("pytorch_lightning")
    program = (
        "import pytorch_lightning; from ferdata.data import FerDataModule;"
        "from lightning_utilities.core import rank_zero; print(rank_zero.log.name)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "pytorch_lightning.utilities.rank_zero"
