"""Synthetic faces: a parametric renderer that knows the landmarks of what it draws.

The datasets are licensed and can't be downloaded by a program. Copies of them with drawn faces
stand in for them in the demo and in the tests.
"""

from __future__ import annotations

from ferdata.synth.drawing import CLOSE, SCENE, DrawnFace, Framing, draw_face
from ferdata.synth.expressions import PROTOTYPES, Expression, blend_expressions, draw_expression
from ferdata.synth.identity import Identity, draw_identity
from ferdata.synth.sheet import contact_sheet, write_sheet

__all__ = [
    "CLOSE",
    "PROTOTYPES",
    "SCENE",
    "DrawnFace",
    "Expression",
    "Framing",
    "Identity",
    "blend_expressions",
    "contact_sheet",
    "draw_expression",
    "draw_face",
    "draw_identity",
    "write_sheet",
]
