"""Data-parallel training of one run by several processes."""
