from __future__ import annotations

import warnings

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


@pytest.fixture(autouse=True)
def no_advice():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_own_module_in_ten_lines() -> None:
    """Train a LightningModule of one's own on a build."""
    import lightning as L

    from ferdata.data import FerDataModule

    class Mine(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 7))

        def training_step(self, batch, batch_idx):
            x, y = batch
            return torch.nn.functional.cross_entropy(self.net(x), y)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    data = FerDataModule("out/rafdb", batch_size=32, as_tuple=True, dtype=torch.float32)
    trainer = L.Trainer(max_epochs=2, **QUIET)
    trainer.fit(Mine(), datamodule=data)

    assert trainer.current_epoch == 2


def test_old_name_of_lightning() -> None:
    """The same with `import pytorch_lightning`."""
    pl = pytest.importorskip("pytorch_lightning")

    from ferdata.data import FerDataModule

    class Mine(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 7))

        def training_step(self, batch, batch_idx):
            x, y = batch
            return torch.nn.functional.cross_entropy(self.net(x), y)

        def test_step(self, batch, batch_idx):
            x, y = batch
            self.log("accuracy", (self.net(x).argmax(1) == y).float().mean())

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    data = FerDataModule("out/rafdb", batch_size=32, as_tuple=True, dtype=torch.float32)
    model, trainer = Mine(), pl.Trainer(max_epochs=1, **QUIET)
    trainer.fit(model, datamodule=data)
    (scores,) = trainer.test(model, datamodule=data, verbose=False)

    assert 0 <= scores["accuracy"] <= 1


def test_transforms_in_the_data_module() -> None:
    """Give the data module transforms, random ones for train only."""
    import lightning as L
    from torchvision.transforms import v2

    from ferdata.data import FerDataModule

    class Mine(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 28 * 28, 7))

        def training_step(self, batch, batch_idx):
            return torch.nn.functional.cross_entropy(self.net(batch["image"]), batch["label"])

        def validation_step(self, batch, batch_idx):
            self.log("loss", self.training_step(batch, batch_idx))

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters())

    to_float = v2.ToDtype(torch.float32, scale=True)
    data = FerDataModule(
        "out/rafdb",
        batch_size=32,
        transform=v2.Compose([v2.RandomCrop(28), to_float]),
        eval_transform=v2.Compose([v2.CenterCrop(28), to_float]),
    )
    trainer = L.Trainer(max_epochs=1, **QUIET)
    trainer.fit(Mine(), datamodule=data)

    assert trainer.callback_metrics["loss"].isfinite()


def test_plain_dataloaders() -> None:
    """Give the trainer DataLoaders instead of a data module."""
    import lightning as L
    from torch.utils.data import DataLoader

    import ferdata

    class Mine(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 7))

        def predict_step(self, batch, batch_idx):
            return self.net(batch[0]).argmax(1)

    test = ferdata.open("out/rafdb").dataset("test", as_tuple=True, dtype=torch.float32)
    predictions = L.Trainer(**QUIET).predict(Mine(), DataLoader(test, batch_size=8))

    assert len(torch.cat(predictions)) == len(test)
