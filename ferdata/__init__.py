"""ferdata: facial-expression datasets in, training-ready shards out.

    import ferdata

    build = ferdata.build("rafdb", data="~/data/RAF-DB", augment="balance", out="out/rafdb")
    run = ferdata.train(build, model="a_mobilenet", epochs=3, out="runs/mine")
    run.evaluate(split="test").accuracy
    run.predict("photo.jpg")

`dir(ferdata)` lists the functions; each command of `ferdata --help` is one of them. Nothing heavy
is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ferdata.core.lazy import lazy_names
from ferdata.core.version import __version__

if TYPE_CHECKING:
    from ferdata.api.audits import audit
    from ferdata.api.builds import Build, build, verify
    from ferdata.api.cards import card
    from ferdata.api.exports import export
    from ferdata.api.opening import open_folder as open
    from ferdata.api.pages import report
    from ferdata.api.runs import Run, compare, evaluate, predict, train
    from ferdata.api.sources import datasets, demo, detect, ingest, merge
    from ferdata.api.viewing import view
    from ferdata.core.errors import FerdataError
    from ferdata.core.labels import LabelSpace
    from ferdata.core.manifest import Manifest

__all__ = [
    "Build",
    "FerdataError",
    "LabelSpace",
    "Manifest",
    "Run",
    "__version__",
    "audit",
    "build",
    "card",
    "compare",
    "datasets",
    "demo",
    "detect",
    "evaluate",
    "export",
    "ingest",
    "merge",
    "open",
    "predict",
    "report",
    "train",
    "verify",
    "view",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "audit": "ferdata.api.audits",
        **dict.fromkeys(("Build", "build", "verify"), "ferdata.api.builds"),
        **dict.fromkeys(("datasets", "demo", "detect", "ingest", "merge"), "ferdata.api.sources"),
        "card": "ferdata.api.cards",
        "open": "ferdata.api.opening:open_folder",
        "report": "ferdata.api.pages",
        "export": "ferdata.api.exports",
        **dict.fromkeys(("Run", "compare", "evaluate", "predict", "train"), "ferdata.api.runs"),
        "view": "ferdata.api.viewing",
        "FerdataError": "ferdata.core.errors",
        "LabelSpace": "ferdata.core.labels",
        "Manifest": "ferdata.core.manifest",
    },
    guesses={
        "load": "open",
        "read": "open",
        "fit": "train",
        "score": "evaluate",
        "eval": "evaluate",
    },
)
