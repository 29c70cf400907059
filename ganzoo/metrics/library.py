"""The libraries that figures come from: an extra, imported where a figure is wanted."""

import importlib
from types import ModuleType

from ganzoo.errors import UserError


def library(name: str) -> ModuleType:
    """A module of torch-fidelity, torchmetrics or lpips.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        if (error.name or "").partition(".")[0] != package:
            raise
        raise UserError(
            f"figures are measured with {package.replace('_', '-')}, which is not installed: "
            "pip install 'ganzoo[metrics]'"
        ) from error
