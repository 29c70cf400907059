"""Evaluation of GANs: metrics, extractors of features, and protocols."""
