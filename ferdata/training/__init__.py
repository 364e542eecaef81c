"""From batches to a model: timm models, the Lightning task, training and evaluation.

    report = train(Path("out/rafdb"), Path("runs/mine"), TrainOptions(epochs=3))
    scores = evaluate(Path("runs/mine"), Path("out/rafdb"), split="test")

Importing this package loads torch, timm and Lightning; the command line does so only inside the
verbs that need them.
"""

from ferdata.evaluation.evaluate import EvaluationReport, evaluate
from ferdata.models import create_model
from ferdata.runs.options import TrainOptions
from ferdata.training.report import RunReport
from ferdata.training.run import train

__all__ = [
    "EvaluationReport",
    "RunReport",
    "TrainOptions",
    "create_model",
    "evaluate",
    "train",
]
