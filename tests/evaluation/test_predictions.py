"""What a classifier answers, image by image."""

import numpy as np
import pytest
import torch
from support.builds import write_build
from torch import nn

from ferdata.core.errors import ModelFileError
from ferdata.core.labels import BASIC7, LabelSpace
from ferdata.data import Build, SplitArrays
from ferdata.evaluation.predictions import Answers, collect_answers
from ferdata.models.classifier import Classifier
from ferdata.models.spec import ModelSpec

CPU = torch.device("cpu")


class FirstPixel(nn.Module):
    """Answers with the first pixels as logits, so that every row can be told."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.priors = []

    def forward(self, images, prior=None):
        self.priors.append(prior)
        return images[:, 0, 0, :7] * self.scale


def classifier(scheme: str | None = None) -> Classifier:
    spec = ModelSpec(
        model="first_pixel", label_space="basic7", labels=BASIC7.names, channels=3,
        input_size=(32, 32), mean=(0.5,) * 3, std=(0.2,) * 3, landmark_scheme=scheme,
    )  # fmt: skip
    return Classifier(FirstPixel(), spec)


def test_rows_and_logits_stay_together_when_some_are_left_out(tmp_path):
    space = LabelSpace("mine", ("awe", "sadness", "anger"))
    labels = [k % 3 for k in range(300)]  # more than two batches
    build = Build.open(write_build(tmp_path, {"test": labels}, space=space))
    answers = collect_answers(classifier(), build, "test", CPU, quiet=True)
    assert answers.left_out == {"awe": 100}
    assert answers.index.tolist() == [k for k in range(300) if k % 3]
    assert answers.label[:2].tolist() == [BASIC7.index("sadness"), BASIC7.index("anger")]
    images = SplitArrays(build, "test").gather(answers.index)["image"]
    expected = (images[:, 0, :7, 0] / 255 - 0.5) / 0.2
    np.testing.assert_allclose(answers.logits, expected, atol=1e-5)
    assert answers.logits.dtype == np.float32


def test_a_model_with_a_prior_sees_the_landmarks_of_its_rows(tmp_path):
    build = Build.open(write_build(tmp_path, {"test": [0, 1, 2]}, scheme="five"))
    model = classifier("five")
    collect_answers(model, build, "test", CPU, quiet=True)
    points = SplitArrays(build, "test").gather([0, 1, 2], ["landmarks"])["landmarks"]
    torch.testing.assert_close(model.model.priors[0], model.prior(torch.tensor(points), 32, 32))
    plain = classifier()
    collect_answers(plain, build, "test", CPU, quiet=True)
    assert plain.model.priors == [None]


def test_answers_that_are_no_numbers_are_an_error(tmp_path):
    build = Build.open(write_build(tmp_path, {"test": [0, 1]}))
    model = classifier()
    model.model.scale.data.fill_(float("nan"))
    with pytest.raises(ModelFileError, match=r"not numbers.*diverged"):
        collect_answers(model, build, "test", CPU, quiet=True)


def test_probabilities_sum_to_one_and_belong_to_the_answer():
    logits = np.float32([[1000, 0], [0, np.log(3)], [0, 0]])
    answers = Answers(("a", "b"), np.arange(3), np.array([0, 0, 1]), logits, {})
    assert answers.probabilities.sum(axis=1) == pytest.approx(1)
    assert answers.confidence == pytest.approx([1, 0.75, 0.5])
    assert answers.predicted.tolist() == [0, 1, 0]
    assert answers.right.tolist() == [True, False, False]
    assert answers.confusion().tolist() == [[1, 1], [1, 0]]
    assert answers.confusion(np.array([1])).tolist() == [[0, 1], [0, 0]]
