"""Sets of one's own: a YAML file declares where images, labels and splits are found."""
