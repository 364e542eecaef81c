"""The responsible-AI properties of a Croissant file (vocabulary RAI 1.0), from a card's content.

Properties about which nothing is recorded are absent: who annotated and how, when the data was
collected, what its social impact is, and who maintains it.
"""

from __future__ import annotations

from ferdata.formats import statements
from ferdata.formats.card_content import CardContent

VOCABULARY = "http://mlcommons.org/croissant/RAI/1.0"
"""The vocabulary's identifier, for `conformsTo`."""

Property = str | list[str]


def responsible_ai(content: CardContent) -> dict[str, Property]:
    """Return the properties that the recorded facts can fill, each by its name with `rai:`."""
    found: dict[str, Property] = {
        "dataCollection": "; ".join(statements.collection(content)),
        "dataCollectionType": ["Others" if content.synthetic else "Secondary Data Analysis"],
        "dataCollectionMissingData": "; ".join(statements.missing(content)),
        "dataCollectionRawData": "; ".join(
            f"{source.title}: {source.homepage}" for source in content.sources if source.homepage
        ),
        "dataPreprocessingProtocol": statements.preprocessing(content),
        "dataManipulationProtocol": statements.manipulation(content),
        "dataAnnotationProtocol": statements.annotation(content),
        "machineAnnotationTools": statements.landmarks(content),
        "dataBiases": statements.balance(content),
        "dataUseCases": ["training and testing of classifiers of facial expressions"],
        "dataLimitations": statements.limitations(content),
        "personalSensitiveInformation": statements.sensitive(content),
    }
    return {f"rai:{name}": value for name, value in found.items() if value}
