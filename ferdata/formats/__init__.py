"""Arrays to files: shards in HDF5 and in Hugging Face's Parquet, and the card that describes them.

`registry` lists the formats, `contract` defines what a format is, `content` what the renderer
passes to a writer, and `names` the names that readers need.
"""
