"""Data: data sets, resizing of images, and loading of batches.

The stub next to this file lists the names for data sets of your own; each is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
