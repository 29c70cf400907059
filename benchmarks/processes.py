"""Processes of their own: what is allocated, switched and warmed up there changes nothing here, nor the other way.

Several are the ranks of one training, as torchrun would start them.
"""

import functools
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import torch
import torch.distributed as dist
from ganzoo_bench.setting import Given, Setting, train

from ganzoo.training.trainer import Trainer


@contextmanager
def processes(count: int, environment: dict[str, str]) -> Iterator[list[ProcessPoolExecutor]]:
    """New processes that share the processor's cores; all that is given to one is done in the same process."""
    threads = max(1, torch.get_num_threads() // count)
    # Where ranks meet; its types leave it out.
    store = dist.TCPStore("localhost", 0, is_master=True, wait_for_workers=False)  # type: ignore[attr-defined]
    meeting = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    places = [
        {**meeting, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)} if count > 1 else {}
        for rank in range(count)
    ]
    pools = [ProcessPoolExecutor(1, get_context("spawn"), _begin, (threads, environment | place)) for place in places]
    try:
        yield pools
    finally:
        for pool in pools:
            pool.shutdown()


def _begin(threads: int, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(threads)


@functools.lru_cache(maxsize=1)
def _kept(setting: Setting, gan: str, given: Given) -> Trainer:
    return setting.training(gan, **dict(given))


def train_here(setting: Setting, gan: str, given: Given, iterations: int) -> None:
    """For a process of its own: trains there, and keeps what it has made ready for the next call."""
    train(_kept(setting, gan, given), iterations)
    if setting.device.type == "cuda":
        torch.cuda.synchronize()
