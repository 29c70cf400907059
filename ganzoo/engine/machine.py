"""The machine: cores that may be used, memory that is in use, and keeping it from one iteration to the next."""

import ctypes
import math
import os
import sys
from functools import cache
from pathlib import Path

import torch

MIB = 2**20
QUOTA = Path("/sys/fs/cgroup/cpu.max")
STATUS, PEAK_RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MMAP_MAX, TRIM_THRESHOLD, TOP_PAD = -4, -1, -2
"""glibc's names for mallopt's parameters (malloc.h)."""


def available_cores() -> int:
    """Cores that this process may use: those of the machine, less what affinity and a container's quota withhold."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    if QUOTA.exists():
        quota, period = QUOTA.read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


@cache
def keep_freed_memory() -> None:
    """Has this process keep what it frees, for the next iteration, and take it in large pages; on Linux.

    A large tensor's memory is else given back to the system when it is freed, and each of its pages asked for, and
    cleared, again: 185,000 page faults in an iteration of DCGAN at 64 x 64 and batch 32, a third of its time.
    """
    if not sys.platform.startswith("linux"):
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch reads it when it makes its first tensor
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc has it, musl has not
        mallopt(MMAP_MAX, 0)
        mallopt(TRIM_THRESHOLD, -1)
        mallopt(TOP_PAD, 64 * MIB)


def reset_peak(device: torch.device) -> None:
    """Forgets the peak so far, where the system lets it be forgotten."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif PEAK_RESET.exists():
        PEAK_RESET.write_text("5", encoding="ascii")  # see proc(5)


def peak(device: torch.device) -> int | None:
    """The most memory in use since, in bytes: what torch took of a GPU, else the process's. None: it is not known."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    if not STATUS.exists():
        return None
    lines = dict(line.split(":", 1) for line in STATUS.read_text(encoding="utf-8").splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024
