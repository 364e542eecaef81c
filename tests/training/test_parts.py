"""The parts of a run, each by itself."""

import numpy as np
import pytest
import torch

from ferdata.core.errors import LabelError, OptionError
from ferdata.core.labels import BASIC7, BASIC8, LabelSpace
from ferdata.models import create_model
from ferdata.models.inputs.preprocess import Preprocess
from ferdata.runs.folder import default_folder
from ferdata.runs.options import TrainOptions, merge_for_resume
from ferdata.training.model_spec import make_spec, model_options


def spec(name="test_resnet", space: LabelSpace = BASIC7, channels: int = 3, **changes):
    model = create_model(name, len(space), in_chans=channels)
    options = TrainOptions(model=name, **changes)
    return make_spec(model, options, space, (32, 32, channels))


def test_preprocess_normalizes_and_orders_axes():
    images = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)
    )
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)
    result = Preprocess(mean, std, (6, 8))(images)
    expected = (images.double() / 255 - torch.tensor(mean)) / torch.tensor(std)
    assert result.shape == (2, 3, 6, 8)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, expected.permute(0, 3, 1, 2).float(), rtol=1e-5, atol=1e-5)
    assert result.is_contiguous(memory_format=torch.channels_last)


def test_preprocess_resizes_to_the_models_size():
    images = torch.full((1, 20, 20, 3), 51, dtype=torch.uint8)
    result = Preprocess((0.0,) * 3, (1.0,) * 3, (8, 12))(images)
    assert result.shape == (1, 3, 8, 12)
    torch.testing.assert_close(result, torch.full_like(result, 0.2))


def test_preprocess_refuses_images_that_may_be_scaled_already():
    with pytest.raises(TypeError, match="uint8"):
        Preprocess((0.0,), (1.0,), (4, 4))(torch.zeros(1, 4, 4, 1))


def test_the_spec_of_gray_images_average_the_normalization():
    gray = spec(channels=1)
    assert len(gray.mean) == len(gray.std) == 1
    assert gray.mean[0] == pytest.approx(sum(spec().mean) / 3)


def test_models_of_one_fixed_size_get_it():
    assert spec("efficientvit_m0").input_size == (224, 224)
    assert spec().input_size == (32, 32)


def test_label_spaces_are_compared_by_names():
    spec().require_labels(LabelSpace("renamed", BASIC7.names), "here")
    with pytest.raises(LabelError, match=r"basic8.*only the data has contempt"):
        spec().require_labels(BASIC8, "here")
    with pytest.raises(LabelError, match="order differs"):
        spec().require_labels(LabelSpace("mixed", BASIC7.names[::-1]), "here")


def test_a_runs_own_size_and_normalization_come_first():
    own = spec(input_size=48, mean=(0.5,), std=(0.25,))
    assert own.input_size == (48, 48)
    assert (own.mean, own.std) == ((0.5,) * 3, (0.25,) * 3)
    with pytest.raises(OptionError, match="mean has 2 values"):
        spec(mean=(0.5, 0.5))


def test_a_model_made_for_one_size_is_made_for_the_size_of_the_run():
    options = TrainOptions(model="efficientvit_m5", input_size=64)
    assert model_options(options) == {"img_size": 64}
    assert model_options(TrainOptions(model="efficientvit_m5")) == {}
    assert model_options(TrainOptions(model="lmfer", input_size=64)) == {}


def test_options_out_of_range_are_named():
    with pytest.raises(OptionError, match="epochs 0: must be at least 1"):
        TrainOptions.checked({"epochs": 0})
    with pytest.raises(OptionError, match="select"):
        TrainOptions.checked({"select": "test"})


def test_resume_keeps_options_and_refuses_others():
    recorded = TrainOptions(epochs=9, lr=0.01)
    assert merge_for_resume(recorded, TrainOptions()) == recorded
    assert merge_for_resume(recorded, TrainOptions(lr=0.01)) == recorded
    assert merge_for_resume(recorded, TrainOptions(device="cpu")).device == "cpu"
    turned = TrainOptions(augment=[{"op": "rotation", "degrees": (0, 20)}])
    read = TrainOptions.model_validate_json(turned.model_dump_json())
    assert merge_for_resume(read, turned) == read
    with pytest.raises(OptionError, match=r"--lr 0.01 \(now 0.1\)"):
        merge_for_resume(recorded, TrainOptions(lr=0.1))


def test_names_can_not_leave_the_runs_folder():
    assert default_folder("a/b", "../../x.y").parts == ("runs", "a-b--..-x.y") or (
        "/" not in default_folder("a/b", "../../x.y").name
    )
    assert default_folder("rafdb", "resnet18").parts == ("runs", "rafdb-resnet18")
