"""Peak memory of a piece of work."""

import gc

import torch

from ganzoo import machine


def forget_peak(device: torch.device) -> None:
    """Starts anew: what earlier work used, and its allocator kept, is none of the memory of what comes next."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    machine.release_freed_memory()
    machine.reset_peak(device)


def peak_mib(device: torch.device) -> float | None:
    """The most memory in use since: what torch took of a GPU, else what the whole process takes; None: unknown."""
    peak = machine.peak(device)
    return None if peak is None else peak / machine.MIB
