"""A run from its options to its folder: the trainer, its callbacks, resuming and dry runs."""
