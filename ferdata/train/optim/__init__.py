"""How weights are moved: losses, optimizers, schedules, averages."""
