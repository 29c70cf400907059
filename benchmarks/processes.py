"""Processes of their own: what is allocated, switched and warmed up there changes nothing here, nor the other way."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import torch


@contextmanager
def processes(count: int, environment: dict[str, str]) -> Iterator[list[ProcessPoolExecutor]]:
    """New processes that share the processor's cores; all that is given to one is done in the same process."""
    threads = max(1, torch.get_num_threads() // count)
    pools = [ProcessPoolExecutor(1, get_context("spawn"), _begin, (threads, environment)) for _ in range(count)]
    try:
        yield pools
    finally:
        for pool in pools:
            pool.shutdown()


def _begin(threads: int, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(threads)
