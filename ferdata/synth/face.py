"""From a person and an expression to the shapes of a face, and to its landmarks.

Everything is in *face units*: the origin midway between the eyes, x to the image's right, y down,
one unit the distance of the eye centers. Proportions follow the canonical face model of the
default detector (`canonical_face_model.obj`, vertices 1, 61, 152, 234 over the eye distance), so
that the detector and the truth returned here mean the same places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ferdata.synth.expressions import Expression
from ferdata.synth.identity import Identity

Points = npt.NDArray[np.float64]
"""Shape (N, 2), x and y."""

LEFT, RIGHT = -1, 1
"""The image's sides, as signs of x."""

_CURVE = np.linspace(-1.0, 1.0, 13)
_ROUND = 1.0 - _CURVE**2


@dataclass(frozen=True)
class Eye:
    """One eye; curves run from the inner to the outer corner.

    Attributes:
        upper: The upper lid's edge, (13, 2).
        lower: The lower lid's edge, (13, 2).
        crease: The fold above the upper lid, (13, 2).
        iris: Center of the iris, (2,).
        iris_radius: Radius of the iris.
    """

    upper: Points
    lower: Points
    crease: Points
    iris: Points
    iris_radius: float


@dataclass(frozen=True)
class Mouth:
    """The lips; every curve runs from the image's left to its right, (13, 2).

    Attributes:
        upper_edge: Upper edge of the upper lip.
        upper_gap: Lower edge of the upper lip.
        lower_gap: Upper edge of the lower lip.
        lower_edge: Lower edge of the lower lip.
    """

    upper_edge: Points
    upper_gap: Points
    lower_gap: Points
    lower_edge: Points


@dataclass(frozen=True)
class Face:
    """The shapes of one face, in face units.

    Attributes:
        identity: The person.
        expression: The movements of the face.
        turn: Yaw, as the sine of the angle; positive shows more of the image's left cheek.
        jaw: From the image's left temple over the chin to the right one, (17, 2).
        outline: The whole head's contour, closed, (N, 2).
        brows: Center lines of the image's left and right brow, from inner to outer end, (9, 2).
        eyes: The image's left and right eye.
        bridge: The nose's ridge from its root to its tip, (4, 2).
        nostrils: The nose's lower edge from left to right, (5, 2).
        mouth: The lips.
    """

    identity: Identity
    expression: Expression
    turn: float
    jaw: Points
    outline: Points
    brows: tuple[Points, Points]
    eyes: tuple[Eye, Eye]
    bridge: Points
    nostrils: Points
    mouth: Mouth

    def landmarks(self) -> Points:
        """Return the 68 points of iBUG 300-W (Sagonas et al., 2013), (68, 2)."""
        left, right = self.eyes
        mouth = self.mouth
        return np.concatenate(
            (
                self.jaw,
                self.brows[0][[8, 6, 4, 2, 0]],
                self.brows[1][[0, 2, 4, 6, 8]],
                self.bridge,
                self.nostrils,
                left.upper[[12, 8, 4, 0]],
                left.lower[[4, 8]],
                right.upper[[0, 4, 8, 12]],
                right.lower[[8, 4]],
                mouth.upper_edge[[0, 2, 5, 6, 7, 10, 12]],
                mouth.lower_edge[[10, 8, 6, 4, 2]],
                mouth.upper_gap[[1, 4, 6, 8, 11]],
                mouth.lower_gap[[8, 6, 4]],
            )
        )


