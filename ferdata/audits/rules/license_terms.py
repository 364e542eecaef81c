"""Terms: a mix, a change or a use that a license forbids."""

from __future__ import annotations

from collections.abc import Iterator

from ferdata.audits.findings import Finding
from ferdata.audits.rule import rule
from ferdata.audits.subject import AuditSubject
from ferdata.audits.terms import Terms
from ferdata.core.errors import FerdataError
from ferdata.ingesters.declared.declaration import parse_declaration
from ferdata.ingesters.lookup import dataset_info, dataset_names

_WORDS = {"publish": "passing the images on", "commercial": "commercial use"}


@rule(
    "license",
    severity="error",
    finds="a mix, an export or a use that the terms of a dataset forbid (`--purpose publish`)",
    means="Whoever agreed to the terms answers for them; a set that was passed on can't be called "
    "back.",
    remedy="Ask the authors, leave the dataset out, or pass on the split and the labels without "
    "images.",
)
def license_terms(subject: AuditSubject) -> Iterator[Finding]:
    """Judge the purpose by the terms of every dataset."""
    numbers, names = subject.words("dataset")
    total = int(subject.sources.sum())
    rows = {
        name: int(((numbers == number) & subject.sources).sum())
        for number, name in enumerate(names)
    }
    terms = {name: _terms(subject, name) for name in names}
    purpose = subject.options.purpose
    for name, each in sorted(terms.items()):
        words = {"subject": name, "count": rows[name], "of": total, "measure": "terms"}
        if each.forbids(purpose):
            yield license_terms.finding(
                title=f"{name}: its terms forbid {_WORDS[purpose]}: {each.text}.", **words
            )
        if each.change and (subject.build is not None or len(names) > 1):
            yield license_terms.finding(
                title=f"{name}: its terms forbid changed versions, which a build or a mix is: "
                f"{each.text}.",
                **words,
            )
        if not each.known:
            yield license_terms.finding(
                severity="warning" if purpose != "research" else "note",
                title=f"{name}: no license is stated; without one nothing is allowed.",
                remedy="Find out where the images come from and under which terms; state them in "
                "the declaration (license:).",
                **words,
            )
    yield from _mixed(terms, rows, total)


def _mixed(terms: dict[str, Terms], rows: dict[str, int], total: int) -> Iterator[Finding]:
    """Say which terms rule a mix."""
    if len(terms) < 2:
        return
    closed = sorted(name for name, each in terms.items() if each.publish)
    bound = sorted(name for name, each in terms.items() if each.commercial)
    if not closed and not bound:
        return
    yield license_terms.finding(
        severity="note",
        subject="mix",
        title=f"A mix is under the terms of all its parts: not to be passed on for "
        f"{', '.join(closed) or 'none'}; no commercial use for {', '.join(bound) or 'none'}.",
        count=sum(rows[name] for name in {*closed, *bound}),
        of=total,
        measure="images under terms that forbid something",
        details={name: each.text for name, each in sorted(terms.items())},
    )


def _terms(subject: AuditSubject, name: str) -> Terms:
    """Return the terms of a known dataset, or those that a declaration states."""
    if name in dataset_names():
        info = dataset_info(name)
        return Terms.read(info.license, info.usage, info.redistribution)
    declared = subject.manifest.provenance.get("ingest", {}).get("declaration")
    if isinstance(declared, dict) and declared.get("name") == name:
        try:
            declaration = parse_declaration(declared, name)
        except FerdataError:
            return Terms.read("", "")
        return Terms.read(declaration.license, "", declaration.redistribution)
    return Terms.read("", "")
