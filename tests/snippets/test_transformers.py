from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture
def pretrained(tmp_path):
    """A folder that stands for a model of the Hub: tiny, of random weights."""
    from transformers import MobileNetV2Config, MobileNetV2ForImageClassification
    from transformers.models.mobilenet_v2 import MobileNetV2ImageProcessor

    config = MobileNetV2Config(depth_multiplier=0.1, min_depth=8, image_size=32, num_labels=3)
    MobileNetV2ForImageClassification(config).save_pretrained(tmp_path / "model")
    processor = MobileNetV2ImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    processor.save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def test_fine_tuning_with_the_trainer(pretrained, tmp_path) -> None:
    """Fine-tune a model with transformers' Trainer and AutoImageProcessor."""
    from datasets import load_dataset
    from transformers import (
        AutoImageProcessor,
        AutoModelForImageClassification,
        Trainer,
        TrainingArguments,
    )

    data = load_dataset("out/rafdb/hf")
    names = data["train"].features["label"].names
    processor = AutoImageProcessor.from_pretrained(pretrained)
    model = AutoModelForImageClassification.from_pretrained(
        pretrained,
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        ignore_mismatched_sizes=True,
    )

    def transform(rows):
        inputs = processor(rows["image"], return_tensors="pt")
        inputs["labels"] = rows["label"]
        return inputs

    data = data.with_transform(transform)
    trainer = Trainer(
        model,
        TrainingArguments(
            str(tmp_path / "run"),
            max_steps=2,
            per_device_train_batch_size=8,
            remove_unused_columns=False,
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
        ),
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        processing_class=processor,
        compute_metrics=lambda result: {
            "accuracy": float((result.predictions.argmax(1) == result.label_ids).mean())
        },
    )
    trainer.train()
    scores = trainer.evaluate()

    assert 0 <= scores["eval_accuracy"] <= 1
    assert trainer.predict(data["test"]).predictions.shape == (len(data["test"]), 7)


def test_trainer_on_the_shards(pretrained, tmp_path) -> None:
    """Give the Trainer the torch dataset, which reads faster."""
    from transformers import AutoModelForImageClassification, Trainer, TrainingArguments

    import ferdata

    train = ferdata.open("out/rafdb").dataset("train", as_tuple=True, dtype=torch.float32)
    model = AutoModelForImageClassification.from_pretrained(
        pretrained, num_labels=len(train.classes), ignore_mismatched_sizes=True
    )

    def collate(samples):
        images, labels = zip(*samples, strict=True)
        return {"pixel_values": torch.stack(images), "labels": torch.tensor(labels)}

    arguments = TrainingArguments(
        str(tmp_path / "run"),
        max_steps=2,
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    result = Trainer(model, arguments, train_dataset=train, data_collator=collate).train()

    assert result.global_step == 2


def test_image_processor_on_samples(pretrained) -> None:
    """Feed single images of the shards to an image processor."""
    from transformers import AutoImageProcessor

    from ferdata.data import ShardDataset

    processor = AutoImageProcessor.from_pretrained(pretrained)
    test = ShardDataset("out/rafdb", "test", as_tuple=True)
    inputs = processor([image for image, _ in test[:4]], return_tensors="pt")

    assert inputs["pixel_values"].shape == (4, 3, 32, 32)
