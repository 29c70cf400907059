"""Optional libraries of metrics, imported when used."""

import importlib
from types import ModuleType

from ganzoo.errors import check_installed


def library(name: str) -> ModuleType:
    """Import a module of torch-fidelity, torchmetrics or lpips.

    Raises:
        UserError: if it is not installed.
    """
    check_installed("measuring", "metrics", name)
    return importlib.import_module(name)
