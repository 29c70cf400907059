"""Checks for the tests of plugins, such as `check_gan(MyGAN)`, which all built-in plugins pass.

Each check takes a class, or a configuration of it, and raises an AssertionError that says what to change. Fixtures for
pytest are in `ganzoo.testing.plugin`, which imports this package, too; names here are therefore loaded lazily.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
