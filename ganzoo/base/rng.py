"""Random generators used in training: seeding, saving and restoring."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


def seeded(*parts: object) -> torch.Generator:
    """Return a CPU generator seeded by numbers and words, the same on every machine.

    torch uses 32 bits of the seed: among a hundred thousand seeds, one or two pairs collide.
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


__all__ = [
    "preserve_rng_state",
    "seed_everything",
]


def seed_everything(seed: int) -> None:
    """Seed the generators of torch, NumPy and Python."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def seed_rank(seed: int, rank: int, iteration: int = 0) -> None:
    """Seed each process but the first differently (for dropout, say); the first draws the numbers of a single one."""
    if rank:
        seed_everything(seeded(seed, "rank", rank, iteration).initial_seed())


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the state of every generator, as tensors."""
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
    """Restore every generator from a `random_state`.

    Raises:
        ArithmeticError, LookupError, RuntimeError, TypeError, ValueError: invalid state.
    """
    torch.set_rng_state(state["cpu"])
    random.setstate((3, tuple(state["python"].tolist()), *(state["python_gauss"].tolist() or [None])))
    *keys, place, has_gauss = state["numpy"].tolist()
    if not 0 <= place <= len(keys):  # NumPy does not check, and would read out of bounds
        raise ValueError(f"{place} is no place among {len(keys)} numbers")
    np.random.set_state(("MT19937", np.array(keys, np.uint32), place, has_gauss, state["numpy_gauss"].item()))
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)


@contextmanager
def preserve_rng_state(device: torch.device) -> Iterator[None]:
    """Context that restores every generator at its end."""
    python, array = random.getstate(), np.random.get_state()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(array)
