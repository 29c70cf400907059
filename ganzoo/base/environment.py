"""Environment of a process, for bug reports: versions and devices."""

import os
import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version

import torch

__all__ = [
    "DATA_FROM",
    "environment",
    "versions",
]

GAN_FROM = "gan from"
"""Key in a run's environment.json for the distribution, or the file, of its GAN."""
DATA_FROM = "data from"
"""Key in a run's environment.json for the distribution, or the file, of its data set."""
PACKAGES = ("ganzoo", "torch", "torchvision", "pydantic", "pluggy", "safetensors", "pillow", "numpy")


def environment() -> dict[str, str]:
    """Return versions and devices by name."""
    found = {**versions(), "platform": platform.platform()}
    capabilities = torch.cpu.get_capabilities()
    found["cpu"] = f"{capabilities.get('cpu_name') or platform.processor()}, {os.cpu_count()} cores"
    found["cpu threads"] = str(torch.get_num_threads())
    found["cpu bf16"] = ", ".join(name for name in ("amx_bf16", "avx512_bf16") if capabilities.get(name)) or "none"
    found["cuda"] = str(torch.version.cuda)
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found[f"cuda:{index}"] = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    return found


def versions() -> dict[str, str]:
    """Return versions by name."""
    return {"python": platform.python_version(), **{package: _version(package) for package in PACKAGES}}


def command() -> str:
    """Return the command line of this process."""
    return shlex.join(sys.argv)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
