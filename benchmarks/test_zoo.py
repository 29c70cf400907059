"""Every GAN of the registry at its own size and batch: the suite of `ganzoo bench`, but for its comparison."""

from ganzoo_bench.suite import test_generation, test_resuming, test_saving, test_training

__all__ = ["test_generation", "test_resuming", "test_saving", "test_training"]
