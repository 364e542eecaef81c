"""Draw docs/viewer.jpg: the viewer on a build of drawn faces, as Chromium shows it.

    ferdata build rafdb --demo --augment balance --out out/rafdb
    ferdata train out/rafdb --out runs/demo
    python tools/draw_viewer.py runs/demo docs/viewer.jpg

Only for synthetic data: the picture shows faces.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]

SHOWN = """
(() => {
  const { elements } = document.querySelector("#filters");
  if (elements.sort.options[3].hidden) return;
  Object.assign(elements.sort, { value: "confidence" });
  elements.descending.checked = true;
  elements.outcome.value = "wrong";
  elements.outcome.dispatchEvent(new Event("input", { bubbles: true }));
})()
"""


def main(path: str, out: str) -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    chromium: Any = import_module("support.chromium").Chromium
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ferdata", "view", path, "--no-open"]
        with subprocess.Popen(
            [*command, "--out", f"{folder}/marks.json"], stdout=subprocess.PIPE, text=True
        ) as server:
            address = (server.stdout.readline() if server.stdout else "").strip()
            with chromium(Path(folder) / "profile") as browser:
                browser.open(address)
                browser.resize(1120, 700)
                time.sleep(2)
                browser.evaluate(SHOWN)
                time.sleep(2)
                browser.evaluate("document.querySelectorAll('.cell')[3].focus()")
                shot = base64.b64decode(browser.call("Page.captureScreenshot")["data"])
            server.terminate()
    pixels = np.asarray(cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR))
    cv2.imwrite(out, pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main(*sys.argv[1:3])
