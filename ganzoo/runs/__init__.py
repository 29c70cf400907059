"""A run folder on disk: its files, checkpoints, status, listing and clean-up."""
