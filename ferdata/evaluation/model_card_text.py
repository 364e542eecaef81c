"""A model card as text: `README.md` in a run's folder, as the Hugging Face Hub shows it.

Every number and fact was recorded by the run, its build or its evaluations. Text from datasets and
options is escaped.
"""

from __future__ import annotations

from ferdata.core.tables import escape_markdown as escape
from ferdata.core.tables import markdown_table
from ferdata.evaluation.columns import cells, heads, sentence
from ferdata.evaluation.groups import ATTRIBUTES, Grouping, GroupScore
from ferdata.evaluation.metrics import ClassScore
from ferdata.evaluation.model_card import ModelCard
from ferdata.evaluation.model_card_metadata import metadata
from ferdata.evaluation.report import EvaluationReport

_REPRODUCTION = """\
## Reproduction

`run.json` has every option. `ferdata train --config config.yaml --out RUN` repeats the run, and the
scores above come from `ferdata eval`."""
_MOST_GROUPS = 12  # a longer list of groups is summarized in one line
_FEW = 30  # images of a group below which the card says that its interval is wide


def model_card_text(card: ModelCard, use: str | None = None, library: str = "ferdata") -> str:
    """Return the text of a card; equal content gives equal text.

    Args:
        card: Its content.
        use: The section on how to use the model; default: by ferdata.
        library: The library that opens it, for the Hub.
    """
    sections = [
        _introduction(card),
        _intended_use(card),
        use or _loading(card),
        _training_data(card),
        _training(card),
        _results(card),
        _caveats(card),
        _REPRODUCTION,
    ]
    return f"---\n{metadata(card, library).rstrip()}\n---\n\n" + "\n\n".join(sections) + "\n"


def _introduction(card: ModelCard) -> str:
    spec = card.run.spec
    height, width = spec.input_size
    parts = [
        f"# {escape(card.title)}",
        f"{escape(spec.model)}, {card.results.parameters:,} trainable parameters, classifies the "
        f"facial expression of a face image as one of {len(spec.labels)} classes: "
        f"{', '.join(map(escape, spec.labels))}. Its input has {height}×{width} pixels"
        + (f" and landmarks ({escape(spec.landmark_scheme)})" if spec.landmark_scheme else "")
        + f". Trained with ferdata {escape(spec.ferdata_version)}.",
    ]
    if card.synthetic:
        parts.append(
            "**Synthetic:** this model was trained on faces that ferdata drew. Its scores say "
            "nothing about real faces."
        )
    leaks = card.build.leaks if card.build else ()
    if leaks:
        parts.append(f"**The build leaks:** {escape('; '.join(leaks))}. Scores are inflated.")
    return "\n\n".join(parts)


def _intended_use(card: ModelCard) -> str:
    lines = [
        "- For: classifying the expression of one face in an image that is prepared as the images "
        "of the build; `ferdata predict` does so.",
        "- Not for: conclusions about what a person feels. The labels of the training data say "
        "which expression was posed or seen, and the model repeats them.",
    ]
    lines += [
        f"- Terms of {escape(source.title)}, whose images it was trained on: "
        f"{escape(source.license)}. {escape(source.usage)}"
        for source in card.sources
        if not source.drawn
    ]
    if not card.sources:
        lines.append("- Terms of the training data: not stated; the build is not at its place.")
    return "## Intended use\n\n" + "\n".join(lines)


def _loading(card: ModelCard) -> str:
    name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in card.name)
    code = f"""\
import ferdata

run = ferdata.open("runs/{name}")  # the folder of this card
run.predict("photo.jpg")"""
    return f"## Use\n\n```python\n{code}\n```"


def _training_data(card: ModelCard) -> str:
    build, record = card.run.build, card.build
    rows = [["build", escape(build.name)], ["plan", f"`{build.plan_sha256}`"]]
    rows.append(["split", f"`{card.split_digest}`" if card.split_digest else "not stated"])
    rows.append(["split rule", f"{escape(build.options.split)}, seed {build.options.seed}"])
    if record is not None:
        rows += [[name, f"{split.rows:,} images"] for name, split in sorted(record.splits.items())]
    rows += [["dataset", escape(source.title)] for source in card.sources]
    return f"## Training data\n\n{markdown_table(['item', 'value'], rows, escaped=True)}"


