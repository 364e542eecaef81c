"""Arrays to files: HDF5 shards, Hugging Face Parquet shards, and the card that describes them.

`names` holds what readers need to know, `content` what goes between the renderer and the writers,
`registry` the formats by name.
"""
