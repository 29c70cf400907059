"""Random numbers of checks: reproducible, and without side effects."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ganzoo.base.rng import preserve_rng_state


@contextmanager
def drawing() -> Iterator[None]:
    """Seed PyTorch inside, and restore the state of all generators on exit, including those of all GPUs.

    Checks run on the CPU, but `torch.manual_seed`, called at the start of every training, also seeds GPUs.
    """
    with preserve_rng_state(torch.device("cpu")), torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(0)
        yield
