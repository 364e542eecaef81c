"""The rules by name; a package adds one with an entry point `audit_rule.NAME`."""

from __future__ import annotations

from collections.abc import Sequence

from ferdata.audits.rule import Rule
from ferdata.core.options import RENAMED
from ferdata.core.registry import Registry

_BUILT_IN = {
    "leak-copy": "copies:leak_copy",
    "leak-subject": "groups:leak_subject",
    "leak-sequence": "groups:leak_sequence",
    "leak-official-test": "official_test:leak_official_test",
    "augmented-before-split": "copies:augmented_before_split",
    "offline-copies": "copies:offline_copies",
    "label-conflict": "copies:label_conflict",
    "label-order": "label_order:label_order",
    "counts": "counts:counts",
    "class-missing": "classes:class_missing",
    "prior-shift": "classes:prior_shift",
    "tiny-class": "classes:tiny_class",
    "vertical-flip": "upside_down:vertical_flip",
    "wrong-landmarks": "faces:wrong_landmarks",
    "no-face": "faces:no_face",
    "several-faces": "faces:several_faces",
    "face-cut": "faces:face_cut",
    "odd-scale": "scale:odd_scale",
    "quality": "quality:quality",
    "attributes": "attributes:attributes",
    "license": "license_terms:license_terms",
    "protocol": "protocol:protocol",
}
"""The rules in the order in which they are listed."""

RULES: Registry[Rule] = Registry(
    "audit_rule",
    {name: f"ferdata.audits.rules.{place}" for name, place in _BUILT_IN.items()},
)


def chosen_rules(names: Sequence[str] = ()) -> list[Rule]:
    """Return some rules, or all, in the order in which they are listed.

    Args:
        names: Names of rules; none for all.

    Raises:
        UnknownNameError: There is no such rule.
    """
    wanted = {RENAMED.get(name, name) for name in names}
    for name in sorted(wanted):
        RULES.get(name)
    known = [*_BUILT_IN, *(name for name in RULES.names() if name not in _BUILT_IN)]
    return [RULES.get(name) for name in known if not wanted or name in wanted]
