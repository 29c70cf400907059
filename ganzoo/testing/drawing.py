"""The random numbers that checks draw: the same every time, and none that others miss afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ganzoo.rng import preserve_rng_state


@contextmanager
def drawing() -> Iterator[None]:
    """Within, torch draws from a seed; every generator is put back to where it was, those of all GPUs too.

    The checks compute on the CPU, but `torch.manual_seed`, which begins every training, seeds GPUs as well.
    """
    with preserve_rng_state(torch.device("cpu")), torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(0)
        yield
