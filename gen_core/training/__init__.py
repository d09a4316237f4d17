"""The training loop, its checkpoints and recipes, alone or on many devices."""
