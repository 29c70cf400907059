"""ganzoo: a plugin-based zoo of generative adversarial networks for PyTorch.

The stub next to this file lists the public names and their modules. Each is imported on first use, which keeps
`import ganzoo` and `ganzoo --help` fast.
"""

from typing import Any

import lazy_loader

from ganzoo.base import registry

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def _find(kind: type[Any]) -> registry.Registry[Any]:
    from ganzoo.plugins import zoo  # loads all plugins, on first use

    return zoo().shelf(kind)


registry.fill_by(_find)
