"""Loss terms and speed, averaged between two readings."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from ganzoo.engine.ranks import Ranks
from ganzoo.losses import Losses


class Meter:
    """Means since the last reading. Terms are summed on the device and read all at once, so that reading waits once."""

    def __init__(self, ranks: Ranks | None = None) -> None:
        self._ranks = ranks or Ranks.alone()
        self._reset()

    def add(self, losses: Losses) -> None:
        """Takes one iteration's terms."""
        self._iterations += 1
        for name, value in losses.items():
            count, total = self._sums.get(name, (0, torch.zeros_like(value)))
            self._sums[name] = count + 1, total + value

    def read(self) -> tuple[int, float, dict[str, float]]:
        """Iterations, seconds and the mean of each term over all processes and the iterations that had it.

        All processes must read at the same iteration.
        """
        means = [total / count for count, total in self._sums.values()]
        values = self._ranks.mean(torch.stack(means)).tolist() if means else []
        reading = self._iterations, time.perf_counter() - self._since, dict(zip(self._sums, values, strict=True))
        self._reset()
        return reading

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What takes place inside does not count as training time."""
        since = time.perf_counter()
        try:
            yield
        finally:
            self._since += time.perf_counter() - since

    def _reset(self) -> None:
        self._iterations, self._since = 0, time.perf_counter()
        self._sums: dict[str, tuple[int, Tensor]] = {}
