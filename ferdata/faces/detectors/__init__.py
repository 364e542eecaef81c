"""Face detectors: one file each, all behind the contract `LandmarkDetector`."""
