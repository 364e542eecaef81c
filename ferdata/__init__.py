"""ferdata: facial-expression datasets in, training-ready shards out.

Read the folders in the order in which the data flows: `ingest`, `faces`, `curate`, `augment`,
`build` (with `formats`), `data`, `train`.
"""

__version__ = "0.1.0"
