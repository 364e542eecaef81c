"""What everything rests on: labels, manifest, images, errors, files, processes, draws."""
