"""Arrays to files: shards in HDF5 and in Hugging Face's Parquet, and the card that describes them.

`registry` lists the formats, `contract` says what one is, `content` what the renderer hands to a
writer, and `names` what readers need to know.
"""
