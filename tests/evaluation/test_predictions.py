"""What a classifier predicts, image by image."""

import numpy as np
import pytest
import torch
from support.builds import write_build
from support.runs import make_predictions, make_spec
from torch import nn

from ferdata.core.errors import ModelFileError
from ferdata.core.labels import BASIC7, LabelSpace
from ferdata.data import Build, SplitArrays
from ferdata.evaluation.predictions import predict_split
from ferdata.models.classifier import Classifier

CPU = torch.device("cpu")


class FirstPixel(nn.Module):
    """Its logits are the first pixels, so that every row can be recognized."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.priors = []

    def forward(self, images, prior=None):
        self.priors.append(prior)
        return images[:, 0, 0, :7] * self.scale


def classifier(scheme: str | None = None) -> Classifier:
    return Classifier(FirstPixel(), make_spec(landmark_scheme=scheme))


def test_rows_and_logits_stay_together_when_some_are_excluded(tmp_path):
    space = LabelSpace("mine", ("awe", "sadness", "anger"))
    labels = [k % 3 for k in range(300)]  # more than two batches
    build = Build.open(write_build(tmp_path, {"test": labels}, space=space))
    predictions = predict_split(classifier(), build, "test", CPU, quiet=True)
    assert predictions.excluded == {"awe": 100}
    assert predictions.index.tolist() == [k for k in range(300) if k % 3]
    assert predictions.label[:2].tolist() == [BASIC7.index("sadness"), BASIC7.index("anger")]
    images = SplitArrays(build, "test").gather(predictions.index)["image"]
    expected = (images[:, 0, :7, 0] / 255 - 0.5) / 0.2
    np.testing.assert_allclose(predictions.logits, expected, atol=1e-5)
    assert predictions.logits.dtype == np.float32


def test_a_model_with_a_prior_sees_the_landmarks_of_its_rows(tmp_path):
    build = Build.open(write_build(tmp_path, {"test": [0, 1, 2]}, scheme="five"))
    model = classifier("five")
    predict_split(model, build, "test", CPU, quiet=True)
    points = SplitArrays(build, "test").gather([0, 1, 2], ["landmarks"])["landmarks"]
    torch.testing.assert_close(model.model.priors[0], model.prior(torch.tensor(points), 32, 32))
    plain = classifier()
    predict_split(plain, build, "test", CPU, quiet=True)
    assert plain.model.priors == [None]


def test_logits_that_are_nan_are_an_error(tmp_path):
    build = Build.open(write_build(tmp_path, {"test": [0, 1]}))
    model = classifier()
    model.model.scale.data.fill_(float("nan"))
    with pytest.raises(ModelFileError, match=r"NaN or infinite; training has diverged"):
        predict_split(model, build, "test", CPU, quiet=True)


def test_probabilities_sum_to_one_and_belong_to_the_predicted_class():
    logits = np.float32([[1000, 0], [0, np.log(3)], [0, 0]])
    predictions = make_predictions(logits, [0, 0, 1])
    assert predictions.probabilities.sum(axis=1) == pytest.approx(1)
    assert predictions.confidence == pytest.approx([1, 0.75, 0.5])
    assert predictions.predicted.tolist() == [0, 1, 0]
    assert predictions.correct.tolist() == [True, False, False]
    assert predictions.confusion().tolist() == [[1, 1], [1, 0]]
    assert predictions.confusion(np.array([1])).tolist() == [[0, 1], [0, 0]]
