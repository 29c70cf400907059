"""The machine: cores that may be used, memory that is in use, and keeping it from one iteration to the next."""

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
"""Where Linux tells of a container's share, of this process, and of the whole machine's memory."""
MMAP_MAX, TRIM_THRESHOLD, TOP_PAD = -4, -1, -2
"""glibc's names for mallopt's parameters (malloc.h)."""
PARENT_DEATH_SIGNAL = 1
"""Linux's name for it (prctl.h)."""

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
"""What the CPU's allocator, oneDNN, CUDA and its libraries say when there is none left."""


def available_cores() -> int:
    """Cores that this process may use: the machine's, less what affinity and a quota (of cgroup 2) keep from it."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    if (file := GROUP / "cpu.max").exists():
        quota, period = file.read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


@cache
def keep_freed_memory() -> None:
    """Has this process keep what it frees, for the next iteration, and take it in large pages; on Linux.

    A large tensor's memory is else given back to the system when it is freed, and each of its pages asked for, and
    cleared, again: 140,000 page faults in an iteration of DCGAN at 64 x 64 and batch 32, a third of its time.
    """
    if not sys.platform.startswith("linux"):
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch reads it when it makes its first tensor
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc has it, musl has not
        mallopt(MMAP_MAX, 0)
        mallopt(TRIM_THRESHOLD, -1)
        mallopt(TOP_PAD, 64 * MIB)


@contextmanager
def held_to_free_memory() -> Iterator[None]:
    """Limit this process to the memory that is free, so that a larger allocation fails with an error; on Linux.

    The system else promises more than there is, and kills who takes it at its word.
    """
    free = free_memory()
    if free is None:
        yield
        return
    import resource  # which Windows has not

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _sizes(PROCESS / "status")["VmData"] + free
    resource.setrlimit(resource.RLIMIT_DATA, (limit if soft == resource.RLIM_INFINITY else min(limit, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def free_memory() -> int | None:
    """What this process may still take of the host's memory, in bytes; None: it is not known."""
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
        files = int(counts["inactive_file"]) + int(counts["active_file"])  # kept as long as there is room, no longer
        free = min(free, int(share) - now + files)
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft != resource.RLIM_INFINITY:
        free = min(free, soft - status["VmData"])
    return max(0, free)


def end_with_parent() -> None:
    """Has this process told to end (SIGTERM) when the one that started it is gone, even killed; on Linux."""
    control = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform.startswith("linux") else None
    if control is not None:
        control(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def release_freed_memory() -> None:
    """Gives back what `keep_freed_memory` kept."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def clear_memory(device: torch.device) -> None:
    """Give back the memory that earlier work left to its allocator, and forget the peak so far."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    release_freed_memory()
    reset_peak(device)


def reset_peak(device: torch.device) -> None:
    """Forgets the peak so far, where the system lets it be forgotten."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif (file := PROCESS / "clear_refs").exists():
        with suppress(OSError):  # not every sandbox allows it
            file.write_text("5", encoding="ascii")  # see proc(5)


def peak(device: torch.device) -> int | None:
    """The most memory in use since `clear_memory`, in bytes: what torch took of a GPU, else the process's.

    None: it is not known.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    status = PROCESS / "status"
    return _sizes(status).get("VmHWM") if status.exists() else None


def _sizes(file: Path) -> dict[str, int]:
    """The sizes that a file of /proc gives, in bytes."""
    words = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in words if line[2:] == ["kB"]}


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out."""
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(words in str(error) for words in OUT_OF_MEMORY)
