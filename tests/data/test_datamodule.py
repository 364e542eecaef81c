from __future__ import annotations

import logging
import warnings

import pytest

pytest.importorskip("lightning")

import lightning as L  # noqa: N812
import torch

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
