"""ganzoo: a plugin-based zoo of generative adversarial networks for PyTorch.

The public names are listed, with where they live, in the stub beside this file; each is imported when it is
first used, so `import ganzoo` and `ganzoo --help` cost no more than they need.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
