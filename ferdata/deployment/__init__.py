"""A trained model in use: predictions for new images, and export to ONNX.

    for prediction in predict("runs/mine", ["photos", array]):
        print(prediction.name, prediction.label)
    report = export("runs/mine")

Importing this package loads no heavy library: torch is loaded by a call, after its arguments were
checked; ONNX only by `export`, a face detector only where a face has to be found.
"""

from ferdata.deployment.exporting import export
from ferdata.deployment.options import ExportOptions, PredictOptions
from ferdata.deployment.prediction import predict
from ferdata.deployment.results import ExportReport, Prediction

__all__ = ["ExportOptions", "ExportReport", "PredictOptions", "Prediction", "export", "predict"]
