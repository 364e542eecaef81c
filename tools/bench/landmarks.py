"""How well MediaPipe's Face Landmarker sees the drawn faces: detection rate and landmark error.

Run `python tools/bench/landmarks.py`. Each face is searched as it is and, where nothing is found,
once more with a replicated border of a quarter of its width. The error is the distance between a
found and a true point over the true eye distance.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ferdata.core.draws import generator
from ferdata.core.labels import CANONICAL
from ferdata.faces.detectors.mediapipe import MEDIAPIPE478
from ferdata.synth.drawing import DrawnFace, draw_face

MIN_FOUND, MAX_ERROR = 0.98, 0.10
POINTS = ("left eye", "right eye", "nose tip", "left corner", "right corner")


def open_detector(model: Path) -> Any:
    """Open the Face Landmarker for single images."""
    from mediapipe.tasks import python
    from mediapipe.tasks.python import vision

    options = vision.FaceLandmarkerOptions(
        base_options=python.BaseOptions(model_asset_path=str(model)),
        running_mode=vision.RunningMode.IMAGE,
    )
    return vision.FaceLandmarker.create_from_options(options)


def find_five(
    detector: Any, pixels: npt.NDArray[np.uint8], border: float
) -> npt.NDArray[np.float64] | None:
    """Find a face's five points in pixels, (5, 2), or None."""
    import mediapipe

    pad = round(border * pixels.shape[1])
    bordered = cv2.copyMakeBorder(pixels, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    height, width = bordered.shape[:2]
    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=bordered)
    faces = detector.detect(image).face_landmarks
    if not faces:
        return None
    points = np.array([(point.x * width, point.y * height) for point in faces[0]]) - 0.5 - pad
    return np.asarray(MEDIAPIPE478.to_five(points), np.float64)


def measure(detector: Any, faces: list[DrawnFace]) -> tuple[int, int, npt.NDArray[np.float64]]:
    """Search all faces.

    Returns:
        How many were found at once, how many with a border only, and the offsets of the five
        points of all found ones in eye distances along the face's own axes, (F, 5, 2).
    """
    at_once, with_border, offsets = 0, 0, []
    for face in faces:
        found = find_five(detector, face.pixels, 0.0)
        if found is not None:
            at_once += 1
        else:
            found = find_five(detector, face.pixels, 0.25)
            with_border += found is not None
        if found is not None:
            across = (face.five_points[1] - face.five_points[0]).astype(np.float64)
            axes = np.array([across, (-across[1], across[0])])
            offsets.append((found - face.five_points) @ axes.T / (across @ across))
    return at_once, with_border, np.array(offsets).reshape(-1, 5, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=500)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--model",
        type=Path,
        default=Path(os.environ.get("FERDATA_MODEL_DIR", ".")) / "face_landmarker.task",
    )
    arguments = parser.parse_args()
    if not arguments.model.is_file():
        sys.exit(f"{arguments.model}: no such file; set FERDATA_MODEL_DIR or give --model")
    names = [CANONICAL[index % len(CANONICAL)] for index in range(arguments.faces)]
    faces = [
        draw_face(name, generator(arguments.seed, f"bench-{index}"), arguments.size)
        for index, name in enumerate(names)
    ]
    at_once, with_border, offsets = measure(open_detector(arguments.model), faces)
    errors = np.linalg.norm(offsets, axis=2)
    rate = (at_once + with_border) / len(faces)
    print(f"{len(faces)} faces of {arguments.size} px, seed {arguments.seed}")
    print(f"found at once          {at_once / len(faces):7.1%}")
    print(f"found with a border    {rate:7.1%}   at least {MIN_FOUND:.0%}")
    print(f"mean error             {errors.mean():7.3f}   below {MAX_ERROR:.2f} eye distances")
    print(f"95th percentile        {np.percentile(errors, 95):7.3f}")
    for index, name in enumerate(POINTS):
        across, down = offsets[:, index].mean(axis=0)
        print(f"  {name:<20} {errors[:, index].mean():7.3f}   bias {across:+.3f} {down:+.3f}")
    return 0 if rate >= MIN_FOUND and errors.mean() < MAX_ERROR else 1


if __name__ == "__main__":
    sys.exit(main())
