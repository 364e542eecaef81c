"""Flags for the choices that datasets offer: KDEF's poses, CK+'s frames, FER+'s label rule."""

from __future__ import annotations

from collections.abc import Iterator

from ferdata.cli.completion import complete_words
from ferdata.cli.flags import Flag


def choice_flags() -> Iterator[Flag]:
    """Yield a flag for each choice of any dataset, with the values in the dataset's YAML file."""
    from ferdata.ingesters.lookup import dataset_info, dataset_names  # noqa: PLC0415 - reads YAML
    from ferdata.ingesters.order_names import (  # noqa: PLC0415 - keeps start-up light
        CODES_CHOICE,
        ORDER_NAMES,
    )

    offers: dict[str, dict[str, list[str]]] = {}
    for dataset in dataset_names():
        for choice, values in dataset_info(dataset).choices.items():
            offers.setdefault(choice, {})[dataset] = list(values)
    yield Flag(
        name=CODES_CHOICE,
        help="Order of the label codes of a re-made copy, where names and class shares don't tell.",
        metavar=f"{'|'.join(ORDER_NAMES)}|CODE=CLASS,…",
        section="Data",
        default="",
        choice=True,
        complete=complete_words(ORDER_NAMES),
    )
    for choice, by_dataset in offers.items():
        words = list(dict.fromkeys(word for values in by_dataset.values() for word in values))
        yield Flag(
            name=choice,
            help=f"For {', '.join(by_dataset)}; see 'ferdata datasets {next(iter(by_dataset))}'.",
            metavar="|".join(words),
            section="Data",
            default=words[0],
            choice=True,
            complete=complete_words(words),
        )
