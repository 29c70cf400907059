"""Helpers below everything else: files, random generators, the machine, registries.

The stub next to this file lists the public modules; each is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
