from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")


def test_classifier_on_pixels() -> None:
    """Fit a classifier on the arrays of a build, and print its report."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import classification_report
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from ferdata.data import SplitArrays

    train, test = (SplitArrays("out/rafdb", split) for split in ("train", "test"))
    arrays, tested = train.gather(range(len(train))), test.gather(range(len(test)))
    model = make_pipeline(
        StandardScaler(), PCA(20, random_state=0), LogisticRegression(max_iter=1000)
    )
    model.fit(arrays["image"].reshape(len(train), -1), arrays["label"])
    predicted = model.predict(tested["image"].reshape(len(test), -1))
    names = list(train.build.label_space.names)
    report = classification_report(
        tested["label"], predicted, labels=range(7), target_names=names, zero_division=0
    )

    assert all(name in report for name in names)
    assert model.score(arrays["image"].reshape(len(train), -1), arrays["label"]) > 0.3


def test_folds_that_hold_people_apart() -> None:
    """Cross-validate by subject with StratifiedGroupKFold."""
    pytest.importorskip("torch")
    from sklearn.model_selection import StratifiedGroupKFold

    from ferdata.data import ShardDataset

    train = ShardDataset("out/jaffe", "train")
    folds = StratifiedGroupKFold(n_splits=3)
    for fitted, held_out in folds.split(np.zeros(len(train)), train.targets, train.groups):
        part, other = train.select(fitted), train.select(held_out)
        assert "" not in train.groups
        assert not set(part.groups) & set(other.groups)
        assert len(part) + len(other) == len(train)


def test_balanced_weights() -> None:
    """Weight classes as scikit-learn does; ferdata's weights differ by the factor K only."""
    torch = pytest.importorskip("torch")
    from sklearn.utils.class_weight import compute_class_weight

    from ferdata.data import ShardDataset

    train = ShardDataset("out/rafdb")
    weights = compute_class_weight("balanced", classes=np.arange(7), y=train.targets)

    torch.testing.assert_close(
        train.class_weights() / 7, torch.tensor(weights, dtype=torch.float32)
    )


def test_confusion_matrix_of_a_torch_model() -> None:
    """Compare a torch model's predictions with the labels."""
    torch = pytest.importorskip("torch")
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
    from torch.utils.data import DataLoader

    from ferdata.data import ShardDataset

    test = ShardDataset("out/rafdb", "test", as_tuple=True, dtype=torch.float32)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 7))
    with torch.inference_mode():
        predicted = torch.cat([model(x).argmax(1) for x, _ in DataLoader(test, batch_size=16)])
    matrix = confusion_matrix(test.targets, predicted, labels=range(7))

    assert matrix.sum(1).tolist() == np.bincount(test.targets, minlength=7).tolist()
    assert ConfusionMatrixDisplay(matrix, display_labels=test.classes).display_labels
