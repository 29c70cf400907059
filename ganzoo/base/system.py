"""The machine: available cores, free and used memory, and memory reuse between iterations."""

import ctypes
import gc
import math
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import torch

__all__ = [
    "clear_memory",
    "held_to_free_memory",
    "peak",
]

MIB = 2**20
GROUP, PROCESS, SYSTEM = Path("/sys/fs/cgroup"), Path("/proc/self"), Path("/proc/meminfo")
"""Linux's files on the container's limits, this process, and the memory of the machine."""
MMAP_MAX, TRIM_THRESHOLD, TOP_PAD = -4, -1, -2
"""glibc's names for mallopt's parameters (malloc.h)."""
PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG (prctl.h)."""

OUT_OF_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "could not create a primitive",
    "could not create a memory object",
    "out of memory",
    "ALLOC_FAILED",
    "Storage size calculation overflowed",
)
"""Parts of the out-of-memory messages of the CPU allocator, oneDNN, CUDA and its libraries."""


def available_cores() -> int:
    """Return the number of cores for this process, considering its affinity and its quota (cgroup 2)."""
    affinity = getattr(os, "sched_getaffinity", None)  # on Linux
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    if (file := GROUP / "cpu.max").exists():
        quota, period = file.read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


@cache
def keep_freed_memory() -> None:
    """Keep freed memory in this process for the next iteration, in large pages; on Linux.

    By default, freeing a large tensor returns its memory to the system, which has to map and clear each page again:
    140,000 page faults in an iteration of DCGAN at 64 x 64 and batch 32, a third of its time.
    """
    if not sys.platform.startswith("linux"):
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # read by torch at its first tensor
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc, not musl
        mallopt(MMAP_MAX, 0)
        mallopt(TRIM_THRESHOLD, -1)
        mallopt(TOP_PAD, 64 * MIB)


@contextmanager
def held_to_free_memory() -> Iterator[None]:
    """Context in which allocations beyond the free memory fail, so that they can be handled; on Linux.

    By default, the system overcommits memory and kills the process later.
    """
    free = free_memory()
    if free is None:
        yield
        return
    import resource  # missing on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _sizes(PROCESS / "status")["VmData"] + free
    resource.setrlimit(resource.RLIMIT_DATA, (limit if soft == resource.RLIM_INFINITY else min(limit, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def free_memory() -> int | None:
    """Return the host memory still available to this process, in bytes; None if unknown."""
    if not SYSTEM.exists():
        return None
    import resource

    status, free = _sizes(PROCESS / "status"), _sizes(SYSTEM).get("MemAvailable")
    if free is None or "VmData" not in status:
        return None
    most = GROUP / "memory.max"
    if most.exists() and (share := most.read_text(encoding="ascii").strip()) != "max":
        now = int((GROUP / "memory.current").read_text(encoding="ascii"))
        counts = dict(line.split() for line in (GROUP / "memory.stat").read_text(encoding="ascii").splitlines())
        files = int(counts["inactive_file"]) + int(counts["active_file"])  # caches, freed on demand
        free = min(free, int(share) - now + files)
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY:
        free = min(free, soft - status["VmData"])
    return max(0, free)


def end_with_parent() -> None:
    """Send SIGTERM to this process when its parent ends, even if killed; on Linux."""
    control = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform.startswith("linux") else None
    if control is not None:
        control(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def release_freed_memory() -> None:
    """Return the memory kept by `keep_freed_memory` to the system."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def clear_memory(device: torch.device) -> None:
    """Free cached memory and reset the peak, so that earlier work does not count."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    release_freed_memory()
    reset_peak(device)


def reset_peak(device: torch.device) -> None:
    """Reset the peak of the memory, where the system allows it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif (file := PROCESS / "clear_refs").exists():
        with suppress(OSError):  # not every sandbox allows it
            file.write_text("5", encoding="ascii")  # see proc(5)


def peak(device: torch.device) -> int | None:
    """Return the peak memory since `reset_peak`, in bytes: reserved by torch on a GPU, else that of the process.

    None if unknown.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    status = PROCESS / "status"
    return _sizes(status).get("VmHWM") if status.exists() else None


def _sizes(file: Path) -> dict[str, int]:
    """Return the sizes in a file of /proc, in bytes."""
    words = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in words if line[2:] == ["kB"]}


def lacks_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(words in str(error) for words in OUT_OF_MEMORY)
