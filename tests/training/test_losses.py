"""The training losses, against their formulas."""

import pytest
import torch
from torch.nn import functional

from ferdata.training import TrainOptions
from ferdata.training.losses import CenterLoss, ClassificationLoss

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(6, 4, generator=GENERATOR)
LABELS = torch.tensor([0, 1, 2, 3, 1, 1])
FEATURES = torch.randn(6, 5, generator=GENERATOR)


def test_smoothing_and_weights_are_torchs():
    loss = ClassificationLoss(TrainOptions(label_smoothing=0.1), [1.0, 2.0, 3.0, 4.0])
    expected = functional.cross_entropy(
        LOGITS, LABELS, torch.tensor([1.0, 2.0, 3.0, 4.0]), label_smoothing=0.1
    )
    assert loss(LOGITS, {"label": LABELS}) == expected


def test_label_smoothing_is_the_cross_entropy_with_a_share_spread_evenly():
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


def test_weights_do_not_depend_on_their_scale():
    small = ClassificationLoss(TrainOptions(), [0.1, 0.2, 0.3, 0.4])
    large = ClassificationLoss(TrainOptions(), [1.0, 2.0, 3.0, 4.0])
    batch = {"label": LABELS}
    torch.testing.assert_close(small(LOGITS, batch), large(LOGITS, batch))


def test_soft_labels_keep_the_size_of_the_loss_under_class_weights():
    counts = torch.tensor([3.0, 1.0, 1.0, 1.0])
    weights = (counts.sum() / counts).tolist()
    labels = torch.tensor([0, 0, 0, 1, 2, 3])  # in these shares
    batch = {"label": labels, "soft_label": functional.one_hot(labels, 4).float()}
    even = torch.zeros(6, 4)
    soft = ClassificationLoss(TrainOptions(loss="soft_cross_entropy"), weights)
    hard = ClassificationLoss(TrainOptions(), weights)
    torch.testing.assert_close(soft(even, batch), hard(even, batch))


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
