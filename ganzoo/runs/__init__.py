"""Run folders on disk: files, checkpoints, status, listing and cleanup."""
