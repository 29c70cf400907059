"""ganzoo: a plugin-based zoo of generative adversarial networks for PyTorch.

The public names are listed, with where they live, in the stub beside this file; each is imported when it is
first used, so `import ganzoo` and `ganzoo --help` cost no more than they need.
"""

from typing import Any

import lazy_loader

from ganzoo.base import registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def _find(kind: type[Any]) -> registry.Registry[Any]:
    from ganzoo.plugins import zoo  # loads all plugins, when one is first asked for

    return zoo().shelf(kind)


registry.fill_by(_find)
