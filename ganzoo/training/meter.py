"""Mean losses and speed between two readings, and the iteration at which a loss became NaN or infinite."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.distributed.context import DistributedContext
from ganzoo.losses import Losses

NEVER = 2**62
"""Iteration that no run reaches."""


@dataclass
class _Sums:
    """Sums of terms that always occur together."""

    count: int
    totals: Tensor
    broken: Tensor
    """Iteration at which each total became NaN or infinite, or NEVER."""


class Meter:
    """Mean losses since the last reading, accumulated on the device, so that only readings synchronize.

    Readings cover all processes, which must read at the same iteration.
    """

    def __init__(self, distributed: DistributedContext | None = None) -> None:
        self._distributed = distributed or DistributedContext.alone()
        self._reset()

    def add(self, losses: Losses, iteration: int) -> None:
        """Add the loss terms of one iteration."""
        self._iterations += 1
        names, values = tuple(losses), torch.stack(list(losses.values()))
        if names not in self._sums:
            zeros = torch.zeros_like(values)
            self._sums[names] = _Sums(0, zeros, torch.full_like(values, NEVER, dtype=torch.int64))
        sums = self._sums[names]
        sums.count += 1
        sums.totals = sums.totals + values
        # NaN and infinity stay in the total until the next reading.
        sums.broken = torch.where(sums.totals.isfinite(), sums.broken, sums.broken.clamp(max=iteration))

    def read(self) -> tuple[int, float, dict[str, float]]:
        """Return iterations, seconds and the mean of each term over the iterations with it, since the last reading."""
        totals, counts = dict[str, float](), dict[str, int]()
        for sums, name, total in self._numbers([sums.totals for sums in self._sums.values()], self._distributed.mean):
            totals[name] = totals.get(name, 0.0) + total
            counts[name] = counts.get(name, 0) + sums.count
        means = {name: total / counts[name] for name, total in totals.items()}
        reading = self._iterations, time.perf_counter() - self._since, means
        self._reset()
        return reading

    def broken(self) -> dict[str, int]:
        """Return the terms that became NaN or infinite since the last reading, and the iteration of each."""
        found = self._numbers([sums.broken for sums in self._sums.values()], self._distributed.least)
        return {name: int(since) for _, name, since in found if since < NEVER}

    def _numbers(self, parts: list[Tensor], of_all: Callable[[Tensor], Tensor]) -> Iterator[tuple[_Sums, str, float]]:
        """Yield a number for each term of each group, reduced over all processes and copied from the device at once."""
        numbers = iter(of_all(torch.cat(parts)).tolist() if parts else ())
        for names, sums in self._sums.items():
            for name, number in zip(names, numbers, strict=False):
                yield sums, name, number

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Exclude the time spent inside from training time."""
        since = time.perf_counter()
        try:
            yield
        finally:
            self._since += time.perf_counter() - since

    def state(self) -> dict[str, Tensor]:
        """Return the loss sums since the last reading, for a checkpoint."""
        state: dict[str, Tensor] = {}
        for number, (names, sums) in enumerate(self._sums.items()):
            key = f"{number:04} {json.dumps(names)}"  # numbered, as safetensors returns names sorted
            state |= {f"totals {key}": sums.totals, f"broken {key}": sums.broken}
            state[f"count {key}"] = torch.tensor(sums.count)
        return state

    def load_state(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Load the result of `state`; iterations and time start from zero.

        Raises:
            LookupError, RuntimeError, TypeError, ValueError: if it is not one.
        """
        self._reset()
        for key in sorted(name.removeprefix("count ") for name in state if name.startswith("count ")):
            names = tuple(json.loads(key.partition(" ")[2]))
            totals, broken, count = (state[f"{part} {key}"] for part in ("totals", "broken", "count"))
            if not (totals.shape == broken.shape == (len(names),) and int(count) > 0):
                raise ValueError(f"there are no sums of {', '.join(names)}")
            self._sums[names] = _Sums(int(count), totals.to(device), broken.to(device))

    def _reset(self) -> None:
        self._iterations, self._since = 0, time.perf_counter()
        self._sums: dict[tuple[str, ...], _Sums] = {}
