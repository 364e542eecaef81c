"""The metadata of a model card, as the Hugging Face Hub reads it, by huggingface_hub's classes."""

from __future__ import annotations

from huggingface_hub import EvalResult, ModelCardData

from ferdata.evaluation.model_card import ModelCard
from ferdata.evaluation.report import EvaluationReport
from ferdata.formats.card_content import unique
from ferdata.formats.front_matter import license_of


def metadata(card: ModelCard, library: str = "ferdata") -> str:
    """Return the metadata as YAML; `ModelCardData` refuses what the Hub would.

    Args:
        card: The content of the card.
        library: The library that opens the model.
    """
    license = license_of(card.licenses)
    data = ModelCardData(
        license=license["license"],
        license_name=license.get("license_name"),
        library_name=library,
        pipeline_tag="image-classification",
        tags=[
            "facial-expression-recognition",
            "ferdata",
            *(["synthetic"] if card.synthetic else []),
            *unique(source.name for source in card.sources),
        ],
        metrics=["accuracy", "f1"],
        model_name=card.name,
        eval_results=[result for each in card.evaluations for result in _results(each)] or None,
    )
    return str(data.to_yaml())


def _results(report: EvaluationReport) -> list[EvalResult]:
    """Return accuracy and macro F1 on one split."""
    numbers = (
        ("accuracy", "accuracy", report.scores.accuracy),
        ("f1", "macro F1", report.scores.macro_f1),
    )
    return [
        EvalResult(
            task_type="image-classification",
            task_name="Facial expression recognition",
            dataset_type=report.build,
            dataset_name=f"{report.build} (ferdata build)",
            dataset_split=report.split,
            dataset_revision=report.split_digest or report.plan_sha256,
            metric_type=kind,
            metric_name=name,
            metric_value=round(value, 6),
        )
        for kind, name, value in numbers
    ]
