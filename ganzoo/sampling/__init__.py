"""Sampling from trained GANs, and image files."""
