"""The training losses, against their formulas."""

import pytest
import torch
from torch.nn import functional

from ferdata.runs.options import TrainOptions
from ferdata.training.losses import CenterLoss, ClassificationLoss

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(6, 4, generator=GENERATOR)
LABELS = torch.tensor([0, 1, 2, 3, 1, 1])
FEATURES = torch.randn(6, 5, generator=GENERATOR)


def test_label_smoothing_spreads_a_fraction_of_the_target_evenly():
    loss = ClassificationLoss(TrainOptions(label_smoothing=0.1))
    spread = 0.9 * functional.one_hot(LABELS, 4) + 0.1 / 4
    expected = -(spread * LOGITS.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(loss(LOGITS, {"label": LABELS}), expected)


def test_soft_labels_are_learned_as_they_are():
    loss = ClassificationLoss(TrainOptions(loss="soft_cross_entropy"))
    soft = torch.softmax(torch.randn(6, 4, generator=GENERATOR), dim=1)
    expected = -(soft * LOGITS.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(loss(LOGITS, {"soft_label": soft, "label": LABELS}), expected)


def test_a_one_hot_soft_label_is_a_label():
    soft = ClassificationLoss(TrainOptions(loss="soft_cross_entropy"))
    hard = ClassificationLoss(TrainOptions())
    batch = {"label": LABELS, "soft_label": functional.one_hot(LABELS, 4).float()}
    torch.testing.assert_close(soft(LOGITS, batch), hard(LOGITS, batch))


AFFECTNET = {
    "neutral": 74_874, "happiness": 134_415, "sadness": 25_459, "surprise": 14_090, "fear": 6_378,
    "disgust": 3_803, "anger": 24_882, "contempt": 3_750,
}  # fmt: skip
"""Train images of AffectNet's eight classes (Mollahosseini et al. 2017, table 3)."""
BALANCED = [sum(AFFECTNET.values()) / count for count in AFFECTNET.values()]


def affectnet_labels(images: int = 300) -> torch.Tensor:
    """Return labels in the proportions of AffectNet, each class at least twice."""
    total = sum(AFFECTNET.values())
    counts = [max(2, round(images * count / total)) for count in AFFECTNET.values()]
    return torch.repeat_interleave(torch.arange(8), torch.tensor(counts))


def minimize(loss: ClassificationLoss, batch: dict[str, torch.Tensor], rows: int) -> torch.Tensor:
    """Return the probabilities of free logits, (rows, 8), at which the loss of a batch is least.

    With one row, all images of the batch share the logits: the model can't tell them apart.
    """
    logits = torch.zeros(rows, 8, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [logits], max_iter=3000, tolerance_grad=1e-12, tolerance_change=0,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss(logits.expand(len(batch["label"]), 8), batch)
        value.backward()
        return value

    optimizer.step(closure)
    return logits.detach().softmax(dim=1)


@pytest.mark.parametrize("weights", [None, BALANCED], ids=["plain", "balanced"])
def test_with_smoothing_every_true_class_is_most_likely_where_the_loss_is_least(weights):
    labels = affectnet_labels()
    loss = ClassificationLoss(TrainOptions(label_smoothing=0.1), weights)
    found = minimize(loss, {"label": labels}, len(labels))
    expected = 0.9 * functional.one_hot(labels, 8).double() + 0.1 / 8  # 0.9125 for the true class
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("weights", [None, BALANCED], ids=["plain", "balanced"])
def test_votes_are_predicted_as_they_are_where_the_loss_is_least(weights):
    votes = torch.distributions.Dirichlet(torch.full((8,), 0.5, dtype=torch.float64))
    torch.manual_seed(0)
    soft = 0.95 * votes.sample((120,)) + 0.05 / 8
    loss = ClassificationLoss(TrainOptions(loss="soft_cross_entropy"), weights)
    found = minimize(loss, {"label": soft.argmax(dim=1), "soft_label": soft}, len(soft))
    torch.testing.assert_close(found, soft, atol=2e-3, rtol=0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_balanced_weights_make_a_model_that_sees_nothing_predict_every_class_alike(smoothing):
    labels = affectnet_labels()
    counts = labels.bincount().double()
    loss = ClassificationLoss(
        TrainOptions(label_smoothing=smoothing), (len(labels) / counts).tolist()
    )
    found = minimize(loss, {"label": labels}, 1)
    torch.testing.assert_close(found, torch.full((1, 8), 1 / 8).double(), atol=1e-6, rtol=0)


def test_weights_are_those_of_images_and_only_their_ratios_matter():
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0])
    plain = functional.cross_entropy(LOGITS, LABELS, reduction="none", label_smoothing=0.1)
    expected = (weights[LABELS] * plain).sum() / weights[LABELS].sum()
    batch = {"label": LABELS, "soft_label": functional.one_hot(LABELS, 4).float()}
    for name in ("cross_entropy", "soft_cross_entropy"):
        options = TrainOptions(loss=name, label_smoothing=0.1)
        for scale in (1.0, 0.1):
            loss = ClassificationLoss(options, (scale * weights).tolist())
            torch.testing.assert_close(loss(LOGITS, batch), expected)
            assert not loss.state_dict()


def test_without_smoothing_weights_on_labels_are_torchs():
    weights = [1.0, 2.0, 3.0, 4.0]
    expected = functional.cross_entropy(LOGITS, LABELS, torch.tensor(weights))
    loss = ClassificationLoss(TrainOptions(), weights)
    torch.testing.assert_close(loss(LOGITS, {"label": LABELS}), expected)


def test_without_weights_the_loss_is_torchs_to_the_last_bit():
    loss = ClassificationLoss(TrainOptions(label_smoothing=0.1))
    expected = torch.nn.CrossEntropyLoss(label_smoothing=0.1)(LOGITS, LABELS)
    assert torch.equal(loss(LOGITS, {"label": LABELS}), expected)


def test_the_center_loss_is_half_the_mean_squared_distance():
    loss = CenterLoss(4, 5)
    loss.centers.copy_(torch.randn(4, 5, generator=GENERATOR))
    by_hand = sum(
        float(((x - loss.centers[y]) ** 2).sum()) for x, y in zip(FEATURES, LABELS, strict=True)
    )
    assert float(loss(FEATURES, LABELS)) == pytest.approx(by_hand / 2 / 6, rel=1e-6)


def test_its_gradient_is_the_difference_over_m_as_in_caffe():
    loss = CenterLoss(4, 5)
    loss.centers.copy_(torch.randn(4, 5, generator=GENERATOR))
    features = FEATURES.clone().requires_grad_()
    loss(features, LABELS).backward()
    torch.testing.assert_close(features.grad, (FEATURES - loss.centers[LABELS]) / 6)


def test_centers_move_by_the_caffe_rule():
    loss = CenterLoss(4, 5, rate=0.5)
    loss.centers.copy_(torch.randn(4, 5, generator=GENERATOR))
    expected = loss.centers.clone()
    for j in range(4):
        difference, number = torch.zeros(5), 0
        for x, y in zip(FEATURES, LABELS, strict=True):
            if y == j:
                difference += loss.centers[j] - x
                number += 1
        expected[j] -= 0.5 * difference / (1 + number)
    loss.update(FEATURES, LABELS)
    torch.testing.assert_close(loss.centers, expected)


def test_a_class_that_a_batch_lacks_keeps_its_center():
    loss = CenterLoss(5, 5)
    loss.centers.fill_(2.0)
    loss.update(FEATURES, LABELS)
    assert (loss.centers[4] == 2.0).all()
    assert "centers" in loss.state_dict()
    assert not list(loss.parameters())
