"""Checks that everything in the zoo passes, for a plugin's own tests: `check_gan(MyGAN)`.

Each takes a class, or a configuration of it, and raises an AssertionError that says what to change. The fixtures that
pytest finds by itself are in `ganzoo.testing.plugin`; it loads this module too, so the names here are imported when
they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
