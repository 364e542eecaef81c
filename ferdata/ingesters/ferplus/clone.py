"""A clone of the authors' repository after its script: the votes above, the images in folders.

The script writes images under the names in fer2013new.csv, whose votes are the published ones;
those of label.csv beside the images are another labeling. Four names occur in two rows, and the
script keeps the image of the later one.
"""

from __future__ import annotations

from collections.abc import Iterator

from ferdata.core.image_formats import is_image
from ferdata.ingesters.class_folders import class_folder
from ferdata.ingesters.contract import Layout
from ferdata.ingesters.evidence import Evidence, Sign
from ferdata.ingesters.tree import FileTree, common_folder, file_name, folder_name

FOLDERS = {"FER2013Train": "Training", "FER2013Valid": "PublicTest", "FER2013Test": "PrivateTest"}
"""The authors' word for the split by folder."""


_FIGURES = "images outside of the script's folders"


def detect(tree: FileTree) -> Iterator[Layout]:
    """Find fer2013new.csv in or above the folder of FER2013Train with images."""
    with_images = {folder_name(path) for path in tree.files if _usage(path) and is_image(path)}
    bases = {folder_name(folder) for folder in with_images}
    for votes in (path for path in tree.files if file_name(path).lower() == "fer2013new.csv"):
        home = folder_name(votes)
        below = sorted(base for base in bases if f"{base}/".startswith(f"{home}/" if home else ""))
        if below:
            evidence = (
                Evidence(Sign.ANNOTATION, f"{votes} with the votes"),
                Evidence(Sign.TABLE, f"images in {', '.join(sorted(with_images)[:3])}"),
                Evidence(Sign.NAMES, "files named like fer0000000.png"),
            )
            base = common_folder([home, *below])
            yield Layout.below(tree, base, "ferplus", "clone", *evidence, lists=[votes])


def images(layout: Layout) -> dict[tuple[str, str], str]:
    """Return the images by the authors' word for the split, in lower case, and file name."""
    found: dict[tuple[str, str], str] = {}
    for path in layout.tree.images():
        if usage := _usage(path):
            found.setdefault((usage, file_name(path)), path)
        else:
            layout.ignored[path] = _FIGURES
    return found


def _usage(path: str) -> str:
    return FOLDERS.get(class_folder(path), "").lower()
