"""An export format: a line of JSON per image, beside the images."""

import json
from pathlib import Path

from ferdata.exports.contract import ExportContent, ExportFormat


def write(folder: Path, content: ExportContent) -> None:
    for split in content.splits:
        (folder / split).mkdir()
        with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as lines:
            for row in content.rows(split):
                file = f"{split}/{row.name}.png"
                (folder / file).write_bytes(row.png)
                lines.write(json.dumps({"file": file, **row.as_json()}) + "\n")


JSONL = ExportFormat(
    name="jsonl",
    title="lines of JSON",
    write=write,
    readers="pandas, jq",
    example='import pandas as pd\n\n{split} = pd.read_json("{out}/{split}.jsonl", lines=True)',
)