def five_points(landmarks: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Reduce 68 points to five.

    Args:
        landmarks: iBUG points, (68, 2).

    Returns:
        float32, (5, 2): the image's left and right eye center (mean of the six contour points),
        nose tip, left and right mouth corner.
    """
    eyes = landmarks[36:48].reshape(2, 6, 2).mean(axis=1)
    return np.concatenate((eyes, landmarks[[30, 48, 54]])).astype(np.float32)


def shape_face(
    identity: Identity, expression: Expression, *, turn: float = 0.0, nod: float = 0.0
) -> Face:
    """Compute the shapes of a face.

    Args:
        identity: The person.
        expression: The movements of the face.
        turn: Sine of the yaw, about −0.25 to 0.25.
        nod: Sine of the pitch, positive looking down.
    """

    def turned(points: Points, stand_out: float = 0.0) -> Points:
        return _turn(points, stand_out, turn, nod)

    chin = identity.chin + 0.42 * expression.mouth_open - 0.02 * expression.pout
    jaw = _jaw(identity, chin)
    mouth = _mouth(identity, expression)
    nose = identity.nose_length - 0.035 * expression.nose_wrinkle
    eyes = [_eye(identity, expression, side, turn) for side in (LEFT, RIGHT)]
    return Face(
        identity=identity,
        expression=expression,
        turn=turn,
        jaw=turned(jaw),
        outline=turned(np.concatenate((jaw, _skull(identity)))),
        brows=(
            turned(_brow(identity, expression, LEFT)),
            turned(_brow(identity, expression, RIGHT)),
        ),
        eyes=(_turn_eye(eyes[0], turn, nod), _turn_eye(eyes[1], turn, nod)),
        bridge=np.concatenate(
            [turned(np.array([[0.0, -0.04 + (nose + 0.01) * t]]), 0.10 + 0.30 * t)
             for t in (0.0, 1 / 3, 2 / 3, 1.0)]
        ),
        nostrils=turned(_nostrils(identity, expression, nose), 0.14),
        mouth=Mouth(*(turned(curve, 0.05) for curve in mouth)),
    )  # fmt: skip


def moved(points: Points, right: float, down: float) -> Points:
    """Return points moved by an offset; points of shape (2,) or (N, 2)."""
    return np.asarray(points + np.array((right, down)))


def head_box(face: Face) -> Points:
    """Return the box's corners in face units, (4, 2): the jaw's width, hairline to chin."""
    left, right = face.jaw[:, 0].min(), face.jaw[:, 0].max()
    top, bottom = -0.62 * face.identity.skull, face.jaw[:, 1].max()
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _turn(points: Points, stand_out: float, turn: float, nod: float) -> Points:
    """Move points like a small rotation about the vertical and the horizontal axis.

    Depth falls off from the face's middle line to its sides; the nose stands out from it. Points
    in front of the plane of the eyes move one way, points behind it the other way.
    """
    depth = np.maximum(0.11 - 0.44 * points[:, 0] ** 2, -0.34) + stand_out
    return np.asarray(points + np.column_stack((turn * depth, nod * depth)))


def _turn_eye(eye: Eye, turn: float, nod: float) -> Eye:
    return Eye(
        _turn(eye.upper, 0.0, turn, nod),
        _turn(eye.lower, 0.0, turn, nod),
        _turn(eye.crease, 0.0, turn, nod),
        _turn(eye.iris[None], 0.0, turn, nod)[0],
        eye.iris_radius,
    )


def _jaw(identity: Identity, chin: float) -> Points:
    """Contour from temple to temple: half a superellipse, squarer for a larger `jaw`."""
    angle = np.linspace(np.pi, 0.0, 17)
    power = 0.92 - 0.22 * (identity.jaw - 1.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    x = np.sign(cosine) * np.abs(cosine) ** power
    y = np.abs(sine) ** (1.0 / identity.jaw) * (chin + 0.02) - 0.02
    # Cheeks stay full down to the mouth and then run to the chin.
    taper = 1.0 - 0.10 * np.clip(y / chin, 0.0, 1.0) ** 2
    return np.column_stack((x * taper * identity.face_width, y))


def _skull(identity: Identity) -> Points:
    """The rest of the head's contour, from the right temple over the top to the left one."""
    angle = np.linspace(0.0, np.pi, 19)[1:-1]
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.85 * identity.face_width
    return np.column_stack((x, -0.02 - np.sin(angle) ** 0.9 * identity.skull))


def _brow(identity: Identity, expression: Expression, side: int) -> Points:
    """A brow's center line from its inner to its outer end."""
    t = np.linspace(0.0, 1.0, 9)
    uneven = side * expression.brow_uneven
    raise_ = expression.brow_inner * (1.0 - t) ** 1.5 + expression.brow_outer * t + uneven
    arch = 0.075 * np.sin(np.pi * (0.10 + 0.80 * t)) - 0.045
    x = 0.20 - expression.brow_gap + (0.62 + expression.brow_gap) * t
    y = -identity.brow_height - arch - raise_ + 0.03 * t
    y += 0.05 * expression.nose_wrinkle * (1.0 - t)
    return np.column_stack((side * x, y))


def _eye(identity: Identity, expression: Expression, side: int, turn: float) -> Eye:
    """One eye, before the head is turned."""
    t = _CURVE  # −1 at the inner corner, 1 at the outer one
    half = 0.205 * identity.eye_size
    opening = max(0.25, 1.0 + expression.eye_open) * identity.eye_size
    pressed = np.where(t < 0, max(expression.lid_slant, 0.0), max(-expression.lid_slant, 0.0))
    above = 0.098 * opening * _ROUND**0.72 * (1.0 - 0.5 * pressed * np.abs(t) ** 0.7)
    below = 0.062 * (0.55 + 0.45 * opening) * (1.0 - 0.75 * expression.lower_lid) * _ROUND**0.85
    tilt = identity.eye_tilt * t - 0.012 * max(-expression.lid_slant, 0.0) * t
    x = side * (0.5 + half * t)
    upper = np.column_stack((x, -above - tilt))
    lower = np.column_stack((x, below - tilt))
    crease = upper - np.column_stack((np.zeros(13), 0.035 + 0.035 * _ROUND))
    middle = 0.5 * (upper[6, 1] + lower[6, 1])
    iris = np.array([side * 0.5 + 0.16 * turn, 0.35 * middle - 0.006])
    return Eye(upper, lower, crease, iris, 0.098 * identity.eye_size)


def _nostrils(identity: Identity, expression: Expression, nose: float) -> Points:
    wide = identity.nose_width * (1.0 + 0.10 * expression.nose_wrinkle)
    wing = nose + 0.065 - 0.05 * expression.nose_wrinkle
    return np.array(
        [
            [-wide, wing],
            [-0.52 * wide, wing + 0.055],
            [0.0, nose + 0.145],
            [0.52 * wide, wing + 0.055],
            [wide, wing],
        ]
    )


def _mouth(identity: Identity, expression: Expression) -> tuple[Points, Points, Points, Points]:
    """The four lip curves, from the corners' line outwards."""
    t = _CURVE
    half = identity.mouth_width * (1.0 + expression.mouth_width)
    corners = np.where(t < 0, expression.corner_left, expression.corner_right)
    middle = identity.mouth_drop - 0.05 * expression.pout
    # Corners move fully, the middle gives a little the other way.
    raised = 0.5 * (expression.corner_left + expression.corner_right)
    line = middle - corners * np.abs(t) ** 1.7 + 0.30 * raised * _ROUND
    full = identity.lip_fullness * (1.0 - 0.62 * expression.lip_press)
    gap = expression.mouth_open * np.clip(_ROUND, 0.0, 1.0) ** 0.6
    x = half * t
    lift = expression.upper_lip * _ROUND**0.6
    upper_gap = line - 0.22 * gap - lift
    lower_gap = line + 0.78 * gap + 0.25 * lift
    bow = 1.0 - 0.16 * np.exp(-((t / 0.14) ** 2))
    # A stretched mouth has thinner lips.
    stretch = full / (1.0 + max(expression.mouth_width, 0.0) + 0.8 * expression.mouth_open)
    upper_edge = upper_gap - 0.100 * stretch * _ROUND**0.8 * bow
    lower_edge = lower_gap + (0.125 + 0.05 * expression.pout) * stretch * _ROUND**0.65
    return (
        np.column_stack((x, upper_edge)),
        np.column_stack((x, upper_gap)),
        np.column_stack((x, lower_gap)),
        np.column_stack((x, lower_edge)),
    )