def _training(card: ModelCard) -> str:
    options, results = card.run.options, card.results
    best = results.best_epoch
    rows = [
        ["recipe", options.recipe or "none"],
        ["initial weights", _initial_weights(card)],
        ["epochs", f"{results.epochs}"],
        ["best epoch on validation", f"{best}" if best else "none: no validation split was used"],
        ["checkpoint", f"{options.select}"],
        ["optimizer", f"{options.optimizer}, learning rate {options.lr:g}"],
        ["schedule", options.schedule],
        ["batch size", f"{options.batch_size}"],
        ["loss", f"{options.loss}, class weights {options.class_weights}"],
        ["seed", f"{options.seed}"],
    ]
    return f"## Training\n\n{markdown_table(['item', 'value'], rows)}"


def _initial_weights(card: ModelCard) -> str:
    options = card.run.options
    if options.pretrained or options.model_options.get("pretrained"):
        return "pretrained; their own license applies and is not stated here"
    return "random"


def _results(card: ModelCard) -> str:
    if not card.evaluations:
        return (
            "## Results\n\nNot evaluated. `ferdata eval RUN` computes scores, and `ferdata card "
            "RUN` then adds them here."
        )
    return "\n\n".join(["## Results", *(_evaluation(card, each) for each in card.evaluations)])


def _evaluation(card: ModelCard, report: EvaluationReport) -> str:
    scores = report.scores
    rows = [
        [entry.label, *cells(entry)] for entry in (*scores.per_class, scores.macro_means())
    ]  # fmt: skip
    other = "" if card.is_own(report) else ", another build than the one it was trained on"
    parts = [
        f"### {escape(report.build)}, {escape(report.split)} split{other}",
        f"Split `{report.split_digest or 'not stated'}`, plan `{report.plan_sha256}`, checkpoint "
        f"{escape(report.checkpoint)} `{report.checkpoint_sha256}`.",
        *(f"**{escape(warning)}**" for warning in report.warnings()),
        escape(
            f"{sentence(scores, scores.overall())}, {scores.n:,} images; always predicting "
            f"{scores.majority_label}: {scores.majority_accuracy:.1%}. Calibration: "
            f"{sentence(report.calibration)}."
        ),
        markdown_table(["class", *heads(ClassScore)], rows),
        *map(_groups, report.groups),
        _unknown_groups(report),
    ]
    return "\n\n".join(part for part in parts if part)


def _groups(grouping: Grouping) -> str:
    """Describe the scores by group; persons are counted and not listed."""
    lowest, by = grouping.group(grouping.lowest), grouping.by.replace("_", " ")
    people = grouping.by == "subject"
    named = "" if people else f" ({lowest.name}, n={lowest.n})"
    summary = escape(
        f"By {by}: {len(grouping.groups)} {'persons' if people else 'groups'}, mean accuracy "
        f"{grouping.mean_accuracy:.1%}, lowest {lowest.accuracy:.1%}{named}; {grouping.unknown} "
        "images unknown."
    )
    if people or len(grouping.groups) > _MOST_GROUPS:
        return summary
    rows = [[group.name, *cells(group)] for group in grouping.groups]
    few = [group.name for group in grouping.groups if group.n < _FEW]
    note = f"Fewer than {_FEW} images, so little is known: {', '.join(few)}." if few else ""
    table = markdown_table([by, *heads(GroupScore)], rows)
    return "\n\n".join(part for part in (summary, table, escape(note)) if part)


def _unknown_groups(report: EvaluationReport) -> str:
    known = {grouping.by for grouping in report.groups}
    unknown = [by.replace("_", " ") for by in ("subject", *ATTRIBUTES) if by not in known]
    if not unknown:
        return ""
    return f"Scores by {', '.join(unknown)}: not stated, since the data doesn't say."


def _caveats(card: ModelCard) -> str:
    found = []
    if card.build is None:
        found.append("The build is not at its place: its datasets and their caveats are not stated")
    else:
        found += [f"The build leaks: {leak}" for leak in card.build.leaks]
        found += card.build.notes
    if card.results.best_epoch is None:
        found.append("No epoch was chosen on a validation split")
    if not any(card.is_own(each) and each.split == "test" for each in card.evaluations):
        found.append("The model was not evaluated on the test split of its build")
    found += [f"{source.name}: {caveat}" for source in card.sources for caveat in source.caveats]
    lines = "\n".join(f"- {escape(text.rstrip('.'))}." for text in found)
    return f"## Caveats\n\n{lines or 'None recorded.'}"
