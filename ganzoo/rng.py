"""Random generators: every one that training may draw from, seeded, kept and put back."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ganzoo.data.batches import seeded

__all__ = [
    "preserve_rng_state",
    "seed_everything",
]


def seed_everything(seed: int) -> None:
    """Seed torch's, NumPy's and Python's generators."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def seed_apart(seed: int, rank: int, iteration: int = 0) -> None:
    """Has each process draw other random numbers (dropout's, say) than the first, which draws those of a single one."""
    if rank:
        seed_everything(seeded(seed, "rank", rank, iteration).initial_seed())


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The state of every generator, as tensors."""
    _, words, gauss = random.getstate()
    array = np.random.get_state(legacy=False)
    state = {
        "cpu": torch.get_rng_state(),
        "python": torch.tensor(words, dtype=torch.int64),
        "python_gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy": torch.tensor([*array["state"]["key"].tolist(), array["state"]["pos"], array["has_gauss"]]),
        "numpy_gauss": torch.tensor([array["gauss"]], dtype=torch.float64),
    }
    return state | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Has every generator go on from what `random_state` gave.

    Raises:
        ArithmeticError, LookupError, RuntimeError, TypeError, ValueError: it gave something else.
    """
    torch.set_rng_state(state["cpu"])
    random.setstate((3, tuple(state["python"].tolist()), *(state["python_gauss"].tolist() or [None])))
    *keys, place, has_gauss = state["numpy"].tolist()
    if not 0 <= place <= len(keys):  # NumPy does not look, and would read beyond its own memory
        raise ValueError(f"{place} is no place among {len(keys)} numbers")
    np.random.set_state(("MT19937", np.array(keys, np.uint32), place, has_gauss, state["numpy_gauss"].item()))
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)


@contextmanager
def preserve_rng_state(device: torch.device) -> Iterator[None]:
    """Put every generator back to where it was, whatever was drawn within."""
    python, array = random.getstate(), np.random.get_state()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(array)
