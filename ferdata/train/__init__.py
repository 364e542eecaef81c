"""From batches to a model: timm models, the Lightning task, training and evaluation.

    report = train(Path("out/rafdb"), Path("runs/mine"), TrainOptions(epochs=3))
    scores = evaluate(Path("runs/mine"), Path("out/rafdb"), split="test")

Importing this package loads torch, timm and Lightning; the command line does so only inside the
verbs that need them.
"""

from ferdata.train.evaluation.evaluate import EvaluationReport, evaluate
from ferdata.train.models import create_model
from ferdata.train.options import TrainOptions
from ferdata.train.train import RunReport, train

__all__ = [
    "EvaluationReport",
    "RunReport",
    "TrainOptions",
    "create_model",
    "evaluate",
    "train",
]
