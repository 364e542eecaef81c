"""What a training run is: its options, its record, its folder."""
