"""Training runs: the trainer, its callbacks, resuming and dry runs."""
