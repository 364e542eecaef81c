"""A trained model out into the world: ONNX files, and answers for new pictures.

    report = export(Path("runs/mine"), to="onnx")
    for prediction in predict(Path("runs/mine"), [Path("photos")]):
        ...

Importing this package loads torch; ONNX is loaded by `export` alone, a face detector where
a face has to be found.
"""

from ferdata.deployment.onnx_export import ExportReport, export
from ferdata.deployment.prediction import Prediction, predict

__all__ = ["ExportReport", "Prediction", "export", "predict"]
