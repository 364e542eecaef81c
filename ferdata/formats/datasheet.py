"""The datasheet of a build: answers that the recorded facts give, "not stated" for all others.

Questions of Gebru et al., Datasheets for Datasets, Communications of the ACM 64(12), 2021,
https://arxiv.org/abs/1803.09010, shortened. Nothing is answered that was not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ferdata.core.schema import SPLITS
from ferdata.core.tables import escape_markdown
from ferdata.formats import statements
from ferdata.formats.card_content import CardContent, count

Answer = Callable[[CardContent], Sequence[str]]


@dataclass(frozen=True)
class Question:
    """A question of the datasheet, and what answers it."""

    text: str
    answer: Answer = lambda _: ()


def datasheet(content: CardContent) -> str:
    """Return the datasheet as Markdown; every text that was recorded is escaped."""
    parts = [
        "## Datasheet",
        "The questions are those of [Datasheets for Datasets](https://arxiv.org/abs/1803.09010), "
        "shortened. Answered is what the build and the info of its datasets record; all else is "
        "not stated.",
    ]
    for title, questions in SECTIONS.items():
        lines = [_answered(question.text, question.answer(content)) for question in questions]
        parts += [f"### {title}", "\n".join(lines)]
    return "\n\n".join(parts)


def _answered(question: str, answer: Sequence[str]) -> str:
    if not answer:
        return f"- **{question}** Not stated."
    if len(answer) == 1:
        return f"- **{question}** {_sentence(answer[0])}"
    return "\n".join([f"- **{question}**", *(f"  - {_sentence(each)}" for each in answer)])


def _sentence(text: str) -> str:
    escaped = escape_markdown(text)
    return escaped if escaped.endswith((".", "?", "!")) else f"{escaped}."


# -- answers -----------------------------------------------------------------------------------


def _purpose(_: CardContent) -> Sequence[str]:
    return [
        "this build: training and testing of classifiers of facial expressions; the purpose of "
        "its sources is not stated"
    ]


def _creators(content: CardContent) -> Sequence[str]:
    built = f"the files: ferdata {content.ferdata_version}, run by whoever built them"
    return [
        built,
        *(f"{s.title}, by its publication: {s.publication}" for s in content.sources
          if s.publication),
    ]  # fmt: skip


def _instances(content: CardContent) -> Sequence[str]:
    if content.synthetic:
        return ["drawn faces with a facial expression"]
    return ["images of human faces with a facial expression"]


def _sample(content: CardContent) -> Sequence[str]:
    return ["all rows of the sources except those rejected", *statements.rejected(content)]


def _data(content: CardContent) -> Sequence[str]:
    spec = content.spec
    kind = "gray" if spec.channels == 1 else "RGB"
    points = f" and {spec.points} landmarks ({spec.landmark_scheme})" if spec.points else ""
    return [f"an image of {spec.width}×{spec.height} pixels, {kind}{points}"]


def _relations(content: CardContent) -> Sequence[str]:
    found = []
    if statements.copies(content):
        found.append("parent_id names the source image of an augmented copy")
    if content.known.subjects:
        found.append("subject names the person")
    return found


def _splits(content: CardContent) -> Sequence[str]:
    rows = [
        f"{split} {n:,} images" for split in SPLITS if (n := count(content.counts, split))
    ]  # fmt: skip
    digest = f", {content.split_digest}" if content.split_digest else ""
    return [f"rule {content.split_rule}, seed {content.seed}{digest}: {', '.join(rows)}"]


def _errors(content: CardContent) -> Sequence[str]:
    return [*statements.noise(content), *statements.limitations(content)]


def _contained(_: CardContent) -> Sequence[str]:
    return ["it is self-contained: images and annotations are in the shards"]


def _raw_data(content: CardContent) -> Sequence[str]:
    if content.synthetic:
        return []
    return ["not inside the build; it is what the sources ship, and the manifest names each file"]


def _software(content: CardContent) -> Sequence[str]:
    return [f"yes, ferdata {content.ferdata_version}; the versions are under Reproduction"]


def _indirectly(content: CardContent) -> Sequence[str]:
    if content.synthetic:
        return []
    return ["from other datasets, which are named under Sources"]


def _not_for(content: CardContent) -> Sequence[str]:
    found = []
    if content.synthetic:
        found.append("statements about real faces: the faces are drawn")
    if content.leaks:
        found.append(f"comparison with results on splits without a leak: {content.leaks}")
    return found + [
        f"uses that its terms exclude; {s.title}: {s.usage}"
        for s in content.sources
        if s.usage and not s.drawn
    ]


def _access(content: CardContent) -> Sequence[str]:
    return [f"{s.title}: {' '.join(s.access)}" for s in content.sources if s.access and not s.drawn]


def _raw_manipulation(content: CardContent) -> Sequence[str]:
    return [*statements.preprocessing(content), statements.manipulation(content)]


SECTIONS: dict[str, tuple[Question, ...]] = {
    "Motivation": (
        Question("For what purpose was the dataset created?", _purpose),
        Question("Who created the dataset, and on behalf of which entity?", _creators),
        Question("Who funded its creation?"),
    ),
    "Composition": (
        Question("What do the instances represent?", _instances),
        Question("How many instances are there?", lambda c: [statements.size(c)]),
        Question("Does it contain all possible instances or a sample?", _sample),
        Question("What data does each instance consist of?", _data),
        Question("Is there a label or target?", statements.annotation),
        Question("Is any information missing from individual instances?", statements.missing),
        Question("Are relationships between instances made explicit?", _relations),
        Question("Are there recommended data splits?", _splits),
        Question("Are there errors, sources of noise, or redundancies?", _errors),
        Question("Is it self-contained, or does it rely on external resources?", _contained),
        Question("Does it contain data that might be considered confidential?"),
        Question("Does it contain data that might be offensive or cause anxiety?"),
        Question("Does it identify subpopulations?", statements.people),
        Question("Can individuals be identified, directly or indirectly?", statements.sensitive),
        Question("Does it contain data that might be considered sensitive in other ways?"),
    ),
    "Collection process": (
        Question("How was the data acquired?", statements.collection),
        Question("What mechanisms or procedures were used to collect it?"),
        Question("If it is a sample, what was the sampling strategy?"),
        Question("Who was involved in the collection, and how were they compensated?"),
        Question("Over what timeframe was it collected?"),
        Question("Were ethical review processes conducted?"),
        Question("Was it collected from the individuals or via third parties?", _indirectly),
        Question("Were the individuals notified of the collection?"),
        Question("Did the individuals consent to the collection and use?"),
        Question("Can they revoke their consent?"),
        Question("Was the potential impact on them analyzed?"),
    ),
    "Preprocessing, cleaning, labeling": (
        Question("Was any of it done?", _raw_manipulation),
        Question("Was the raw data saved, too?", _raw_data),
        Question("Is the software available?", _software),
    ),
    "Uses": (
        Question("Has the dataset been used for any tasks already?"),
        Question("Is there a repository of papers or systems that use it?"),
        Question("What other tasks could it be used for?"),
        Question("What about its composition might affect future uses?", statements.balance),
        Question("Are there tasks for which it should not be used?", _not_for),
    ),
    "Distribution": (
        Question("Will it be distributed to third parties?"),
        Question("How are its sources distributed?", _access),
        Question("When will it be distributed?"),
        Question("Under which license or terms of use?", statements.terms),
        Question("Have third parties imposed restrictions?"),
        Question("Do export controls or other regulations apply?"),
    ),
    "Maintenance": (
        Question("Who supports, hosts, and maintains it?"),
        Question("How can its owner be contacted?"),
        Question("Is there an erratum?"),
        Question("Will it be updated?"),
        Question("Are there limits on the retention of the data of individuals?"),
        Question("Will older versions be supported?"),
        Question("Can others extend or contribute to it?"),
    ),
}
"""The sections of the datasheet with their questions, in the order of the paper."""
