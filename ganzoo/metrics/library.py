"""The libraries that figures come from: an extra, imported where a figure is wanted."""

import importlib
from types import ModuleType

from ganzoo.errors import check_installed


def library(name: str) -> ModuleType:
    """A module of torch-fidelity, torchmetrics or lpips.

    Raises:
        UserError: it is not installed.
    """
    check_installed("measuring", "metrics", name)
    return importlib.import_module(name)
