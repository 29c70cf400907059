"""From pictures to batches: what a data set is, how images are fitted to a size, how batches are drawn.

What a data set of one's own may use is listed in the stub beside this file, and imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
