"""Reads an exported FiftyOne dataset in FiftyOne's own environment and prints what it sees as JSON.

FiftyOne keeps datasets in MongoDB. Where its server can't run, `mongomock` (installed beside it)
stands in: then all of FiftyOne's own code reads the folder, over a database in memory.
"""

import contextlib
import json
import os
import sys


def stand_in_for_mongodb() -> None:
    import mongoengine
    import mongoengine.connection
    import mongomock
    import pymongo
    from mongomock.store import ServerStore

    store = ServerStore()

    class Client(mongomock.MongoClient):
        _closed = False

        def __init__(self, *_, tz_aware=False, **__):
            super().__init__(_store=store, tz_aware=tz_aware)

        def server_info(self):
            return {"version": "7.0.0", "versionArray": [7, 0, 0, 0]}

    connect = mongoengine.connection.connect
    pymongo.MongoClient = Client
    mongoengine.connect = mongoengine.connection.connect = lambda *arguments, **options: connect(
        *arguments, **options, mongo_client_class=Client
    )
    os.environ["FIFTYONE_DATABASE_URI"] = "mongodb://localhost"
    os.environ["FIFTYONE_DISABLE_SERVICES"] = "1"
    os.environ["FIFTYONE_DATABASE_ADMIN"] = "false"


def main(folder: str) -> None:
    os.environ["FIFTYONE_DO_NOT_TRACK"] = "1"
    with contextlib.suppress(ImportError):
        stand_in_for_mongodb()
    import fiftyone

    dataset = fiftyone.Dataset.from_dir(folder, dataset_type=fiftyone.types.FiftyOneDataset)
    rows = [
        {
            "file": sample.filepath,
            "tags": sample.tags,
            "label": sample.ground_truth.label,
            "points": [list(point) for each in keypoints(sample) for point in each.points],
            "box": sample.face and list(sample.face.bounding_box),
            "size": [sample.metadata.width, sample.metadata.height, sample.metadata.num_channels],
            "soft_label": sample.soft_label,
            **{
                name: sample[name]
                for name in ("sample_id", "dataset", "subject", "parent_id", "operations")
            },
            **{name: sample[name] for name in ("valence", "arousal")},
        }
        for sample in dataset
    ]
    train = len(dataset.match_tags("train"))
    found = {"rows": rows, "classes": dataset.default_classes, "train": train}
    print("\n" + json.dumps(found))


def keypoints(sample):
    return sample.landmarks.keypoints if sample.landmarks else []


main(sys.argv[1])
